namespace Kohakku.Dispatcher.Attempts;

/// <summary>
/// Wakes everybody who waits, each time something changed. Take <see cref="Next"/> before looking at the state, await it after:
/// then no change is missed. Safe for any thread.
/// </summary>
internal sealed class Signal
{
    private TaskCompletionSource next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Next => Volatile.Read(ref next).Task;

    public void Raise() => Interlocked.Exchange(ref next, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}

internal static class Waiting
{
    /// <summary>Waits for the task, the time or the cancellation, whichever is first, and answers whether it was the task; never throws.</summary>
    public static async Task<bool> WithinAsync(this Task task, TimeSpan limit, TimeProvider time, CancellationToken cancellationToken = default)
    {
        if (task.IsCompleted) return true;
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var delay = Task.Delay(limit < TimeSpan.Zero ? TimeSpan.Zero : limit, time, timer.Token);
        await Task.WhenAny(task, delay);
        await timer.CancelAsync();
        return task.IsCompleted;
    }
}
