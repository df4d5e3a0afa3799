using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Effects;

/// <summary>
/// Does what runs owe each other. Effects for one workflow id are done in the order they were owed; one that fails is tried again until it is
/// done. The queue holds nothing that is not stored too, and each run owes a bounded number.
/// </summary>
internal sealed partial class EffectRunner(RunHost host, Starter starter, TimeProvider time, ILogger<EffectRunner> logger) : BackgroundService
{
    private const int Lanes = 16;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    private readonly Channel<Effect>[] lanes =
        [.. Enumerable.Range(0, Lanes).Select(_ => Channel.CreateUnbounded<Effect>(new() { SingleReader = true }))];

    public void Enqueue(Effect effect) => lanes[(uint)HashCode.Combine(effect.TargetNamespace, effect.TargetWorkflowId) % Lanes].Writer.TryWrite(effect);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(lanes.Select(lane => RunAsync(lane.Reader, stoppingToken)));

    private async Task RunAsync(ChannelReader<Effect> lane, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var effect in lane.ReadAllAsync(stoppingToken)) await DoUntilDoneAsync(effect, stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The server stops; what is owed is stored.
        }
    }

    private async Task DoUntilDoneAsync(Effect effect, CancellationToken stoppingToken)
    {
        var delay = FirstDelay;
        while (true)
        {
            try
            {
                await DoAsync(effect, stoppingToken);
                effect.Done.TrySetResult();
                return;
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogFault(effect.GetType().Name, effect.FromWorkflowId, effect.TargetWorkflowId, fault);
                await Task.Delay(delay * (1 + (Random.Shared.NextDouble() / 2)), time, stoppingToken);
                delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            }
        }
    }

    private Task DoAsync(Effect effect, CancellationToken cancellationToken) => effect switch
    {
        StartChild start => StartChildAsync(start, cancellationToken),
        ChildStarted started => OnTargetAsync(started, change => WithChild(change, started, child => change.ChildStarted(child, started.From.RunId, started.Header is null ? null : Header.Parser.ParseFrom(started.Header))), cancellationToken),
        ChildEnded ended => OnTargetAsync(ended, change => WithChild(change, ended, child => change.ChildEnded(child, ended.From.RunId, HistoryEvent.Parser.ParseFrom(ended.CloseEvent))), cancellationToken),
        SignalOther signal => SignalAsync(signal, cancellationToken),
        CancelOther cancel => CancelAsync(cancel, cancellationToken),
        OtherAnswered answered => AnswerAsync(new(effect.TargetNamespace, answered.TargetRunId!.Value), answered.InitiatedId, answered.NotFound, effect.Id, cancellationToken),
        ParentEnded ended => EndChildAsync(ended, cancellationToken),
        _ => throw new InvalidOperationException($"There is no way to do a {effect.GetType().Name}."),
    };

    private async Task StartChildAsync(StartChild effect, CancellationToken cancellationToken)
    {
        var (initiated, parent) = await host.ReadAsync(
            effect.From,
            async run => ((await run.ReadEventAsync(effect.InitiatedId, cancellationToken)), run.State!),
            cancellationToken);
        var attributes = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        var link = new ParentLink(effect.From.Namespace, effect.FromWorkflowId, effect.From.RunId, effect.InitiatedId);
        var options = new NewRunOptions(effect.TargetNamespace, Guid.CreateVersion7(), effect.Id.ToString()) { Parent = link, UserMetadata = initiated.UserMetadata };
        try
        {
            await starter.StartAsync(
                effect.TargetNamespace, effect.TargetWorkflowId, options.RequestId, new(attributes.WorkflowIdReusePolicy, WorkflowIdConflictPolicy.Fail),
                now =>
                {
                    var change = NewRuns.Begin(host, options, Children.StartedAttributes(attributes, host, parent, effect.InitiatedId, now), now);
                    change.Done(effect.Id);
                    change.Owe(new ChildStarted(
                        change.State.Key, effect.TargetWorkflowId, effect.InitiatedId, effect.From.Namespace, effect.FromWorkflowId, effect.From.RunId, attributes.Header?.ToByteArray()));
                    return change;
                },
                existing: null,
                cancellationToken);
        }
        catch (AlreadyStartedException)
        {
            await host.ChangeAsync(
                effect.From,
                change =>
                {
                    change.Done(effect.Id);
                    if (change.State.IsRunning && change.State.Children.TryGetValue(effect.InitiatedId, out var child))
                    {
                        change.ChildStartFailed(child, StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists, attributes);
                    }
                },
                cancellationToken);
        }
    }

    private Task SignalAsync(SignalOther effect, CancellationToken cancellationToken) => ReachAsync(
        effect, effect.ChildWorkflowOnly,
        (change, initiated) =>
        {
            var attributes = initiated.SignalExternalWorkflowExecutionInitiatedEventAttributes;
            change.AddSignal(new(
                attributes.SignalName, attributes.Input, RunHost.Identity, attributes.Header, effect.Id.ToString(),
                new() { WorkflowId = effect.FromWorkflowId, RunId = effect.From.RunId.ToString() }));
        },
        cancellationToken);

    private Task CancelAsync(CancelOther effect, CancellationToken cancellationToken) => ReachAsync(
        effect, effect.ChildWorkflowOnly,
        (change, _) => change.RequestCancel(
            effect.Reason, RunHost.Identity, effect.InitiatedId, new() { WorkflowId = effect.FromWorkflowId, RunId = effect.From.RunId.ToString() }),
        cancellationToken);

    /// <summary>Changes another run and owes the sender an answer; a run that is not there is the answer.</summary>
    private async Task ReachAsync(Effect effect, bool childOnly, Action<RunChange, HistoryEvent> reach, CancellationToken cancellationToken)
    {
        // Read first: no one holds two gates.
        var initiated = await host.ReadAsync(effect.From, async run => await run.ReadEventAsync(effect.InitiatedId, cancellationToken), cancellationToken);
        if (await FindTargetAsync(effect, cancellationToken) is { } target)
        {
            var reached = await TryAsync(target, change =>
            {
                var state = change.State;
                var isChild = state.Parent is { } parent && parent.WorkflowId == effect.FromWorkflowId && parent.RunId == effect.From.RunId;
                if (childOnly && !isChild) return ValueTask.FromResult(false);
                // To cancel what has ended is a success; a signal can't be delivered.
                if (state.IsRunning) reach(change, initiated);
                else if (effect is not CancelOther) return ValueTask.FromResult(false);
                change.Done(effect.Id);
                change.Owe(new OtherAnswered(state.Key, state.WorkflowId, effect.InitiatedId, effect.From.Namespace, effect.FromWorkflowId, effect.From.RunId, NotFound: false));
                return ValueTask.FromResult(true);
            }, cancellationToken);
            if (reached) return;
        }
        await AnswerAsync(effect.From, effect.InitiatedId, notFound: true, effect.Id, cancellationToken);
    }

    private async Task AnswerAsync(RunKey sender, long initiatedId, bool notFound, Guid effectId, CancellationToken cancellationToken)
    {
        var initiated = await host.ReadAsync(sender, async run => await run.ReadEventAsync(initiatedId, cancellationToken), cancellationToken);
        var completedId = initiated.SignalExternalWorkflowExecutionInitiatedEventAttributes?.WorkflowTaskCompletedEventId
            ?? initiated.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes.WorkflowTaskCompletedEventId;
        await host.ChangeAsync(
            sender,
            change =>
            {
                change.Done(effectId);
                if (change.State.IsRunning && change.State.ExternalRequests.TryGetValue(initiatedId, out var request)) change.AnswerRequest(request, completedId, notFound);
            },
            cancellationToken);
    }

    private async Task EndChildAsync(ParentEnded effect, CancellationToken cancellationToken)
    {
        // The child may have continued as new: its latest run is meant.
        var latest = await host.CurrentAsync(effect.TargetNamespace, effect.TargetWorkflowId, cancellationToken);
        var done = latest is { } runId && await TryAsync(new(effect.TargetNamespace, runId), change =>
        {
            var isChild = change.State.Parent is { } parent && parent.RunId == effect.From.RunId && parent.InitiatedEventId == effect.InitiatedId;
            if (!change.State.IsRunning || !isChild) return ValueTask.FromResult(false);
            change.Done(effect.Id);
            if (effect.Policy == ParentClosePolicy.Terminate) Closing.Terminate(change, "by parent close policy", null, RunHost.Identity);
            else change.RequestCancel("by parent close policy", RunHost.Identity, 0, new() { WorkflowId = effect.FromWorkflowId, RunId = effect.From.RunId.ToString() });
            return ValueTask.FromResult(true);
        }, cancellationToken);
        if (!done) await DropAsync(effect, cancellationToken);
    }

    /// <summary>The run it is for by id, for what goes to a parent.</summary>
    private async Task OnTargetAsync(Effect effect, Action<RunChange> apply, CancellationToken cancellationToken)
    {
        var done = await TryAsync(new(effect.TargetNamespace, effect.TargetRunId!.Value), change =>
        {
            change.Done(effect.Id);
            apply(change);
            return ValueTask.FromResult(true);
        }, cancellationToken);
        if (!done) await DropAsync(effect, cancellationToken);
    }

    private static void WithChild(RunChange change, Effect effect, Action<ChildState> apply)
    {
        if (change.State.IsRunning && change.State.Children.TryGetValue(effect.InitiatedId, out var child)) apply(child);
    }

    private async Task<Guid?> CurrentOf(Effect effect, CancellationToken cancellationToken) =>
        effect.TargetRunId ?? await host.CurrentAsync(effect.TargetNamespace, effect.TargetWorkflowId, cancellationToken);

    private async Task<RunKey?> FindTargetAsync(Effect effect, CancellationToken cancellationToken) =>
        await CurrentOf(effect, cancellationToken) is { } runId ? new RunKey(effect.TargetNamespace, runId) : null;

    /// <returns>False when there is no such run, or the change said no.</returns>
    private async Task<bool> TryAsync(RunKey key, Func<RunChange, ValueTask<bool>> change, CancellationToken cancellationToken)
    {
        var done = false;
        try
        {
            await host.ChangeAsync(key, async made => done = await change(made), static _ => ValueTask.FromResult(true), cancellationToken);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
        return done;
    }

    private Task DropAsync(Effect effect, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return host.Store.CommitAsync(new() { DoneEffects = [effect.Id] });
    }

    [LoggerMessage(3201, LogLevel.Warning, "{Effect} from {From} to {Target} could not be done; it is tried again.")]
    private partial void LogFault(string effect, string from, string target, Exception fault);
}
