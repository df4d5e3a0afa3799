using System.Collections.Concurrent;
using CsCheck;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs.State;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class TaskQueueTests : IDisposable
{
    private static readonly TimeSpan LongPoll = TimeSpan.FromMinutes(1);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly EndedWorkers _ended;
    private readonly TaskQueue _queue;

    public TaskQueueTests()
    {
        _ended = new EndedWorkers(_time);
        _queue = new TaskQueue(new QueueKey("default", "queue", QueueKind.Activity), _ended, _time);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _queue.Dispose();

    [Fact]
    public Task Whoever_asks_offers_and_gives_up_at_once_no_task_is_lost_or_given_twice() =>
        Gen.Select(Gen.Int[1, 8], Gen.Int[1, 4], Gen.Int[0, 200], Gen.Int).SampleAsync(
            async (pollers, offerers, tasks, seed) =>
            {
                using var queue = new TaskQueue(_queue.Key, _ended, _time);
                var given = new ConcurrentBag<long>();
                using var stop = new CancellationTokenSource();
                var polling = Enumerable.Range(0, pollers).Select(poller => Task.Run(() => PollAsync(queue, given, new Random(seed + poller), stop.Token))).ToList();
                var offering = Enumerable.Range(0, offerers).Select(offerer => Task.Run(() =>
                {
                    for (var task = offerer; task < tasks; task += offerers) queue.Offer(Activity(task));
                })).ToList();
                await Task.WhenAll(offering);
                await stop.CancelAsync();
                await Task.WhenAll(polling);
                while (queue.Backlog > 0) given.Add(Number(await queue.PollAsync(new("last", ""), LongPoll, Token)));
                Assert.Equal(Enumerable.Range(0, tasks).Select(number => (long)number), given.Order());
            },
            iter: 300);

    [Fact]
    public async Task Tasks_are_given_in_the_order_of_their_coming_and_those_that_come_back_first()
    {
        for (var number = 1; number <= 3; number++) _queue.Offer(Activity(number));
        var taken = await PollAsync();
        Assert.Equal(1, Number(taken));
        _queue.Offer(taken!, first: true);
        foreach (var number in new[] { 1, 2, 3 }) Assert.Equal(number, Number(await PollAsync()));
    }

    [Fact]
    public async Task Who_has_waited_longest_is_given_the_next_task()
    {
        var first = PollAsync();
        var second = PollAsync();
        _queue.Offer(Activity(1));
        _queue.Offer(Activity(2));
        Assert.Equal((1, 2), (Number(await first), Number(await second)));
        Assert.Equal(0, _queue.Backlog);
    }

    [Fact]
    public async Task Who_waits_long_enough_is_told_that_there_is_nothing_and_given_nothing_later()
    {
        var poll = PollAsync();
        _time.Advance(LongPoll - TimeSpan.FromTicks(1));
        Assert.False(poll.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(await poll);
        _queue.Offer(Activity(1));
        Assert.Equal((1, _time.GetUtcNow()), (_queue.Backlog, _queue.OldestOfferedAt));
    }

    [Fact]
    public async Task Who_gives_up_is_given_nothing()
    {
        using var giveUp = new CancellationTokenSource();
        var poll = _queue.PollAsync(new("worker", ""), LongPoll, giveUp.Token);
        await giveUp.CancelAsync();
        Assert.Null(await poll);
        _queue.Offer(Activity(1));
        Assert.Equal(1, Number(await PollAsync()));
    }

    [Fact]
    public async Task A_poll_that_was_taken_is_answered_by_whoever_took_it_and_nobody_else()
    {
        Assert.Null(_queue.TakeWaiter());
        using var giveUp = new CancellationTokenSource();
        var poll = _queue.PollAsync(new("worker", "key"), LongPoll, giveUp.Token);
        var taken = _queue.TakeWaiter();
        _time.Advance(LongPoll);
        await giveUp.CancelAsync();
        _queue.EndPolls("key");
        _queue.Offer(Activity(1));
        Assert.False(poll.IsCompleted);
        taken!.Done.TrySetResult(Activity(2));
        Assert.Equal((2, 1), (Number(await poll), _queue.Backlog));
    }

    [Fact]
    public async Task A_worker_that_shuts_down_ends_its_own_polls_alone()
    {
        var (one, other, unnamed) = (PollAsync("one"), PollAsync("other"), PollAsync(""));
        _queue.EndPolls("one");
        _queue.EndPolls("");
        Assert.Null(await one);
        _queue.Offer(Activity(1));
        _queue.Offer(Activity(2));
        Assert.Equal((1, 2), (Number(await other), Number(await unnamed)));
    }

    [Fact]
    public async Task A_queue_that_is_closed_gives_back_what_waits_and_ends_all_polls()
    {
        _queue.Offer(Activity(1));
        _queue.Offer(Activity(2));
        Assert.Equal([1L, 2L], _queue.Close().Select(Number));
        var poll = PollAsync();
        Assert.Empty(_queue.Close());
        Assert.Null(await poll);
        Assert.False(_queue.IsPolled);
    }

    [Fact]
    public async Task It_is_known_for_a_while_who_asked()
    {
        Assert.False(_queue.IsPolled);
        var poll = PollAsync();
        _time.Advance(LongPoll);
        await poll;
        var askedAt = _time.GetUtcNow() - LongPoll;
        Assert.False(_queue.IsPolled);
        Assert.Equal([("worker", askedAt)], _queue.Pollers);
        Assert.False(_queue.IsIdle);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(_queue.Pollers);
        Assert.True(_queue.IsIdle);
        _queue.Offer(Activity(1));
        Assert.False(_queue.IsIdle);
    }

    [Fact]
    public async Task A_poll_that_comes_after_its_worker_shut_down_takes_nothing()
    {
        var queues = new TaskQueues(_time);
        var queue = queues.Get(_queue.Key);
        var early = queue.PollAsync(new("worker", "ending"), LongPoll, Token);
        queues.ShutDown(_queue.Key.Namespace, "", "ending");
        queue.Offer(Activity(1));
        Assert.Null(await early);
        Assert.Null(await queue.PollAsync(new("worker", "ending"), LongPoll, Token));
        Assert.Equal(1, Number(await queue.PollAsync(new("worker", "another"), LongPoll, Token)));
        // It is not remembered for ever.
        _time.Advance(TimeSpan.FromSeconds(30));
        var late = queue.PollAsync(new("worker", "ending"), LongPoll, Token);
        queue.Offer(Activity(2));
        Assert.Equal(2, Number(await late));
    }

    [Fact]
    public async Task Who_waits_for_a_limit_that_is_lifted_goes_on()
    {
        await _queue.LimitAsync(0.001, Token);
        var waiting = _queue.LimitAsync(0.001, Token).AsTask();
        Assert.False(waiting.IsCompleted);
        await _queue.LimitAsync(1000, Token);
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task A_limit_that_workers_change_at_once_fails_for_none()
    {
        var limits = Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var i = 0; i < 500; i++) await _queue.LimitAsync(100_000 + worker, Token);
        }));
        await Task.WhenAll(limits);
    }

    private static async Task PollAsync(TaskQueue queue, ConcurrentBag<long> given, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var poll = queue.PollAsync(new("worker", ""), LongPoll, giveUp.Token);
            if (random.Next(3) == 0) await Task.Yield();
            if (random.Next(3) > 0) await giveUp.CancelAsync();
            if (await poll is not { } task) continue;
            if (random.Next(4) == 0) queue.Offer(task, first: true);
            else given.Add(Number(task));
        }
    }

    private Task<QueueTask?> PollAsync(string workerKey = "key") => _queue.PollAsync(new("worker", workerKey), LongPoll, Token);

    private ActivityQueueTask Activity(long number) => new(new RunKey("default", Guid.Empty), number, 1) { OfferedAt = _time.GetUtcNow() };

    private static long Number(QueueTask? task) => Assert.IsType<ActivityQueueTask>(task).ScheduledId;
}
