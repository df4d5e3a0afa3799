namespace Kohakku.Controller.Dispatching;

/// <summary>The times that controllers and dispatchers agree on. Not configurable: they are part of the promises.</summary>
internal static class DispatchingTimes
{
    /// <summary>How long an attempt lives without a heartbeat that names it; by the database's clock.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(LeaseSeconds);

    public const int LeaseSeconds = 15;
    public const int HeartbeatSeconds = 5;

    /// <summary>A dispatcher that was silent for this long is not coming back by itself.</summary>
    public static readonly TimeSpan Offline = TimeSpan.FromMinutes(5);
}
