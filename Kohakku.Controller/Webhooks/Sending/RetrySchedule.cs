namespace Kohakku.Controller.Webhooks.Sending;

/// <summary>When a delivery that did not go well is tried again: 11 attempts over a day, ever further apart.</summary>
internal static class RetrySchedule
{
    private static readonly TimeSpan LongestAskedFor = TimeSpan.FromHours(1);

    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1),
        TimeSpan.FromHours(2), TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(8),
    ];

    /// <summary>Null when it was tried often enough.</summary>
    /// <param name="tries">How often it was tried, this time included: from 1.</param>
    /// <param name="asked">What the receiver asked for, by <c>Retry-After</c>; heeded up to an hour.</param>
    /// <param name="dice">From 0 to below 1: puts it off or forward by up to a tenth, so that what failed together does not come back together.</param>
    public static TimeSpan? After(int tries, TimeSpan? asked, double dice)
    {
        if (tries > Pauses.Length) return null;
        var pause = Pauses[tries - 1] * (0.9 + 0.2 * dice);
        return asked is not { } wish || wish <= pause ? pause : wish < LongestAskedFor ? wish : LongestAskedFor > pause ? LongestAskedFor : pause;
    }
}
