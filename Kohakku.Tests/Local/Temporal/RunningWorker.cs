using Temporalio.Worker;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>A worker that runs until it is stopped.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private readonly TemporalWorker _worker;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private bool _stopped;

    public RunningWorker(TemporalWorker worker)
    {
        _worker = worker;
        _running = Task.Run(() => worker.ExecuteAsync(_stopping.Token));
    }

    public async Task StopAsync()
    {
        if (_stopped) return;
        _stopped = true;
        await _stopping.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // As asked for.
        }
        _worker.Dispose();
        _stopping.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
