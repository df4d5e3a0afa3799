using System.Diagnostics;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Benchmarks;

/// <summary>
/// The latency an operator feels on an idle system. Times between states are the controller's own (one database clock); the
/// whole is this client's, from before the POST to the end of the timeline.
/// </summary>
internal static class PickupBenchmark
{
    private const int WarmUp = 20;

    public static async Task RunAsync(Installation installation, string agent, int tasks, CancellationToken cancellationToken)
    {
        var (submit, claimed, running, whole) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var i = -WarmUp; i < tasks; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var submitted = await installation.SubmitAsync(new SubmitTask { Agent = agent, Brief = "Measure.", Tags = ["bench"] }, cancellationToken);
            var answered = Stopwatch.GetElapsedTime(started);
            await installation.FollowToEndAsync(submitted.Id, cancellationToken);
            var ended = Stopwatch.GetElapsedTime(started);
            if (i < 0) continue;

            var task = await installation.TaskAsync(submitted.Id, cancellationToken);
            if (task is not { Status: TaskState.Succeeded, Attempts: [var attempt], StartedAt: { } runningAt })
                throw new InvalidOperationException($"Task {task.Id} ended {task.Status} after {task.Attempts.Count} attempts: {task.Failure?.Message}");
            submit.Add(answered.TotalMilliseconds);
            claimed.Add((attempt.ClaimedAt - task.CreatedAt).TotalMilliseconds);
            running.Add((runningAt - task.CreatedAt).TotalMilliseconds);
            whole.Add(ended.TotalMilliseconds);
        }

        Report.Latencies(
            $"{tasks} tasks of '{agent}', one at a time, idle system",
            ("POST answered", submit), ("submit → claimed", claimed), ("submit → running", running), ("POST → end seen", whole));
    }
}
