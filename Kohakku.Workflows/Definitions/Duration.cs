using System.Globalization;

namespace Kohakku.Workflows.Definitions;

/// <summary>Durations as documents write them: <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>1d</c>, <c>1w</c>, largest first where combined: <c>1h30m</c>.</summary>
public static class Duration
{
    public const string Rule = "must be a duration from 1s to 365d, like 30s, 5m, 2h, 1d, 1w or 1h30m";
    private const string Units = "wdhms";
    private static readonly long[] Seconds = [7 * 86_400, 86_400, 3_600, 60, 1];
    private const long MaxSeconds = 365L * 86_400;

    /// <summary>False also of what is out of range.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        if (string.IsNullOrEmpty(text)) return false;
        var rest = text.AsSpan();
        var total = 0L;
        var last = -1;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9) return false;
            var unit = Units.IndexOf(rest[digits], StringComparison.Ordinal);
            if (unit <= last) return false;
            last = unit;
            total += long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture) * Seconds[unit];
            rest = rest[(digits + 1)..];
        }

        if (total is < 1 or > MaxSeconds) return false;
        duration = TimeSpan.FromSeconds(total);
        return true;
    }
}
