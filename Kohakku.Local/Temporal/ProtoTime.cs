using Google.Protobuf.WellKnownTypes;

namespace Kohakku.Local.Temporal;

/// <summary>Between the times of the protocol and those of .NET.</summary>
internal static class ProtoTime
{
    public static Timestamp ToTimestamp(this DateTimeOffset time) => Timestamp.FromDateTimeOffset(time);

    public static Duration ToDuration(this TimeSpan span) => Duration.FromTimeSpan(span);

    /// <summary>Zero when it is not set.</summary>
    public static TimeSpan ToSpan(this Duration? duration) => duration?.ToTimeSpan() ?? TimeSpan.Zero;
}
