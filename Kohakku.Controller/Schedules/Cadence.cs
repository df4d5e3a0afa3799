using Cronos;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Controller.Schedules;

/// <summary>
/// The times of a schedule, as a function of nothing but itself: whoever computes them gets the same. By cron in a time zone, where a time that the
/// clocks leap over comes right after the leap and one that they pass twice comes once (unless the expression is of the kind that repeats), or by interval.
/// </summary>
internal sealed class Cadence
{
    private readonly CronExpression? _cron;
    private readonly TimeSpan _every;
    private readonly DateTimeOffset? _startAt;
    private readonly DateTimeOffset? _endAt;

    private Cadence(CronExpression? cron, TimeSpan every, TimeZoneInfo zone, DateTimeOffset? startAt, DateTimeOffset? endAt) =>
        (_cron, _every, Zone, _startAt, _endAt) = (cron, every, zone, startAt, endAt);

    public TimeZoneInfo Zone { get; }

    /// <param name="timeZone">An IANA name.</param>
    /// <exception cref="CadenceException">What is not right, by the request's field.</exception>
    public static Cadence Of(string? cron, string? every, string timeZone, DateTimeOffset? startAt, DateTimeOffset? endAt) => cron is null == every is null
        ? throw new CadenceException("cron", "must be given, or every; not both")
        : cron is not null
            ? new Cadence(Parse(cron), default, ZoneOf(timeZone), startAt, endAt)
            : Duration.TryParse(every, out var interval)
                ? new Cadence(null, interval, ZoneOf(timeZone), startAt, endAt)
                : throw new CadenceException("every", Duration.Rule);

    /// <summary>The first time after another, not that itself; null when there is none any more.</summary>
    public DateTimeOffset? After(DateTimeOffset time)
    {
        var from = _startAt is { } start && start > time ? start.AddTicks(-1) : time;
        var next = _cron is not null ? CronAfter(_cron, from) : IntervalAfter(from);
        return next is null || next > _endAt ? null : next;
    }

    /// <summary>The times from one to another, both included.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset from, DateTimeOffset to)
    {
        for (var time = After(from.AddTicks(-1)); time is { } next && next <= to; time = After(next)) yield return next;
    }

    private DateTimeOffset? CronAfter(CronExpression cron, DateTimeOffset time) =>
        // Cronos knows no years beyond 2499, and answers null there.
        cron.GetNextOccurrence(time, Zone)?.ToUniversalTime();

    private DateTimeOffset? IntervalAfter(DateTimeOffset time)
    {
        var anchor = _startAt ?? DateTimeOffset.UnixEpoch;
        var passed = (time - anchor).Ticks;
        var steps = passed < 0 ? 0 : passed / _every.Ticks + 1;
        return steps > (DateTimeOffset.MaxValue - anchor).Ticks / _every.Ticks ? null : anchor.ToUniversalTime().AddTicks(steps * _every.Ticks);
    }

    private static CronExpression Parse(string cron)
    {
        var text = cron.Trim();
        try
        {
            var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;
            return CronExpression.Parse(text, fields == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);
        }
        catch (CronFormatException fault)
        {
            throw new CadenceException("cron", $"must be five fields (minute hour day month weekday), six with seconds before them, or one like @daily: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    private static TimeZoneInfo ZoneOf(string name)
    {
        if (name is "UTC") return TimeZoneInfo.Utc;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        // The name goes into a path; what is no name of a zone at all fails in many ways.
        catch (Exception fault) when (fault is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new CadenceException("timeZone", "must be the name of a time zone, like Europe/Berlin, that this machine knows", fault);
        }
    }
}

/// <summary>A schedule's times are not right: <see cref="Field"/> of its request breaks the rule that is the message.</summary>
internal sealed class CadenceException(string field, string rule, Exception? inner = null) : Exception(rule, inner)
{
    public string Field { get; } = field;
}
