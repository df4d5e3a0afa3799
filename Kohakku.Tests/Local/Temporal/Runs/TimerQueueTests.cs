using System.Collections.Concurrent;
using CsCheck;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Timers;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class TimerQueueTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Start);
    private readonly ConcurrentQueue<(RunKey Run, DateTimeOffset At)> _fired = [];
    private readonly TimerQueue _timers;

    public TimerQueueTests()
    {
        _timers = new TimerQueue(_time, NullLogger<TimerQueue>.Instance) { Fire = FireAsync };
    }

    /// <summary>So many times in a row what is due can't be done.</summary>
    private int Faults { get; set; }

    public async ValueTask InitializeAsync() => await _timers.StartAsync(CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await _timers.StopAsync(CancellationToken.None);
        _timers.Dispose();
    }

    [Fact]
    public async Task A_run_is_woken_when_it_is_due_and_not_before()
    {
        var run = Key();
        _timers.Set(run, Start.AddMinutes(5));
        await PassAsync(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.Empty(_fired);
        await PassUntilAsync(() => !_fired.IsEmpty);
        Assert.Equal(run, Assert.Single(_fired).Run);
    }

    [Fact]
    public async Task What_is_overdue_fires_at_once()
    {
        _timers.Set(Key(), Start.AddYears(-1));
        await Eventually.Async(() => !_fired.IsEmpty);
    }

    [Fact]
    public async Task The_last_word_of_a_run_counts()
    {
        var (earlier, later, never, again) = (Key(), Key(), Key(), Key());
        _timers.Set(earlier, Start.AddHours(1));
        _timers.Set(later, Start.AddSeconds(10));
        _timers.Set(never, Start.AddSeconds(10));
        _timers.Set(again, Start.AddSeconds(10));
        _timers.Set(earlier, Start.AddSeconds(20));
        _timers.Set(later, Start.AddSeconds(40));
        _timers.Set(never, null);
        _timers.Set(again, null);
        _timers.Set(again, Start.AddSeconds(10));
        await PassUntilAsync(() => _fired.Count >= 3);
        await PassAsync(TimeSpan.FromMinutes(2));
        // Each once and none too early; the order in which they are told is that of the threads.
        var due = new Dictionary<RunKey, DateTimeOffset> { [again] = Start.AddSeconds(10), [earlier] = Start.AddSeconds(20), [later] = Start.AddSeconds(40) };
        Assert.Equal(due.Keys.ToHashSet(), _fired.Select(fired => fired.Run).ToHashSet());
        Assert.Equal(due.Count, _fired.Count);
        Assert.All(_fired, fired => Assert.True(fired.At >= due[fired.Run]));
    }

    [Fact]
    public async Task What_could_not_be_done_is_tried_again()
    {
        Faults = 3;
        _timers.Set(Key(), Start.AddSeconds(1));
        await PassUntilAsync(() => !_fired.IsEmpty);
        Assert.Equal(0, Faults);
        Assert.Single(_fired);
    }

    [Fact]
    public Task Whatever_is_set_when_each_run_is_woken_once_for_its_last_time() =>
        Gen.Select(Gen.Int[0, 9], Gen.Int[-1, 120]).Array[0, 80].SampleAsync(
            async sets =>
            {
                _fired.Clear();
                var runs = Enumerable.Range(0, 10).Select(_ => Key()).ToArray();
                var expected = new Dictionary<RunKey, DateTimeOffset>();
                var started = _time.GetUtcNow();
                foreach (var (run, seconds) in sets)
                {
                    if (seconds < 0) expected.Remove(runs[run]);
                    else expected[runs[run]] = started.AddSeconds(seconds + 1);
                    _timers.Set(runs[run], seconds < 0 ? null : started.AddSeconds(seconds + 1));
                }
                await PassUntilAsync(() => _fired.Count >= expected.Count);
                await PassAsync(TimeSpan.FromSeconds(10));
                Assert.Equal(expected.Keys.OrderBy(run => run.RunId), _fired.Select(fired => fired.Run).OrderBy(run => run.RunId));
                Assert.All(_fired, fired => Assert.True(fired.At >= expected[fired.Run]));
            },
            iter: 20,
            threads: 1);

    [Fact]
    public void Times_that_were_replaced_take_no_room()
    {
        for (var run = 0; run < 100; run++)
        {
            var key = Key();
            for (var i = 0; i < 1_000; i++) _timers.Set(key, Start.AddDays(1 + i));
        }
        Assert.InRange(_timers.Entries, 100, 5_000);
    }

    private Task FireAsync(RunKey run, CancellationToken cancellationToken)
    {
        if (Faults > 0)
        {
            Faults--;
            throw new InvalidOperationException("Not now.");
        }
        _fired.Enqueue((run, _time.GetUtcNow()));
        return Task.CompletedTask;
    }

    /// <summary>In steps, as the queue may be about to go to sleep while time passes.</summary>
    private async Task PassAsync(TimeSpan span)
    {
        for (var end = _time.GetUtcNow() + span; _time.GetUtcNow() < end;)
        {
            var left = end - _time.GetUtcNow();
            _time.Advance(left < TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }

    private async Task PassUntilAsync(Func<bool> done)
    {
        await Eventually.Async(async () =>
        {
            await PassAsync(TimeSpan.FromSeconds(10));
            return done();
        });
    }

    private static RunKey Key() => new("default", Guid.NewGuid());
}
