namespace Kohakku.Local.Hosting.Engine;

/// <summary>How long to wait before a crashed service is started again: at once at first, longer each time, and from the beginning after it ran well for a while.</summary>
internal sealed class Backoff
{
    private const int LongestExponent = 8;
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RanWell = TimeSpan.FromSeconds(30);
    private int crashes;

    /// <param name="ran">How long the service ran until now.</param>
    public TimeSpan Next(TimeSpan ran)
    {
        if (ran >= RanWell) crashes = 0;
        var delay = First * (1 << Math.Min(crashes++, LongestExponent));
        return delay < Longest ? delay : Longest;
    }
}
