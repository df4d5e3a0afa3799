namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>How a change tells the loops of this process that there is something for them before their next tick. Any thread may call.</summary>
internal sealed class LoopSignals : IDisposable
{
    public WakeUp Outbox { get; } = new();

    public WakeUp RunOutbox { get; } = new();

    public WakeUp Promotion { get; } = new();

    public void WakeOutbox()
    {
        Outbox.Set();
        RunOutbox.Set();
    }

    /// <summary>A task was scheduled; the promotion looks for itself when it is due.</summary>
    public void WakePromotion() => Promotion.Set();

    public void Dispose()
    {
        Outbox.Dispose();
        RunOutbox.Dispose();
        Promotion.Dispose();
    }
}

/// <summary>A signal that is kept until it is waited for; several are one.</summary>
internal sealed class WakeUp : IDisposable
{
    private readonly SemaphoreSlim signal = new(0, 1);

    public void Set()
    {
        try
        {
            if (signal.CurrentCount == 0) signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another thread set it in between.
        }
    }

    /// <summary>Waits for the signal, but not for longer than <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var waiting = signal.WaitAsync(ended.Token);
        await Task.WhenAny(waiting, Task.Delay(atMost, time, ended.Token));
        await ended.CancelAsync();
        await waiting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    public void Dispose() => signal.Dispose();
}
