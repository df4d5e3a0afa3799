using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Reporting;

namespace Kohakku.Dispatcher;

/// <summary>
/// An orderly stop leaves nothing running: agents are stopped and their tasks go back to the queue, without an attempt burned, before the
/// server and the loops end. (After a crash agents run on, and the next process adopts them.)
/// </summary>
internal sealed partial class Shutdown(
    AttemptTable attempts, AttemptSupervisor supervisor, Outbox outbox, TimeProvider time, ILogger<Shutdown> logger) : IHostedLifecycleService
{
    // Together below the host's limit: agents have their grace period, then the reports go out.
    private static readonly TimeSpan AgentsLimit = TimeSpan.FromSeconds(18);
    private static readonly TimeSpan ReportsLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await DrainAsync(StopAgents, AgentsLimit, cancellationToken);
        // Ends when the controller has the ends and all traces are removed; what it does not get now is sent by the next process.
        await DrainAsync(() => outbox.Depth > 0 || supervisor.Running.Count > 0, ReportsLimit, cancellationToken);
        if (attempts.Count > 0) LogLeft(attempts.Count);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Looked at again and again: a claim that was answered in the last moment may still bring one.</summary>
    private bool StopAgents()
    {
        var left = attempts.All.Where(attempt => !attempt.Status.IsOver).ToList();
        foreach (var attempt in left.Where(attempt => attempt.Status.Stop is null)) attempt.Apply(new AttemptInput.StopOrdered(StopCause.Shutdown));
        return left.Count > 0;
    }

    private async Task DrainAsync(Func<bool> isBusy, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (isBusy() && time.GetElapsedTime(started) < limit && !cancellationToken.IsCancellationRequested)
            await Task.Delay(Look, time, CancellationToken.None);
    }

    [LoggerMessage(420, LogLevel.Warning, "Stopping with {Count} attempts not yet reported or cleaned up: the next start goes on with them")]
    private partial void LogLeft(int count);
}
