using System.Diagnostics;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Benchmarks;

/// <summary>Whole lifecycles per second: submit in batches, claim, start, run, end, all durable; each task exactly once.</summary>
internal static class ThroughputBenchmark
{
    private const int BatchSize = 1_000;
    private static readonly TaskState[] Unfinished = [TaskState.Queued, TaskState.Running, TaskState.Scheduled, TaskState.Waiting];

    public static async Task RunAsync(Installation installation, string agent, int tasks, CancellationToken cancellationToken)
    {
        var tag = $"bench-{Guid.NewGuid():N}";
        var started = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < tasks; sent += BatchSize)
        {
            var batch = Enumerable.Range(sent, Math.Min(BatchSize, tasks - sent))
                .Select(number => new SubmitTask { Agent = agent, Brief = $"Task {number}", Tags = [tag] });
            await installation.SubmitAsync(new SubmitTaskBatch { Tasks = [.. batch] }, cancellationToken);
        }

        var submitted = Stopwatch.GetElapsedTime(started);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        foreach (var state in Unfinished.Concat(Unfinished))
        {
            while ((await installation.TasksAsync($"tag={tag}&status={Wire(state)}&limit=1", cancellationToken)).Items.Count > 0)
                await ticks.WaitForNextTickAsync(cancellationToken);
        }

        var watched = Stopwatch.GetElapsedTime(started);
        var (first, last) = await CheckAsync(installation, tag, tasks, cancellationToken);
        Report.Throughput(
            $"{tasks:N0} tasks of '{agent}' in batches of {BatchSize:N0}", tasks, submitted, last - first, watched,
            await installation.MemoryAsync("controller", cancellationToken), await installation.MemoryAsync("dispatcher", cancellationToken));
    }

    /// <summary>Every task succeeded in its first attempt. Answers when the first was submitted and when the last ended.</summary>
    private static async Task<(DateTimeOffset First, DateTimeOffset Last)> CheckAsync(
        Installation installation, string tag, int tasks, CancellationToken cancellationToken)
    {
        var (count, first, last, cursor) = (0, DateTimeOffset.MaxValue, DateTimeOffset.MinValue, "");
        do
        {
            var page = await installation.TasksAsync($"tag={tag}&limit=200{cursor}", cancellationToken);
            foreach (var task in page.Items)
            {
                if (task is not { Status: TaskState.Succeeded, Attempts: [{ Number: 1 }], EndedAt: { } endedAt })
                    throw new InvalidOperationException($"Task {task.Id} ended {task.Status} after {task.Attempts.Count} attempts.");
                count++;
                if (task.CreatedAt < first) first = task.CreatedAt;
                if (endedAt > last) last = endedAt;
            }

            cursor = page.NextCursor is { } next ? $"&cursor={Uri.EscapeDataString(next)}" : "";
        }
        while (cursor.Length > 0);

        return count == tasks ? (first, last) : throw new InvalidOperationException($"{tasks} tasks were submitted, {count} are there.");
    }

    private static string Wire(TaskState state) => WireEnum<TaskState>.NameOf(state);
}
