using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Claiming;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class ClaimWaitersTests : IAsyncDisposable
{
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    // Nothing is sent: the feed is not started.
    private readonly NpgsqlDataSource database = NpgsqlDataSource.Create("Host=127.0.0.1;Port=9");
    private readonly ChangeFeed feed;
    private readonly ClaimWaiters waiters;

    public ClaimWaitersTests()
    {
        feed = new ChangeFeed(database, TimeProvider.System, NullLogger<ChangeFeed>.Instance);
        waiters = new ClaimWaiters(feed);
    }

    [Fact]
    public async Task Only_as_many_wake_as_have_slots_for_what_was_queued()
    {
        using var first = Enter(slots: 3);
        using var second = Enter(slots: 3);
        using var third = Enter(slots: 3);
        feed.PublishQueued(4);
        await Wakes(first.WaitAsync(Never, TimeProvider.System, CancellationToken.None));
        await Wakes(second.WaitAsync(Never, TimeProvider.System, CancellationToken.None));
        Assert.False(third.WaitAsync(Never, TimeProvider.System, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task What_one_does_not_take_goes_to_the_next_and_ends_when_all_were_asked()
    {
        using var first = Enter(slots: 1);
        using var second = Enter(slots: 1);
        feed.PublishQueued(1);
        Look(first, taken: 0);
        await Wakes(second.WaitAsync(Never, TimeProvider.System, CancellationToken.None));
        Look(second, taken: 0);
        Assert.False(first.WaitAsync(Never, TimeProvider.System, CancellationToken.None).IsCompleted);
        Assert.False(second.WaitAsync(Never, TimeProvider.System, CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task What_comes_while_one_looks_makes_it_look_again()
    {
        using var waiter = Enter(slots: 1);
        waiter.Look();
        feed.PublishQueued(1);
        waiter.Took(0);
        await Wakes(waiter.WaitAsync(Never, TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task One_that_leaves_hands_on_what_it_was_woken_for()
    {
        var first = Enter(slots: 1);
        using var second = Enter(slots: 1);
        feed.PublishQueued(1);
        first.Look();
        first.Dispose();
        await Wakes(second.WaitAsync(Never, TimeProvider.System, CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        waiters.Dispose();
        feed.Dispose();
        await database.DisposeAsync();
    }

    private ClaimWaiter Enter(int slots)
    {
        var waiter = waiters.Enter(slots);
        Look(waiter, taken: 0);
        return waiter;
    }

    private static void Look(ClaimWaiter waiter, int taken)
    {
        waiter.Look();
        waiter.Took(taken);
    }

    private static Task Wakes(Task waiting) => waiting.WaitAsync(TimeSpan.FromSeconds(30));
}
