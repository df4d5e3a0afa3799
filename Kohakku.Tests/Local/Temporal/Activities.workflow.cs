using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>One activity and how it is to be run.</summary>
public sealed record ActivityCall(string Activity, string Argument)
{
    public string? TaskQueue { get; init; }
    public int ScheduleToStartMilliseconds { get; init; }
    public int ScheduleToCloseMilliseconds { get; init; }
    public int StartToCloseMilliseconds { get; init; }
    public int HeartbeatMilliseconds { get; init; }
    public int MaximumAttempts { get; init; }
    public int RetryMilliseconds { get; init; } = 20;
    public IReadOnlyCollection<string>? NonRetryable { get; init; }
    public ActivityCancellationType CancellationType { get; init; }

    public ActivityOptions Options(CancellationToken cancellationToken) => new()
    {
        TaskQueue = TaskQueue,
        ScheduleToStartTimeout = Time(ScheduleToStartMilliseconds),
        ScheduleToCloseTimeout = Time(ScheduleToCloseMilliseconds),
        StartToCloseTimeout = Time(StartToCloseMilliseconds) ?? (ScheduleToCloseMilliseconds > 0 ? null : TimeSpan.FromMinutes(1)),
        HeartbeatTimeout = Time(HeartbeatMilliseconds),
        RetryPolicy = new RetryPolicy
        {
            InitialInterval = TimeSpan.FromMilliseconds(RetryMilliseconds),
            BackoffCoefficient = 1,
            MaximumAttempts = MaximumAttempts,
            NonRetryableErrorTypes = NonRetryable,
        },
        CancellationType = CancellationType,
        CancellationToken = cancellationToken,
    };

    private static TimeSpan? Time(int milliseconds) => milliseconds > 0 ? TimeSpan.FromMilliseconds(milliseconds) : null;
}

[Workflow]
public class ActivityWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync(ActivityCall call) =>
        Workflow.ExecuteActivityAsync<string>(call.Activity, [call.Argument], call.Options(Workflow.CancellationToken));
}

/// <summary>Runs an activity and cancels it when it is told to; answers how that ended.</summary>
[Workflow]
public class CancellingWorkflow
{
    private bool _cancel;

    [WorkflowRun]
    public async Task<string> RunAsync(ActivityCall call)
    {
        using var cancelling = new CancellationTokenSource();
        var activity = Workflow.ExecuteActivityAsync<string>(call.Activity, [call.Argument], call.Options(cancelling.Token));
        await Workflow.WaitConditionAsync(() => _cancel);
        cancelling.Cancel();
        try
        {
            return await activity;
        }
        catch (ActivityFailureException exception) when (exception.InnerException is CanceledFailureException)
        {
            return "cancelled";
        }
    }

    [WorkflowSignal]
    public Task CancelAsync()
    {
        _cancel = true;
        return Task.CompletedTask;
    }
}

[Workflow]
public class LocalActivityWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        var options = new LocalActivityOptions
        {
            StartToCloseTimeout = TimeSpan.FromSeconds(20),
            RetryPolicy = new RetryPolicy { InitialInterval = TimeSpan.FromMilliseconds(10), BackoffCoefficient = 1 },
        };
        var echoed = await Workflow.ExecuteLocalActivityAsync((TestActivities activities) => activities.Echo("local"), options);
        return $"{echoed} {await Workflow.ExecuteLocalActivityAsync((TestActivities activities) => activities.Flaky("2"), options)}";
    }
}

[Workflow]
public class ParallelWorkflow
{
    [WorkflowRun]
    public async Task<int> RunAsync(string activity, int count)
    {
        var results = await Task.WhenAll(Enumerable.Range(0, count).Select(index => Workflow.ExecuteActivityAsync<string>(
            activity, [$"{index}"], new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) })));
        return results.Distinct().Count();
    }
}

/// <summary>A timer, an activity and a child, each of which has to come through.</summary>
[Workflow]
public class JourneyWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync(string name, int milliseconds)
    {
        var options = new ActivityOptions
        {
            StartToCloseTimeout = TimeSpan.FromSeconds(5),
            RetryPolicy = new RetryPolicy { InitialInterval = TimeSpan.FromMilliseconds(100), BackoffCoefficient = 1 },
        };
        var first = await Workflow.ExecuteActivityAsync((TestActivities activities) => activities.Echo($"{name}-first"), options);
        await Workflow.DelayAsync(milliseconds);
        var child = await Workflow.ExecuteChildWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync($"{name}-child"));
        var last = await Workflow.ExecuteActivityAsync((TestActivities activities) => activities.Echo($"{name}-last"), options);
        return $"{first} {child} {last}";
    }
}

[Workflow]
public class LongLocalActivityWorkflow
{
    [WorkflowRun]
    public Task<string> RunAsync() => Workflow.ExecuteLocalActivityAsync(
        (TestActivities activities) => activities.Hold("held"), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
}
