using System.Collections.Concurrent;
using System.Diagnostics;
using Temporalio.Workflows;

namespace Kohakku.Benchmarks;

/// <summary>When the code of runs first ran, as this process's clock says: the worker is in the process that starts them.</summary>
internal static class FirstTasks
{
    private static readonly ConcurrentDictionary<string, long> Seen = [];

    public static void Now() => Seen.TryAdd(Workflow.Info.WorkflowId, Stopwatch.GetTimestamp());

    public static long Take(string workflowId) => Seen.TryRemove(workflowId, out var timestamp)
        ? timestamp
        : throw new InvalidOperationException($"The code of {workflowId} did not run in this process.");
}

[Workflow]
public class NoopWorkflow
{
    [WorkflowRun]
    public Task RunAsync()
    {
        FirstTasks.Now();
        return Task.CompletedTask;
    }
}

/// <summary>Runs so many activities at once.</summary>
[Workflow]
public class ActivitiesWorkflow
{
    private static readonly ActivityOptions Options = new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) };

    [WorkflowRun]
    public async Task<int> RunAsync(int count)
    {
        var numbers = await Workflow.WhenAllAsync(Enumerable.Range(0, count).Select(number => Workflow.ExecuteActivityAsync(() => BenchmarkActivities.Echo(number), Options)));
        return numbers.Length;
    }
}

/// <summary>Ends when it has had so many signals.</summary>
[Workflow]
public class SignalsWorkflow
{
    private int _received;

    [WorkflowRun]
    public async Task<int> RunAsync(int count)
    {
        await Workflow.WaitConditionAsync(() => _received >= count);
        return _received;
    }

    [WorkflowSignal]
    public Task AddAsync(int number)
    {
        _received++;
        return Task.CompletedTask;
    }
}
