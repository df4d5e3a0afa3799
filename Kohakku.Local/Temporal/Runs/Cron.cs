using Cronos;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>A workflow's cron schedule: five fields or a macro (<c>@daily</c>), <c>@every 90s</c>, and before them <c>CRON_TZ=Europe/Rome</c> where it is not UTC.</summary>
internal sealed class Cron
{
    private const string Every = "@every ";
    private const int DayOfMonth = 2;
    private const int DayOfWeek = 4;
    private const int Fields = 5;

    /// <summary>Due when any of them is; none where it is an interval.</summary>
    private readonly CronExpression[] expressions;
    private readonly TimeSpan interval;
    private readonly TimeZoneInfo zone;

    private Cron(CronExpression[] expressions, TimeSpan interval, TimeZoneInfo zone) => (this.expressions, this.interval, this.zone) = (expressions, interval, zone);

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
            if (!GoDuration.TryParse(text[Every.Length..], out var span) || span < TimeSpan.FromSeconds(1)) return null;
            return new Cron([], TimeSpan.FromSeconds(span.Ticks / TimeSpan.TicksPerSecond), zone);
        }
        try
        {
            return new Cron([.. Alternatives(text).Select(alternative => CronExpression.Parse(alternative))], TimeSpan.Zero, zone);
        }
        catch (Exception fault) when (fault is CronFormatException or MissingSeedException)
        {
            return null;
        }
    }

    /// <summary>From now to the time that is due next after the one of the present run; in whole seconds. Null when there is none.</summary>
    public TimeSpan? Delay(DateTimeOffset scheduled, DateTimeOffset now)
    {
        var next = now < scheduled ? scheduled : Next(scheduled, now);
        return next is { } time ? TimeSpan.FromSeconds(Math.Ceiling((time - now).TotalSeconds)) : null;
    }

    /// <summary>Where days of the month and days of the week are both named, either will do: <c>0 0 13 * 5</c> is each 13th and each Friday.</summary>
    private static IEnumerable<string> Alternatives(string text)
    {
        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != Fields || fields[DayOfMonth] is "*" or "?" || fields[DayOfWeek] is "*" or "?") return [text];
        return [Without(DayOfWeek), Without(DayOfMonth)];

        string Without(int field) => string.Join(' ', fields.Select((value, index) => index == field ? "*" : value));
    }

    /// <summary>The first time after the scheduled one that is not past.</summary>
    private DateTimeOffset? Next(DateTimeOffset scheduled, DateTimeOffset now)
    {
        if (interval == TimeSpan.Zero) return expressions.Min(expression => expression.GetNextOccurrence(now, zone, inclusive: now > scheduled));
        var whole = new DateTimeOffset(scheduled.Ticks - (scheduled.Ticks % TimeSpan.TicksPerSecond), scheduled.Offset);
        var intervals = ((now - whole).Ticks + interval.Ticks - 1) / interval.Ticks;
        return whole + (interval * Math.Max(1, intervals));
    }
}

/// <summary>Durations as Go writes them: <c>1h30m</c>, <c>90s</c>, <c>1.5h</c>.</summary>
internal static class GoDuration
{
    /// <summary>Go's are nanoseconds in 64 bits, which is 292 years.</summary>
    private const decimal LongestSeconds = long.MaxValue / 1e9m;
    private static readonly System.Buffers.SearchValues<char> NumberCharacters = System.Buffers.SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out TimeSpan span)
    {
        span = TimeSpan.Zero;
        var total = 0m;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty) return false;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(NumberCharacters);
            if (digits <= 0 || !decimal.TryParse(rest[..digits], System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture, out var number)) return false;
            rest = rest[digits..];
            var letters = rest.IndexOfAny(NumberCharacters);
            var unit = letters < 0 ? rest : rest[..letters];
            var seconds = unit switch { "h" => 3600, "m" => 60, "s" => 1, "ms" => 0.001m, _ => 0 };
            if (seconds == 0 || number > LongestSeconds) return false;
            total += number * seconds;
            if (total > LongestSeconds) return false;
            rest = rest[unit.Length..];
        }
        span = TimeSpan.FromTicks((long)(total * TimeSpan.TicksPerSecond));
        return true;
    }
}
