using CsCheck;
using Kohakku.Local.Temporal.Runs;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class CronTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("*/5 * * * *", "2026-01-01T12:00:00Z", "2026-01-01T12:05:00Z")]
    [InlineData("*/5 * * * *", "2026-01-01T12:04:59.5Z", "2026-01-01T12:05:00Z")]
    [InlineData("@daily", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z")]
    [InlineData("@every 90s", "2026-01-01T12:00:00.75Z", "2026-01-01T12:01:30Z")]
    [InlineData("@every 1h30m", "2026-01-01T12:00:00Z", "2026-01-01T13:30:00Z")]
    [InlineData("@every 90.9s", "2026-01-01T12:00:00Z", "2026-01-01T12:01:30Z")]
    [InlineData("CRON_TZ=Europe/Rome 0 9 * * *", "2026-01-01T12:00:00Z", "2026-01-02T08:00:00Z")]
    [InlineData("TZ=America/New_York 0 9 * * *", "2026-01-01T12:00:00Z", "2026-01-01T14:00:00Z")]
    // The 13th, and Fridays: where both kinds of day are named either will do.
    [InlineData("0 0 13 * 5", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z")]
    [InlineData("0 0 13 * 5", "2026-01-09T12:00:00Z", "2026-01-13T00:00:00Z")]
    [InlineData("0 0 13 * *", "2026-01-01T12:00:00Z", "2026-01-13T00:00:00Z")]
    [InlineData("0 0 ? * FRI", "2026-01-03T12:00:00Z", "2026-01-09T00:00:00Z")]
    public void The_next_run_is_due_when_the_schedule_says(string schedule, string now, string due)
    {
        var time = Time(now);
        var next = time + Cron.TryParse(schedule)!.Delay(time, time)!.Value;
        // In whole seconds, and not before it is due.
        Assert.InRange(next, Time(due), Time(due).AddSeconds(1) - TimeSpan.FromTicks(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("never")]
    [InlineData("* * * *")]
    [InlineData("61 * * * *")]
    [InlineData("@every")]
    [InlineData("@every 1")]
    [InlineData("@every 500ms")]
    [InlineData("@every -5m")]
    [InlineData("@every 99999999999999h")]
    [InlineData("CRON_TZ=Nowhere/Land * * * * *")]
    [InlineData("CRON_TZ=Europe/Rome")]
    public void What_is_no_schedule_is_refused(string schedule) => Assert.Null(Cron.TryParse(schedule));

    [Fact]
    public void Whatever_comes_is_a_schedule_or_refused() =>
        Gen.OneOf(
            Gen.String,
            Gen.OneOf("@every ", "@daily", "TZ=", "CRON_TZ=Europe/Rome ", "*", "/", "5", "1-3", " ", "MON", "999999999999999999999", "h", "m", ".", "L", "?", ",").Array[0, 12].Select(string.Concat))
        .Sample(text => { _ = Cron.TryParse(text)?.Delay(Noon, Noon); }, iter: 5_000);

    [Fact]
    public void Times_that_were_missed_while_a_run_took_long_are_left_out() =>
        Gen.Select(Gen.Int[1, 5_000], Gen.Long[0, 400_000_000]).Sample((seconds, microseconds) =>
        {
            var now = Noon.AddMicroseconds(microseconds);
            var due = Noon.AddSeconds(seconds);
            while (due < now) due = due.AddSeconds(seconds);
            var next = now + Cron.TryParse($"@every {seconds}s")!.Delay(Noon, now)!.Value;
            Assert.InRange(next, due, due.AddSeconds(1));
        });

    [Fact]
    public void A_run_that_took_years_is_followed_at_once()
    {
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.InRange(Cron.TryParse("@every 1s")!.Delay(Noon, Noon.AddYears(50).AddMilliseconds(1))!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(Cron.TryParse("* * * * *")!.Delay(Noon, Noon.AddYears(50).AddMilliseconds(1))!.Value, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("90s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("1h0m1.25s", 3_601_250)]
    [InlineData("300ms", 300)]
    [InlineData(".5s", 500)]
    public void Durations_are_read_as_Go_writes_them(string text, int milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out var span));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), span);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("5")]
    [InlineData("h")]
    [InlineData("1d")]
    [InlineData("1.2.3s")]
    [InlineData("1h 5m")]
    [InlineData("99999999999999999999h")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Fact]
    public void A_duration_that_was_written_is_read_back() =>
        Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 59], Gen.Int[0, 59], Gen.Int[0, 999]).Sample((hours, minutes, seconds, milliseconds) =>
        {
            Assert.True(GoDuration.TryParse($"{hours}h{minutes}m{seconds}s{milliseconds}ms", out var span));
            Assert.Equal(new TimeSpan(0, hours, minutes, seconds, milliseconds), span);
        });

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
