using Kohakku.Controller.Dispatching.Maintenance;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class OutageWatchTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset LongAgo = Start - TimeSpan.FromDays(1);

    [Fact]
    public void Nobody_is_lost_within_one_lease_of_the_controllers_start() =>
        Assert.Equal(15, Observe(Watch(), Start, LongAgo).TakeWhile(may => !may).Count());

    [Fact]
    public void Nobody_is_lost_within_one_lease_of_the_databases_start() =>
        Assert.Equal(40, Observe(Watch(), Start, Start + TimeSpan.FromSeconds(25)).TakeWhile(may => !may).Count());

    [Fact]
    public void A_failure_a_gap_and_a_clock_set_back_begin_the_patience_anew()
    {
        var watch = Watch();
        Assert.True(Observe(watch, Start, LongAgo).Last());
        watch.Failed();
        Assert.Equal(15, Observe(watch, Start + TimeSpan.FromSeconds(61), LongAgo).TakeWhile(may => !may).Count());
        Assert.Equal(15, Observe(watch, Start + TimeSpan.FromSeconds(200), LongAgo).TakeWhile(may => !may).Count());
        Assert.Equal(15, Observe(watch, Start + TimeSpan.FromSeconds(100), LongAgo).TakeWhile(may => !may).Count());
    }

    private static OutageWatch Watch() => new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(7.5));

    /// <summary>A minute of observations, one a second.</summary>
    private static bool[] Observe(OutageWatch watch, DateTimeOffset from, DateTimeOffset databaseStartedAt) =>
        [.. Enumerable.Range(0, 60).Select(second => watch.MayReap(from + TimeSpan.FromSeconds(second), databaseStartedAt))];
}
