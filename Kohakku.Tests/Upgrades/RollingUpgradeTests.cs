using System.Net.Http.Json;
using System.Text;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Upgrades;

/// <summary>
/// An installation is brought to the next release under load, process by process, in the order of docs/upgrade.md. Without an old release at hand
/// (<see cref="Release.Old"/>) the programs stay the same, and the database goes ahead of them as the next release's would.
/// </summary>
public sealed class RollingUpgradeTests(PostgresFixture postgres, ObjectStorageFixture storage, ITestOutputHelper output)
{
    private const string Schedule = """{ "every": "1s", "overlap": "allow", "catchUp": "all", "target": { "task": { "agent": "noop", "brief": "{{ schedule.time }}" } } }""";
    private const string Workflow =
        """
        name: rolling
        steps:
          - { id: before, agent: shell, brief: "echo '{\"n\": 6}' > output/result.json" }
          - { id: gate, needs: [before], signal: { name: go } }
          - { id: after, needs: [gate], agent: shell, brief: "echo '{\"n\": '$(( {{ steps.before.output.n }} * 7 ))'}' > output/result.json" }
        outputs: { n: "{{ steps.after.output.n }}" }

        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_process_gives_way_to_its_successor_under_load_and_nothing_acknowledged_is_lost()
    {
        await using var installation = await Installation.CreateAsync(postgres, storage);
        var temporal = await installation.StartTemporalAsync(Release.Old);
        var (first, second) = (await installation.AddControllerAsync(Release.Old), await installation.AddControllerAsync(Release.Old));
        var (worker, scheduler) = await Both(installation.StartWorkerAsync(Release.Old), installation.StartSchedulerAsync(Release.Old));
        var (drained, stopped) = await Both(installation.StartDispatcherAsync(Release.Old, "drained"), installation.StartDispatcherAsync(Release.Old, "stopped"));
        using var api = installation.Client();
        var run = await BeginAsync(api);
        await using var load = new Load(installation.Client());
        await load.GoesOnAsync();
        Say(load, "the old release works");

        await MigrateAsync(installation);
        await load.GoesOnAsync();
        Say(load, "the old release works on the new database");

        first = await RestartAsync(installation, first);
        await load.GoesOnAsync();

        Assert.Equal(0, await ReplaceAsync(installation, first));
        await load.GoesOnAsync();
        Say(load, "one controller is new");
        Assert.Equal(0, await ReplaceAsync(installation, second));
        await load.GoesOnAsync();
        Say(load, "all controllers are new");

        await Both(installation.StartWorkerAsync(Release.This), installation.StartSchedulerAsync(Release.This));
        Assert.Equal((0, 0), await Both(worker.StopAsync(), scheduler.StopAsync()));
        await load.GoesOnAsync();
        Say(load, "temporal-worker and scheduler are new");

        await DrainAsync(api, "drained");
        Assert.Equal(0, await drained.StopAsync());
        await installation.StartDispatcherAsync(Release.This, "drained");
        await PostAsync(api, "dispatchers/drained/resume");
        await load.GoesOnAsync();
        Assert.Equal(0, await stopped.StopAsync());
        await installation.StartDispatcherAsync(Release.This, "stopped");
        await load.GoesOnAsync();
        Say(load, "dispatchers are new");

        if (Release.Old != Release.This)
        {
            await temporal.StopAsync();
            await installation.StartTemporalAsync(Release.This);
        }
        await PostAsync(api, $"runs/{run}/signals/go");
        await EndOfRunAsync(api, run);
        await load.EndAsync();
        Say(load, "all has ended");
        Assert.Equal(0, installation.Controllers.Refused);
        await EachTaskRanOnceAsync(installation, load);
        await EachTimeFiredOnceAsync(installation);
    }

    /// <returns>A run whose first step is done.</returns>
    private static async Task<Guid> BeginAsync(HttpClient api)
    {
        await PutAsync(api, "schedules/each-second", Schedule, "application/json");
        await PutAsync(api, "workflows/rolling", Workflow, "application/yaml");
        using var answer = await PostAsync(api, "workflows/rolling/runs");
        var run = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.RunView, Cancel))!.Id;
        await Eventually.Async(
            async () => (await RunAsync(api, run)) is { StartedAt: not null } begun && begun.Step("gate").Status == StepState.Waiting, TimeSpan.FromMinutes(1), "the run waits at its gate");
        return run;
    }

    /// <summary>While all instances are old, and serve.</summary>
    private static async Task MigrateAsync(Installation installation)
    {
        if (Release.Old == Release.This)
        {
            await NextRelease.MigrateAsync(installation.Database);
            return;
        }
        var migrate = installation.StartCommand(Release.This, "migrate");
        Assert.True(await migrate.EndAsync() == 0, migrate.ToString());
    }

    /// <summary>As after a crash. A release from before the floor refuses every newer database, by design: then it is not tried.</summary>
    private async Task<ProgramProcess> RestartAsync(Installation installation, ProgramProcess controller)
    {
        if (Release.Old != Release.This && installation.StartCommand(Release.Old, "migrate") is var migrate && await migrate.EndAsync() != 0)
        {
            Assert.Contains(migrate.Output, line => line.Contains("by a newer release", StringComparison.Ordinal));
            output.WriteLine($"The old release does not know the floor, and is not restarted. {migrate}");
            return controller;
        }
        await controller.KillAsync();
        installation.Controllers.Remove(controller);
        var again = await installation.AddControllerAsync(Release.Old);
        Assert.Single(again.Output, line => line.Contains("of a newer release", StringComparison.Ordinal));
        return again;
    }

    /// <summary>The new one comes before the old one goes; no address list names that any more when it is told to.</summary>
    /// <returns>The old one's exit code.</returns>
    private static async Task<int> ReplaceAsync(Installation installation, ProgramProcess controller)
    {
        await installation.AddControllerAsync(Release.This);
        installation.Controllers.Remove(controller);
        return await controller.StopAsync();
    }

    private static async Task DrainAsync(HttpClient api, string name)
    {
        await PostAsync(api, $"dispatchers/{name}/drain");
        await Eventually.Async(
            async () => (await api.GetFromJsonAsync($"/api/v1/dispatchers/{name}", ContractsJson.Default.DispatcherView, Cancel))!.RunningAttempts == 0,
            TimeSpan.FromMinutes(1), $"{name} has no attempts");
    }

    private static async Task EndOfRunAsync(HttpClient api, Guid id)
    {
        await Eventually.Async(async () => (await RunAsync(api, id)).Status.IsFinal(), TimeSpan.FromMinutes(1), "the run has ended");
        var run = await RunAsync(api, id);
        Assert.True(run.Status == RunState.Succeeded, run.Failure);
        Assert.Equal(42, run.Outputs!.Value.GetProperty("n").GetInt32());
        Assert.All(run.Steps, step => Assert.Equal(step.Kind == "agent" ? 1 : 0, step.TaskIds.Count));
    }

    private static async Task EachTaskRanOnceAsync(Installation installation, Load load)
    {
        var ids = load.Submitted.ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.Equal(ids.Length, await installation.ReadAsync<long>("SELECT count(*) FROM tasks WHERE title LIKE 'load %'"));
        Assert.Equal(ids.Length, await installation.ReadAsync<long>("SELECT count(*) FROM tasks WHERE id = ANY($1) AND status = 'succeeded'", ids));
        Assert.Equal(ids.Length, await installation.ReadAsync<long>("SELECT count(*) FROM attempts WHERE task_id = ANY($1) AND status = 'succeeded'", ids));
        Assert.Equal(ids.Length, await installation.ReadAsync<long>("SELECT count(*) FROM task_events WHERE task_id = ANY($1) AND type = 'task.ended'", ids));
        // What a dispatcher gave back when it was told to stop ran again, and counts as nothing. The drained one gave nothing back. The schedule goes on, so some run.
        Assert.Empty(await installation.ReadAsync<string[]>(
            """
            SELECT coalesce(array_agg(concat_ws(' ', title, attempts.number, dispatcher_name, attempts.status, attempts.reason, attempts.message)), '{}') FROM attempts JOIN tasks ON tasks.id = task_id
            WHERE attempts.ended_at IS NOT NULL AND attempts.status <> 'succeeded' AND (attempts.reason IS DISTINCT FROM 'dispatcherLost' OR dispatcher_name = 'drained')
            """));
    }

    private static async Task EachTimeFiredOnceAsync(Installation installation)
    {
        await Eventually.Async(async () => await installation.ReadAsync<long>("SELECT count(*) FROM schedule_firings WHERE status = 'pending'") == 0);
        Assert.Equal(0, await installation.ReadAsync<int>("SELECT (extract(epoch FROM max(scheduled_at) - min(scheduled_at)) + 1 - count(*))::int FROM schedule_firings"));
        Assert.Equal(0, await installation.ReadAsync<long>("SELECT count(*) - count(DISTINCT task_id) FROM schedule_firings"));
    }

    private static async Task<RunView> RunAsync(HttpClient api, Guid id) => (await api.GetFromJsonAsync($"/api/v1/runs/{id}", ContractsJson.Default.RunView, Cancel))!;

    private static async Task PutAsync(HttpClient api, string path, string body, string type)
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await api.PutAsync($"/api/v1/{path}", content, Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Cancel)}");
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient api, string path)
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        var answer = await api.PostAsync($"/api/v1/{path}", content, Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Cancel)}");
        return answer;
    }

    private static async Task<(T, T)> Both<T>(Task<T> one, Task<T> other) => (await one, await other);

    private void Say(Load load, string what) => output.WriteLine($"{TimeProvider.System.GetUtcNow():HH:mm:ss} {what}: {load.Submitted.Count} tasks, {load.Cuts} calls made again");
}
