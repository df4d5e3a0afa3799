using Grpc.Core;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>What is done with a workflow id that has a run.</summary>
internal sealed record IdPolicies(WorkflowIdReusePolicy Reuse, WorkflowIdConflictPolicy Conflict);

/// <param name="Started">A new run began; else it is the one that was there.</param>
internal sealed record StartResult(Guid RunId, bool Started, WorkflowExecutionStatus Status);

/// <summary>
/// Starts runs. There is one open run for a workflow id at most: starts of the same id go one after the other. Most ids are new, and an id that is not in
/// memory is taken for new without being looked up: where the database knows it after all, it refuses the write, and the id is looked up then.
/// </summary>
internal sealed class Starter(RunHost host)
{
    private const int Stripes = 256;

    /// <summary>A refused write has those that are written with it written again, so after one so many starts look their ids up first.</summary>
    private const int CarefulStarts = 1_000;
    private int careful;
    private readonly SemaphoreSlim[] stripes = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <param name="begin">Makes the first change of the new run.</param>
    /// <param name="existing">What is done with an open run that is used instead, as with signal-with-start; under its gate.</param>
    /// <exception cref="AlreadyStartedException">The policies forbid it.</exception>
    public async Task<StartResult> StartAsync(
        string @namespace, string workflowId, string requestId, IdPolicies policies, Func<DateTimeOffset, RunChange> begin,
        Action<RunChange>? existing, CancellationToken cancellationToken)
    {
        var stripe = stripes[(uint)HashCode.Combine(@namespace, workflowId) % Stripes];
        await stripe.WaitAsync(cancellationToken);
        try
        {
            while (true)
            {
                var known = Volatile.Read(ref careful) > 0 && Interlocked.Decrement(ref careful) >= 0
                    ? await host.CurrentAsync(@namespace, workflowId, cancellationToken)
                    : host.KnownCurrent(@namespace, workflowId);
                if (known is not { } currentId)
                {
                    var first = begin(host.Time.GetUtcNow());
                    try
                    {
                        await host.BeginAsync(first);
                    }
                    catch (WorkflowIdInUseException)
                    {
                        Volatile.Write(ref careful, CarefulStarts);
                        continue;
                    }
                    return new StartResult(first.State.RunId, true, first.State.Status);
                }
                if (await TryWithCurrentAsync(new RunKey(@namespace, currentId), workflowId, requestId, policies, begin, existing, cancellationToken) is { } result) return result;
            }
        }
        finally
        {
            stripe.Release();
        }
    }

    /// <returns>Null when the current run was followed by another meanwhile.</returns>
    private async Task<StartResult?> TryWithCurrentAsync(
        RunKey key, string workflowId, string requestId, IdPolicies policies, Func<DateTimeOffset, RunChange> begin,
        Action<RunChange>? existing, CancellationToken cancellationToken)
    {
        StartResult? result = null;
        try
        {
            await host.ChangeAsync(
                key,
                async change =>
                {
                    if (await host.CurrentAsync(key.Namespace, workflowId, cancellationToken) != key.RunId) return;
                    var state = change.State;
                    if (requestId.Length > 0 && state.StartRequestId == requestId)
                    {
                        result = new StartResult(state.RunId, existing is null, state.Status);
                        return;
                    }
                    if (state.IsRunning) result = WithOpen(change, policies, begin, existing);
                    else
                    {
                        Check(state, policies.Reuse);
                        change.Successor = begin(change.Now);
                        result = new StartResult(change.Successor.State.RunId, true, WorkflowExecutionStatus.Running);
                    }
                },
                static _ => ValueTask.FromResult(true),
                cancellationToken);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            // It was deleted meanwhile.
            host.Forget(key, workflowId);
        }
        return result;
    }

    private static StartResult WithOpen(RunChange change, IdPolicies policies, Func<DateTimeOffset, RunChange> begin, Action<RunChange>? existing)
    {
        var state = change.State;
        switch (policies.Conflict)
        {
            case WorkflowIdConflictPolicy.UseExisting:
                existing?.Invoke(change);
                return new StartResult(state.RunId, false, state.Status);
            case WorkflowIdConflictPolicy.TerminateExisting:
                var successor = begin(change.Now);
                Closing.Terminate(
                    change, "TerminateIfRunning WorkflowIdReusePolicy", JsonPayload.Text($"terminated by new runID: {successor.State.RunId}"), RunHost.Identity);
                change.Successor = successor;
                return new StartResult(successor.State.RunId, true, WorkflowExecutionStatus.Running);
            default:
                throw new AlreadyStartedException(
                    $"Workflow execution is already running. WorkflowId: {state.WorkflowId}, RunId: {state.RunId}.", state.StartRequestId, state.RunId);
        }
    }

    private static void Check(RunState state, WorkflowIdReusePolicy policy)
    {
        switch (policy)
        {
            case WorkflowIdReusePolicy.RejectDuplicate:
                throw new AlreadyStartedException(
                    $"Workflow execution already finished. WorkflowId: {state.WorkflowId}, RunId: {state.RunId}. Workflow Id reuse policy: reject duplicate workflow Id.",
                    state.StartRequestId, state.RunId);
            case WorkflowIdReusePolicy.AllowDuplicateFailedOnly when state.Status is not
                (WorkflowExecutionStatus.Failed or WorkflowExecutionStatus.Canceled or WorkflowExecutionStatus.Terminated or WorkflowExecutionStatus.TimedOut):
                throw new AlreadyStartedException(
                    $"Workflow execution already finished successfully. WorkflowId: {state.WorkflowId}, RunId: {state.RunId}. Workflow Id reuse policy: allow duplicate workflow Id if last run failed.",
                    state.StartRequestId, state.RunId);
        }
    }
}
