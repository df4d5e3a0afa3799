using System.Globalization;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Benchmarks;

/// <summary>Many schedules that are due in the same second: how late the last of them makes its task.</summary>
internal static class ScheduleBenchmark
{
    private const int Callers = 16;

    public static async Task RunAsync(Installation installation, int count, CancellationToken cancellationToken)
    {
        var tag = $"bench-{Guid.NewGuid():N}";
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken };
        // Time enough to put them all, at a hundred a second.
        var due = TimeProvider.System.GetUtcNow().AddSeconds(10 + count / 100);
        due = due.AddTicks(-(due.Ticks % TimeSpan.TicksPerSecond));
        var schedule = new PutSchedule
        {
            Every = "1h", StartAt = due, EndAt = due.AddMinutes(1), Target = new WorkTarget { Task = new SubmitTask { Agent = "noop", Brief = "{{ schedule.time }}", Tags = [tag] } },
        };
        await Parallel.ForAsync(0, count, parallel, async (i, stopping) => await installation.PutScheduleAsync(Name(tag, i), schedule, stopping));
        List<TaskView> made = [];
        while (made.Count < count && TimeProvider.System.GetUtcNow() < due.AddMinutes(5))
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            if (TimeProvider.System.GetUtcNow() > due.AddSeconds(5)) made = await AllAsync(installation, tag, cancellationToken);
        }

        Report.Latencies($"{count.ToString("N0", CultureInfo.InvariantCulture)} schedules due in the same second", ("due → its task is made", [.. made.Select(task => (task.CreatedAt - due).TotalMilliseconds)]));
        if (made.Count != count) throw new InvalidOperationException($"{count} schedules made {made.Count} tasks.");
        await Parallel.ForAsync(0, count, parallel, async (i, stopping) => await installation.DeleteScheduleAsync(Name(tag, i), stopping));
    }

    private static string Name(string tag, int index) => $"{tag}-{index.ToString(CultureInfo.InvariantCulture)}";

    private static async Task<List<TaskView>> AllAsync(Installation installation, string tag, CancellationToken cancellationToken)
    {
        List<TaskView> tasks = [];
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await installation.TasksAsync($"tag={tag}&limit=200&cursor={cursor}", cancellationToken);
            tasks.AddRange(page.Items);
            cursor = page.NextCursor;
        }

        return tasks;
    }
}
