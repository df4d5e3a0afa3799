namespace Kohakku.Dispatcher;

/// <summary>Exponential delays with jitter, so that many dispatchers don't come back at once. Not thread-safe: one per loop.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private int failures;

    public TimeSpan Next()
    {
        var ceiling = Math.Min(longest.TotalMilliseconds, first.TotalMilliseconds * Math.Pow(2, Math.Min(failures++, 20)));
#pragma warning disable CA5394 // Jitter is no secret.
        return TimeSpan.FromMilliseconds(ceiling * (0.5 + (Random.Shared.NextDouble() / 2)));
#pragma warning restore CA5394
    }

    public void Reset() => failures = 0;
}
