using Google.Protobuf.WellKnownTypes;

namespace Kohakku.Local.Temporal;

/// <summary>Between the times of the protocol and those of .NET.</summary>
internal static class ProtoTime
{
    private const long LongestSeconds = 100L * 365 * 24 * 60 * 60;

    public static Timestamp ToTimestamp(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    public static Duration ToDuration(this TimeSpan span) => Duration.FromTimeSpan(span);

    /// <summary>Zero when it is not set. What is beyond all use, such as the longest that a client can name, counts as a hundred years: times can be reckoned with it.</summary>
    public static TimeSpan ToSpan(this Duration? duration) => duration switch
    {
        null => TimeSpan.Zero,
        { Seconds: >= LongestSeconds } => TimeSpan.FromSeconds(LongestSeconds),
        { Seconds: <= -LongestSeconds } => TimeSpan.FromSeconds(-LongestSeconds),
        _ => TimeSpan.FromTicks((duration.Seconds * TimeSpan.TicksPerSecond) + (duration.Nanos / TimeSpan.NanosecondsPerTick)),
    };
}
