using System.Net.Http.Headers;
using System.Text;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Schedules.Firing;
using Kohakku.Tests.Controller.Tasks;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Controller.Schedules;

/// <summary>What comes of schedules when their time comes, on a real database; the clock is the test's.</summary>
public sealed class ScheduleFiringTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 8, 59, 30, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new(Start);
    private RunningController _controller = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync(postgres, storage, _time, Token);

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task A_time_that_comes_makes_one_task_with_its_texts_rendered()
    {
        await PutAsync(
            """
            { "cron": "0 10 * * *", "timeZone": "Europe/Berlin", "target": { "task": { "agent": "noop", "title": "Of {{ schedule.name }}", "brief": "As of {{ schedule.time }}, here {{ schedule.local_time }}",
              "inputs": { "day": "{{ schedule.time | date: '%Y-%m-%d' }}", "n": 5 } } } }
            """);
        Assert.Equal((0, 0), await RoundAsync());
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((1, 1), await RoundAsync());
        Assert.Equal((0, 0), await RoundAsync());
        Assert.Equal("Of one|As of 2026-01-05T09:00:00Z, here 2026-01-05T10:00:00+01:00|2026-01-05|5|schedule one",
            await _controller.ScalarAsync<string>("SELECT title || '|' || brief || '|' || (inputs->>'day') || '|' || (inputs->>'n') || '|' || submitted_by FROM tasks"));
        Assert.Equal("started due 2026-01-05 09:00:00", Assert.Single(await FiringsAsync()));
        Assert.Equal(Start.AddSeconds(30).AddDays(1), (await FindAsync()).NextAt);
    }

    [Fact]
    public async Task A_run_of_a_workflow_is_begun_too()
    {
        await PutAsync("""{ "every": "1h", "target": { "workflow": "nightly", "inputs": {} } }""");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((1, 1), await RoundAsync());
        var firing = (await FindAsync()).LastFiring!;
        Assert.True(firing.Status == FiringState.Started, firing.Note);
        Assert.Equal(firing.RunId, await _controller.ScalarAsync<Guid>("SELECT id FROM runs"));
        Assert.Equal("pending", firing.TargetStatus);
    }

    [Fact]
    public async Task Many_schedulers_make_each_once()
    {
        const int Schedules = 300;
        for (var i = 0; i < Schedules; i++) await PutAsync(Task("""{ "every": "1s", "overlap": "allow" """), $"s{i}");
        for (var second = 0; second < 3; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Parallel.ForAsync(0, 6, Token, async (_, _) =>
            {
                while (await RoundAsync() is not (0, 0))
                {
                }
            });
        }

        Assert.Equal(3L * Schedules, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
        Assert.Equal(3L * Schedules, await _controller.ScalarAsync<long>("SELECT count(DISTINCT (schedule_id, scheduled_at)) FROM schedule_firings WHERE status = 'started' AND task_id IS NOT NULL"));
    }

    [Fact]
    public async Task A_try_whose_end_was_not_noted_makes_nothing_twice()
    {
        await PutAsync("""{ "every": "1m", "target": { "task": { "agent": "noop", "brief": "{{ now | date: '%s%N' }}" } } }""");
        _time.Advance(TimeSpan.FromMinutes(1));
        await RoundAsync();
        var made = await _controller.ScalarAsync<Guid>("SELECT task_id FROM schedule_firings");
        // As if the scheduler had died between the two.
        await _controller.ExecuteAsync("UPDATE schedule_firings SET status = 'pending', task_id = NULL, taken_until = $1", _time.GetUtcNow());
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, 1), await RoundAsync());
        Assert.Equal(made, await _controller.ScalarAsync<Guid>("SELECT task_id FROM schedule_firings"));
        Assert.Equal(1L, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
    }

    [Theory]
    [InlineData("skip", "skipped", 1)]
    [InlineData("queue", "pending", 1)]
    [InlineData("cancelRunning", "started", 2)]
    [InlineData("allow", "started", 2)]
    public async Task An_overlap_goes_by_its_policy(string policy, string second, long tasks)
    {
        await PutAsync(Task($$"""{ "every": "1m", "overlap": "{{policy}}" """));
        await MinuteAsync();
        await MinuteAsync();
        // Canceled or not, the next look comes a second later.
        _time.Advance(TimeSpan.FromSeconds(2));
        await RoundAsync();
        Assert.Equal(["started", second], (await FiringsAsync()).Select(text => text.Split(' ')[0]));
        Assert.Equal(tasks, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
        Assert.Equal(policy == "cancelRunning" ? 1L : 0L, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks WHERE status = 'canceled'"));
    }

    [Fact]
    public async Task What_queues_begins_when_the_one_before_has_ended_and_a_full_queue_says_so()
    {
        await PutAsync(Task("""{ "every": "1s", "overlap": "queue" """));
        for (var second = 0; second < DueSchedules.MostWaiting + 3; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await RoundAsync();
        }

        Assert.Equal($"{DueSchedules.MostWaiting} firings wait already.", await _controller.ScalarAsync<string>("SELECT min(note) FROM schedule_firings WHERE status = 'skipped'"));
        await _controller.ExecuteAsync("UPDATE schedules SET next_at = NULL");
        await _controller.ExecuteAsync("UPDATE tasks SET status = 'succeeded', ended_at = now()");
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((0, 1), await RoundAsync());
        Assert.Equal(2L, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
    }

    [Fact]
    public async Task After_downtime_the_newest_is_made_up_for_and_the_rest_is_noted()
    {
        await PutAsync(Task("""{ "cron": "0 * * * *", "catchUp": "last", "catchUpWindowSeconds": 86400 """));
        _time.Advance(TimeSpan.FromHours(5.5));
        Assert.Equal((1, 1), await RoundAsync());
        Assert.Equal(["skipped due 2026-01-05 13:00:00", "started due 2026-01-05 14:00:00"], await FiringsAsync());
    }

    [Fact]
    public async Task What_can_not_be_begun_says_why_and_the_schedule_goes_on()
    {
        await PutAsync("""{ "every": "1m", "target": { "task": { "agent": "gone", "brief": "x" } } }""");
        await PutAsync("""{ "every": "1m", "target": { "workflow": "gone" } }""", "two");
        await PutAsync("""{ "every": "1m", "target": { "task": { "agent": "noop", "brief": "{{ schedule.time | divided_by: 0 }}" } } }""", "three");
        await PutAsync("""{ "every": "1m", "target": { "task": { "agent": "noop", "brief": "x", "title": "{{ 5 }}" } } }""", "four");
        await MinuteAsync();
        Assert.Equal("agent 'gone' is not an agent of this project", (await FindAsync()).LastFiring!.Note);
        Assert.Equal("There is no workflow 'gone' in this project.", (await FindAsync("two")).LastFiring!.Note);
        Assert.StartsWith("`{{ schedule.time | divided_by: 0 }}` can't be rendered", (await FindAsync("three")).LastFiring!.Note, StringComparison.Ordinal);
        Assert.Equal("target.task.title has the wrong kind once its template is rendered", (await FindAsync("four")).LastFiring!.Note);
        await MinuteAsync();
        Assert.Equal(8L, await _controller.ScalarAsync<long>("SELECT count(*) FROM schedule_firings WHERE status = 'failed'"));
    }

    [Fact]
    public async Task Jitter_puts_a_firing_off_within_its_bound()
    {
        await PutAsync(Task("""{ "every": "1h", "jitterSeconds": 600 """));
        _time.Advance(TimeSpan.FromSeconds(30));
        await RoundAsync();
        var late = await _controller.ScalarAsync<double>("SELECT extract(epoch FROM due_at - scheduled_at)::float8 FROM schedule_firings");
        Assert.InRange(late, 0, 600);
        _time.Advance(TimeSpan.FromSeconds(601));
        await RoundAsync();
        Assert.Equal(1L, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
    }

    private static string Task(string begin) => $$"""{{begin}}, "target": { "task": { "agent": "noop", "brief": "x" } } }""";

    private Task<(int Schedules, int Firings)> MinuteAsync()
    {
        _time.Advance(TimeSpan.FromMinutes(1));
        return RoundAsync();
    }

    /// <summary>What a scheduler of its own does in a round.</summary>
    private async Task<(int Schedules, int Firings)> RoundAsync()
    {
        var due = new DueSchedules(_controller.Database, _time, NullLogger<DueSchedules>.Instance);
        var pending = new PendingFirings(_controller.Database, _controller.Services.GetRequiredService<FiringTarget>(), _time, NullLogger<PendingFirings>.Instance);
        return (await due.RunOnceAsync(Token), await pending.RunOnceAsync(Token));
    }

    private async Task PutAsync(string json, string name = "one")
    {
        var answer = await _controller.SendAsync(HttpMethod.Put, $"/api/v1/schedules/{name}", new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")), Token);
        Assert.True(answer.Status is 200 or 201, answer.Text);
    }

    private async Task<ScheduleView> FindAsync(string name = "one") =>
        System.Text.Json.JsonSerializer.Deserialize((await _controller.SendAsync(HttpMethod.Get, $"/api/v1/schedules/{name}", null, Token)).Text, Kohakku.Contracts.Json.ContractsJson.Default.ScheduleView)!;

    /// <summary>In the order of their times.</summary>
    private async Task<string[]> FiringsAsync() => (await _controller.ScalarAsync<string>(
        "SELECT string_agg(status || ' ' || cause || ' ' || to_char(scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), ';' ORDER BY scheduled_at) FROM schedule_firings")).Split(';');
}
