using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

[Workflow]
public class EchoWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync(string text) => Task.FromResult(text);
}

[Workflow]
public class FailingWorkflow
{
    [WorkflowRun]
    public Task RunAsync(string message) => throw new ApplicationFailureException(message, errorType: "Asked", details: [message.Length]);
}

/// <summary>Runs until it is cancelled or terminated.</summary>
[Workflow]
public class WaitingWorkflow
{
    [WorkflowRun]
    public Task RunAsync() => Workflow.WaitConditionAsync(() => false);
}

/// <summary>Does something yet when it is cancelled.</summary>
[Workflow]
public class CleaningWorkflow
{
    [WorkflowRun]
    public async Task RunAsync()
    {
        try
        {
            await Workflow.WaitConditionAsync(() => false);
        }
        finally
        {
            await Workflow.ExecuteActivityAsync(
                (TestActivities activities) => activities.Echo("cleaned"),
                new() { StartToCloseTimeout = TimeSpan.FromSeconds(20), CancellationToken = CancellationToken.None });
        }
    }
}

/// <summary>Takes its cancellation for an answer.</summary>
[Workflow]
public class CompletingOnCancelWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        try
        {
            await Workflow.WaitConditionAsync(() => false);
        }
        catch (OperationCanceledException)
        {
            // It completes all the same.
        }
        return "completed";
    }
}

[Workflow]
public class TimersWorkflow
{
    [WorkflowRun]
    public async Task<int> RunAsync(int timers, int milliseconds)
    {
        await Task.WhenAll(Enumerable.Range(0, timers).Select(_ => Workflow.DelayAsync(milliseconds)));
        return timers;
    }
}

[Workflow]
public class CancelledTimerWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Workflow.CancellationToken);
        var timer = Workflow.DelayAsync(TimeSpan.FromDays(1), cancelling.Token);
        await Workflow.DelayAsync(1);
        cancelling.Cancel();
        try
        {
            await timer;
            return "fired";
        }
        catch (OperationCanceledException)
        {
            return "cancelled";
        }
    }
}

/// <summary>Succeeds at the attempt given.</summary>
[Workflow]
public class AttemptsWorkflow
{
    [WorkflowRun]
    public Task<int> RunAsync(int succeedsAt, string errorType) => Workflow.Info.Attempt >= succeedsAt
        ? Task.FromResult(Workflow.Info.Attempt)
        : throw new ApplicationFailureException($"attempt {Workflow.Info.Attempt}", errorType: errorType);
}

/// <summary>Counts on from the result of the run before.</summary>
[Workflow]
public class CountingWorkflow
{
    [WorkflowRun]
    public Task<int> RunAsync() => Task.FromResult(
        Workflow.Info.LastResult is { Count: > 0 } last ? Workflow.PayloadConverter.ToValue<int>(last.First()) + 1 : 1);
}

[Workflow]
public class PatchedWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        Workflow.DeprecatePatch("long ago");
        var how = Workflow.Patched("better") ? "new" : "old";
        var random = Workflow.NewGuid();
        await Workflow.DelayAsync(1);
        return random == Guid.Empty ? "no randomness" : how;
    }
}

[Workflow]
public class UpsertingWorkflow
{
    [WorkflowRun]
    public async Task RunAsync(string keyword, int number, string memo)
    {
        Workflow.UpsertTypedSearchAttributes(ListTests.Keyword.ValueSet(keyword), ListTests.Number.ValueSet(number));
        Workflow.UpsertMemo(MemoUpdate.ValueSet("added", memo), MemoUpdate.ValueUnset("removed"));
        await Workflow.WaitConditionAsync(() => false);
    }
}
