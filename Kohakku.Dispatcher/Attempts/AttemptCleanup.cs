using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Logs;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Sockets;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>Removes all traces of an attempt once the controller has its end: container, workspace, socket, log, rows.</summary>
internal sealed partial class AttemptCleanup(
    IAgentRuntime runtime, AttemptSockets sockets, AttemptLogs logs, AttemptTable attempts, Journal journal, TimeProvider time,
    ILogger<AttemptCleanup> logger)
{
    public async Task WhenAcknowledgedAsync(Attempt attempt)
    {
        await attempt.Acknowledged;
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));
        while (!await TryRemoveAsync(attempt)) await Task.Delay(backoff.Next(), time, CancellationToken.None);
        await journal.Write(new JournalEntry { Forgotten = [attempt.Id] });
        attempts.Remove(attempt);
    }

    private async Task<bool> TryRemoveAsync(Attempt attempt)
    {
        try
        {
            await runtime.RemoveAsync(attempt.Id, CancellationToken.None);
            sockets.Remove(attempt.Id);
            return await logs.RemoveAsync(attempt.Id);
        }
#pragma warning disable CA1031 // An engine that is away, a folder in use: tried again until it works.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogNotRemoved(attempt.Id, fault);
            return false;
        }
    }

    [LoggerMessage(360, LogLevel.Warning, "Attempt {AttemptId} could not be removed yet")]
    private partial void LogNotRemoved(Guid attemptId, Exception fault);
}
