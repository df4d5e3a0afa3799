using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Targets;
using Kohakku.Controller.Schedules;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Scheduler;

/// <summary>Two schedulers on one database, killed at random points again and again: each time of each schedule makes one task.</summary>
public sealed class KilledSchedulerTests(PostgresFixture postgres)
{
    private const int Schedules = 40;
    private const int Kills = 8;

    [Fact]
    public async Task Each_time_fires_once_though_schedulers_are_killed()
    {
        var token = TestContext.Current.CancellationToken;
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var registry = new ScheduleRegistry(ControllerDatabases.Of(queue.Database), TimeProvider.System);
        for (var i = 0; i < Schedules; i++)
            await registry.PutAsync(queue.Project, $"s{i}", new PutSchedule
            {
                Every = "1s", Overlap = OverlapPolicy.Allow, CatchUp = CatchUpPolicy.All, Target = new WorkTarget { Task = new() { Agent = "shell", Brief = "{{ schedule.time }}" } },
            }, token);
        var (seed, database) = (Environment.TickCount, queue.ConnectionString);
        var random = new Random(seed);
        ProgramProcess[] running = [Schedulers.Start(database), Schedulers.Start(database)];
        try
        {
            for (var kill = 0; kill < Kills; kill++)
            {
                // Somewhere within the work: when a random number of tasks more are there.
                var until = await CountAsync("SELECT count(*) FROM tasks") + random.Next(1, 2 * Schedules);
                await Eventually.Async(async () => await CountAsync("SELECT count(*) FROM tasks") >= until, TimeSpan.FromMinutes(2), $"{until} tasks; {running[0]} {running[1]}");
                var victim = random.Next(2);
                await running[victim].DisposeAsync();
                running[victim] = Schedulers.Start(database);
            }

            await queue.ExecuteAsync("UPDATE schedules SET next_at = NULL, enabled = false");
            await Eventually.Async(async () => await CountAsync("SELECT count(*) FROM schedule_firings WHERE status = 'pending'") == 0, TimeSpan.FromMinutes(2), "nothing is pending");
        }
        finally
        {
            foreach (var scheduler in running) await scheduler.DisposeAsync();
        }

        var what = $"seed {seed}";
        Assert.True(await CountAsync("SELECT count(*) FROM schedule_firings WHERE status <> 'started'") == 0, what);
        // No time between a schedule's first and last is missing, none is there twice, and each has a task of its own: the one for its time.
        Assert.True(await CountAsync("SELECT count(*) FROM (SELECT schedule_id FROM schedule_firings GROUP BY 1 HAVING count(*) <> extract(epoch FROM max(scheduled_at) - min(scheduled_at))::int + 1) gaps") == 0, what);
        Assert.Equal(await CountAsync("SELECT count(*) FROM tasks"), await CountAsync("SELECT count(DISTINCT task_id) FROM schedule_firings"));
        Assert.Equal(0, await CountAsync("SELECT count(*) FROM schedule_firings f JOIN tasks t ON t.id = f.task_id WHERE t.brief <> to_char(f.scheduled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"));

        async Task<long> CountAsync(string sql) => long.Parse((await queue.ReadAsync(sql))!, System.Globalization.CultureInfo.InvariantCulture);
    }
}
