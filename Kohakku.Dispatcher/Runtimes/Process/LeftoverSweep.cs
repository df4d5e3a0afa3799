using System.Threading.Channels;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// Kills, within two seconds, what agents that ended in good order left running in spite of the runner. A look over all
/// processes costs about as much as starting one, so that one look serves all attempts that ended in the meantime.
/// </summary>
internal sealed partial class LeftoverSweep : IAsyncDisposable
{
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    private readonly Channel<Guid> ended = Channel.CreateBounded<Guid>(
        new BoundedChannelOptions(10_000) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly ProcessExits exits;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task loop;

    public LeftoverSweep(ProcessExits exits, TimeProvider time, ILogger logger)
    {
        (this.exits, this.time, this.logger) = (exits, time, logger);
        loop = Task.Run(RunAsync);
    }

    public void Add(Guid attemptId) => ended.Writer.TryWrite(attemptId);

    public async ValueTask DisposeAsync()
    {
        ended.Writer.TryComplete();
        await stopping.CancelAsync();
        await loop;
        stopping.Dispose();
        await RunOnceAsync();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await ended.Reader.WaitToReadAsync(stopping.Token))
            {
                await Task.Delay(Gather, time, stopping.Token);
                await RunOnceAsync();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Disposal looks once more; after a crash, ListAsync finds what it would have found.
        }
    }

    /// <returns>How many processes were killed.</returns>
    private async Task<int> RunOnceAsync()
    {
        var attempts = new HashSet<Guid>();
        while (ended.Reader.TryRead(out var attemptId)) attempts.Add(attemptId);
        if (attempts.Count == 0) return 0;
        using var limit = new CancellationTokenSource(KillTimeout, time);
        try
        {
            var killed = await AttemptProcesses.KillAsync(attempts, runner: null, exits, limit.Token);
            if (killed > 0) LogKilled(killed);
            return killed;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            LogFailed(fault);
            return 0;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Killed {Count} processes that agents had left running")]
    private partial void LogKilled(int count);

    [LoggerMessage(2, LogLevel.Warning, "Could not look for processes that agents left running")]
    private partial void LogFailed(Exception fault);
}
