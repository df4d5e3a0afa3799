using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>One child and how it is to be run.</summary>
public sealed record ChildCall(string Workflow, string Id, params IReadOnlyList<string> Arguments)
{
    public ParentClosePolicy ClosePolicy { get; init; } = ParentClosePolicy.Terminate;
    public ChildWorkflowCancellationType CancellationType { get; init; } = ChildWorkflowCancellationType.WaitCancellationCompleted;
    public int RunMilliseconds { get; init; }
    public int MaximumAttempts { get; init; } = 1;

    public ChildWorkflowOptions Options(CancellationToken cancellationToken) => new()
    {
        Id = Id,
        ParentClosePolicy = ClosePolicy,
        CancellationType = CancellationType,
        RunTimeout = RunMilliseconds > 0 ? TimeSpan.FromMilliseconds(RunMilliseconds) : null,
        RetryPolicy = MaximumAttempts == 1
            ? null
            : new RetryPolicy { MaximumAttempts = MaximumAttempts, InitialInterval = TimeSpan.FromMilliseconds(20), BackoffCoefficient = 1 },
        CancellationToken = cancellationToken,
    };
}

/// <summary>Waits for its child and answers what it answered.</summary>
[Workflow]
public class ParentWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync(ChildCall call) =>
        Workflow.ExecuteChildWorkflowAsync<string>(call.Workflow, [.. call.Arguments], call.Options(Workflow.CancellationToken));
}

/// <summary>Starts its child, and ends when it is told to: as if nothing were, or by failing.</summary>
[Workflow]
public class LeavingWorkflow
{
    private string? _how;

    [WorkflowRun]
    public async Task<string> RunAsync(ChildCall call)
    {
        var child = await Workflow.StartChildWorkflowAsync(call.Workflow, [.. call.Arguments], call.Options(Workflow.CancellationToken));
        await Workflow.WaitConditionAsync(() => _how is not null);
        return _how == "fail" ? throw new ApplicationFailureException("as told") : child.Id;
    }

    [WorkflowSignal]
    public Task EndAsync(string how)
    {
        _how = how;
        return Task.CompletedTask;
    }
}

/// <summary>Cancels its child when it is told to; when it is told to leave it answers how that ended.</summary>
[Workflow]
public class CancellingParentWorkflow
{
    private bool _cancel;
    private bool _leave;

    [WorkflowRun]
    public async Task<string> RunAsync(ChildCall call)
    {
        using var cancelling = new CancellationTokenSource();
        var child = await Workflow.StartChildWorkflowAsync(call.Workflow, [.. call.Arguments], call.Options(cancelling.Token));
        await Workflow.WaitConditionAsync(() => _cancel);
        cancelling.Cancel();
        try
        {
            return await child.GetResultAsync<string>();
        }
        catch (ChildWorkflowFailureException exception) when (exception.InnerException is CanceledFailureException)
        {
            // A request to cancel that is not on its way yet ends with the run that made it.
            await Workflow.WaitConditionAsync(() => _leave);
            return "cancelled";
        }
    }

    [WorkflowSignal]
    public Task CancelAsync()
    {
        _cancel = true;
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task LeaveAsync()
    {
        _leave = true;
        return Task.CompletedTask;
    }
}

/// <summary>Answers who has the id already that its child was to have.</summary>
[Workflow]
public class LateParentWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync(string id)
    {
        try
        {
            await Workflow.StartChildWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), new() { Id = id });
            return "started";
        }
        catch (WorkflowAlreadyStartedException exception)
        {
            return $"{exception.WorkflowType} {exception.WorkflowId}";
        }
    }
}

/// <summary>Signals its child, which answers what it got.</summary>
[Workflow]
public class TalkingParentWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        var child = await Workflow.StartChildWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync());
        await child.SignalAsync(workflow => workflow.PushAsync("from the parent"));
        await child.SignalAsync(workflow => workflow.FinishAsync());
        return string.Join(",", await child.GetResultAsync());
    }
}

public sealed record Countdown(int Left, string Kept);

public sealed record CountdownResult(string Kept, string? Memo, string FirstRunId, string? ContinuedRunId);

[Workflow]
public class CountdownWorkflow
{
    [WorkflowRun]
    public Task<CountdownResult> RunAsync(Countdown countdown) => countdown.Left > 0
        ? throw Workflow.CreateContinueAsNewException((CountdownWorkflow workflow) => workflow.RunAsync(new Countdown(countdown.Left - 1, countdown.Kept)))
        : Task.FromResult(new CountdownResult(
            countdown.Kept,
            Workflow.Memo.TryGetValue("memo", out var memo) ? Workflow.PayloadConverter.ToValue<string>(memo) : null,
            Workflow.Info.FirstExecutionRunId,
            Workflow.Info.ContinuedRunId));
}

/// <summary>Continues as new when it has got as many signals as given, and ends when a run got none.</summary>
[Workflow]
public class RelayWorkflow
{
    private readonly List<string> _items = [];

    [WorkflowRun]
    public async Task<List<string>> RunAsync(List<string> before, int perRun)
    {
        _items.InsertRange(0, before);
        await Workflow.WaitConditionAsync(() => _items.Count >= before.Count + perRun || _items.Contains("end"));
        return _items.Contains("end")
            ? _items
            : throw Workflow.CreateContinueAsNewException((RelayWorkflow workflow) => workflow.RunAsync(_items, perRun));
    }

    [WorkflowSignal]
    public Task PushAsync(string item)
    {
        _items.Add(item);
        return Task.CompletedTask;
    }
}

/// <summary>Continues as new as many times as given.</summary>
[Workflow]
public class RelayingChildWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync(string times, int done = 0) => done == int.Parse(times, System.Globalization.CultureInfo.InvariantCulture)
        ? Task.FromResult($"after {done}")
        : throw Workflow.CreateContinueAsNewException((RelayingChildWorkflow workflow) => workflow.RunAsync(times, done + 1));
}
