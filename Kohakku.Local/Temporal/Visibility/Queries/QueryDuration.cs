using System.Globalization;
using System.Text.RegularExpressions;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>Durations as Go writes them (<c>1d2h45m</c>, <c>-1.5h</c>, <c>300ms</c>), as <c>hh:mm:ss</c>, or as a number of nanoseconds.</summary>
internal static partial class QueryDuration
{
    public static bool TryParse(string text, out long nanoseconds)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out nanoseconds)) return true;
        decimal? found = ByUnits().Match(text) is { Success: true } units ? OfUnits(units) : Clock().Match(text) is { Success: true } clock ? OfClock(clock) : null;
        if (found is not { } value || value is < long.MinValue or > long.MaxValue) return false;
        nanoseconds = (long)value;
        return true;
    }

    private static decimal? OfUnits(Match match)
    {
        decimal total = 0;
        for (var index = 0; index < match.Groups["number"].Captures.Count; index++)
        {
            var number = match.Groups["number"].Captures[index].Value;
            if (number.Length > 20 || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)) return null;
            var unit = Nanoseconds(match.Groups["unit"].Captures[index].Value);
            if (value > long.MaxValue / unit) return null;
            total += value * unit;
        }
        return match.Groups["sign"].Value == "-" ? -total : total;
    }

    private static decimal? OfClock(Match match)
    {
        var hours = long.Parse(match.Groups["hours"].ValueSpan, CultureInfo.InvariantCulture);
        var minutes = long.Parse(match.Groups["minutes"].ValueSpan, CultureInfo.InvariantCulture);
        var seconds = long.Parse(match.Groups["seconds"].ValueSpan, CultureInfo.InvariantCulture);
        return minutes > 59 || seconds > 59 ? null : ((((hours * 60m) + minutes) * 60) + seconds) * Nanoseconds("s");
    }

    private static decimal Nanoseconds(string unit) => unit switch
    {
        "ns" => 1,
        "us" or "µs" or "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => 86_400_000_000_000,
    };

    [GeneratedRegex(@"^(?<sign>[+-]?)(?:(?<number>\d+(?:\.\d*)?|\.\d+)(?<unit>ns|us|µs|μs|ms|s|m|h|d))+$", RegexOptions.CultureInvariant)]
    private static partial Regex ByUnits();

    [GeneratedRegex(@"^(?<hours>\d{1,9}):(?<minutes>\d{1,2}):(?<seconds>\d{1,2})$", RegexOptions.CultureInvariant)]
    private static partial Regex Clock();
}
