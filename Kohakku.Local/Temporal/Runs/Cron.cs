using Cronos;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>A workflow's cron schedule: five fields or a macro (<c>@daily</c>), <c>@every 90s</c>, and before them <c>CRON_TZ=Europe/Rome</c> where it is not UTC.</summary>
internal sealed class Cron
{
    private const string Every = "@every ";
    private readonly CronExpression? expression;
    private readonly TimeSpan interval;
    private readonly TimeZoneInfo zone;

    private Cron(CronExpression? expression, TimeSpan interval, TimeZoneInfo zone) => (this.expression, this.interval, this.zone) = (expression, interval, zone);

    /// <returns>Null when it is not a schedule.</returns>
    public static Cron? TryParse(string schedule)
    {
        var zone = TimeZoneInfo.Utc;
        var text = schedule.Trim();
        if (text.StartsWith("TZ=", StringComparison.Ordinal) || text.StartsWith("CRON_TZ=", StringComparison.Ordinal))
        {
            var end = text.IndexOf(' ', StringComparison.Ordinal);
            if (end < 0 || !TimeZoneInfo.TryFindSystemTimeZoneById(text[(text.IndexOf('=', StringComparison.Ordinal) + 1)..end], out var found)) return null;
            zone = found;
            text = text[end..].Trim();
        }
        if (text.StartsWith(Every, StringComparison.Ordinal))
        {
            return GoDuration.TryParse(text[Every.Length..], out var span) && span >= TimeSpan.FromSeconds(1) ? new Cron(null, span, zone) : null;
        }
        try
        {
            return new Cron(CronExpression.Parse(text), TimeSpan.Zero, zone);
        }
        catch (CronFormatException)
        {
            return null;
        }
    }

    /// <summary>From now to the time that is due next after the one of the present run; in whole seconds. Null when there is none.</summary>
    public TimeSpan? Delay(DateTimeOffset scheduled, DateTimeOffset now)
    {
        DateTimeOffset? next = scheduled;
        if (now >= scheduled)
        {
            next = Next(scheduled);
            while (next is { } due && due < now) next = Next(due);
        }
        return next is { } time ? TimeSpan.FromSeconds(Math.Ceiling((time - now).TotalSeconds)) : null;
    }

    private DateTimeOffset? Next(DateTimeOffset after) =>
        expression is null ? Truncated(after) + interval : expression.GetNextOccurrence(after, zone);

    private static DateTimeOffset Truncated(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerSecond), time.Offset);
}

/// <summary>Durations as Go writes them: <c>1h30m</c>, <c>90s</c>, <c>1.5h</c>.</summary>
internal static class GoDuration
{
    private static readonly System.Buffers.SearchValues<char> NumberCharacters = System.Buffers.SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out TimeSpan span)
    {
        span = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return false;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !double.TryParse(rest[..digits], System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number)) return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny(NumberCharacters);
            var unit = letters < 0 ? rest : rest[..letters];
            var seconds = unit switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 0.001, _ => double.NaN };
            if (double.IsNaN(seconds)) return false;
            span += TimeSpan.FromSeconds(number * seconds);
            rest = rest[unit.Length..];
        }
        return true;
    }
}
