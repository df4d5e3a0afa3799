using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Schedules;
using Kohakku.Controller.Schedules.Firing;

namespace Kohakku.Tests.Controller.Schedules;

/// <summary>A schedule of each full minute; the scheduler looks at ten seconds past noon.</summary>
public sealed class DueTimesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly Cadence EachMinute = Cadence.Of("* * * * *", null, "UTC", null, null);

    [Theory]
    [InlineData(CatchUpPolicy.Skip)]
    [InlineData(CatchUpPolicy.Last)]
    [InlineData(CatchUpPolicy.All)]
    public void What_is_on_time_fires_whatever_the_policy(CatchUpPolicy policy)
    {
        var due = Of(policy, 3600, behind: 0);
        Assert.Equal([0], Minutes(due.Firing));
        Assert.Equal((null, Noon.AddMinutes(1)), (due.LeftOut, due.Next));
    }

    [Theory]
    [InlineData(CatchUpPolicy.Skip, 3600, "0", -1)]
    [InlineData(CatchUpPolicy.Last, 3600, "0", -1)]
    [InlineData(CatchUpPolicy.All, 3600, "-5 -4 -3 -2 -1 0", null)]
    [InlineData(CatchUpPolicy.All, 200, "-3 -2 -1 0", -4)]
    [InlineData(CatchUpPolicy.All, 0, "0", -1)]
    public void What_was_missed_goes_by_policy_and_window(CatchUpPolicy policy, int window, string firing, int? leftOut)
    {
        var due = Of(policy, window, behind: 5);
        Assert.Equal(firing, string.Join(' ', Minutes(due.Firing)));
        Assert.Equal(leftOut is { } minutes ? Noon.AddMinutes(minutes) : null, due.LeftOut);
    }

    [Fact]
    public void The_newest_that_was_missed_is_made_up_for_where_none_is_on_time()
    {
        var daily = Cadence.Of("0 3 * * *", null, "UTC", null, null);
        var due = DueTimes.Of(daily, CatchUpPolicy.Last, TimeSpan.FromDays(3), Noon.AddDays(-3).AddHours(-9), Noon);
        Assert.Equal([Noon.AddHours(-9)], due.Firing);
        Assert.Equal(Noon.AddDays(-1).AddHours(-9), due.LeftOut);
        Assert.Equal(Noon.AddHours(15), due.Next);
    }

    [Fact]
    public void A_thousand_at_most_are_made_up_for()
    {
        var due = DueTimes.Of(EachMinute, CatchUpPolicy.All, TimeSpan.FromDays(2), Noon.AddDays(-1), Noon);
        Assert.Equal(DueTimes.MostAtOnce, due.Firing.Count);
        Assert.Equal((Noon, due.Firing[0].AddMinutes(-1)), (due.Firing[^1], due.LeftOut));
    }

    private static DueTimes Of(CatchUpPolicy policy, int window, int behind) =>
        DueTimes.Of(EachMinute, policy, TimeSpan.FromSeconds(window), Noon.AddMinutes(-behind), Noon.AddSeconds(10));

    private static IEnumerable<int> Minutes(IEnumerable<DateTimeOffset> times) => times.Select(time => (int)(time - Noon).TotalMinutes);
}
