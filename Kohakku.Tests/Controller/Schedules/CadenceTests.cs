using System.Globalization;
using CsCheck;
using Kohakku.Controller.Schedules;

namespace Kohakku.Tests.Controller.Schedules;

public sealed class CadenceTests
{
    [Theory]
    [InlineData("0 9 * * 1-5", "UTC", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00Z 2026-01-06T09:00:00Z")]
    [InlineData("30 0 9 * * *", "UTC", "2026-01-02T09:00:00Z", "2026-01-02T09:00:30Z 2026-01-03T09:00:30Z")]
    [InlineData("@daily", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T22:00:00Z 2026-07-02T22:00:00Z")]
    // On 29 March 2026 Berlin's clocks leap from 2:00 to 3:00, on 25 October they pass 2:00 to 3:00 twice.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z")]
    [InlineData("30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", "2026-10-25T00:30:00Z 2026-10-25T01:30:00Z 2026-10-25T02:30:00Z")]
    [InlineData("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z 2032-02-29T00:00:00Z")]
    public void Cron_goes_by_the_clocks_of_its_zone(string cron, string zone, string after, string times) =>
        Assert.Equal(times.Split(' '), Take(Cadence.Of(cron, null, zone, null, null), after, times.Split(' ').Length));

    [Theory]
    [InlineData("15m", null, "2026-01-01T12:07:00Z", "2026-01-01T12:15:00Z 2026-01-01T12:30:00Z")]
    [InlineData("15m", null, "2026-01-01T12:15:00Z", "2026-01-01T12:30:00Z")]
    [InlineData("1h", "2026-01-01T12:20:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:20:00Z 2026-01-01T13:20:00Z")]
    [InlineData("1h", "2026-01-01T12:20:00Z", "2026-01-01T12:20:00Z", "2026-01-01T13:20:00Z")]
    public void Intervals_count_from_their_start(string every, string? start, string after, string times) => Assert.Equal(
        times.Split(' '), Take(Cadence.Of(null, every, "UTC", start is null ? null : Time(start), null), after, times.Split(' ').Length));

    [Fact]
    public void Start_and_end_are_times_of_their_own_where_they_fit()
    {
        var cadence = Cadence.Of("0 * * * *", null, "UTC", Time("2026-01-01T10:00:00Z"), Time("2026-01-01T12:00:00Z"));
        Assert.Equal(["2026-01-01T10:00:00Z", "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z"], Take(cadence, "2025-01-01T00:00:00Z", 10));
        Assert.Null(cadence.After(Time("2026-01-01T12:00:00Z")));
    }

    [Theory]
    [InlineData(null, null, "UTC", "cron")]
    [InlineData("@daily", "1h", "UTC", "cron")]
    [InlineData("61 * * * *", null, "UTC", "cron")]
    [InlineData("* * * *", null, "UTC", "cron")]
    [InlineData("", null, "UTC", "cron")]
    [InlineData(null, "0s", "UTC", "every")]
    [InlineData(null, "soon", "UTC", "every")]
    [InlineData("@daily", null, "Mars/Olympus", "timeZone")]
    [InlineData("@daily", null, "../../etc/passwd", "timeZone")]
    [InlineData("@daily", null, "", "timeZone")]
    public void What_is_wrong_is_told_by_field(string? cron, string? every, string zone, string field) =>
        Assert.Equal(field, Assert.Throws<CadenceException>(() => Cadence.Of(cron, every, zone, null, null)).Field);

    [Fact]
    public void Times_only_grow_and_do_not_hang_on_where_one_begins_to_look() => Gen.Select(
        OneOf("*/7 * * * *", "0 2 * * *", "30 1,2 * * *", "*/20 * * * * *", "0 0 1 * *"), OneOf("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
        Gen.Long[Time("2025-01-01T00:00:00Z").ToUnixTimeSeconds(), Time("2027-01-01T00:00:00Z").ToUnixTimeSeconds()])
        .Sample((cron, zone, seconds) =>
        {
            var cadence = Cadence.Of(cron, null, zone, null, null);
            var from = DateTimeOffset.FromUnixTimeSeconds(seconds);
            var first = cadence.After(from)!.Value;
            var second = cadence.After(first)!.Value;
            Assert.True(from < first && first < second);
            Assert.Equal(first, cadence.After(first.AddTicks(-1)));
            Assert.Equal([first, second], cadence.Between(first, second));
        }, iter: 2_000);

    private static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(index => choices[index]);

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static string[] Take(Cadence cadence, string after, int count) =>
        [.. cadence.Between(Time(after).AddTicks(1), DateTimeOffset.MaxValue).Take(count).Select(time => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture))];
}
