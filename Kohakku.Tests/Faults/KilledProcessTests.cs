using Kohakku.Tests.Fixtures;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Faults;

/// <summary>Processes are killed in the middle of work, as a power cut or the kernel would; the AppHost starts them again.</summary>
public sealed class KilledProcessTests
{
    private const string SlowBrief = "echo begun\nsleep 4\necho '{\"done\": true}' > output/result.json\n";

    [Fact]
    public async Task Tasks_that_run_while_the_controller_is_killed_end_once_in_their_first_attempt()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        var tasks = await SubmitRunningAsync(kohakku);
        await kohakku.KillAsync("controller");
        await AllSucceededOnceAsync(kohakku, tasks);
    }

    [Fact]
    public async Task Tasks_that_run_while_the_dispatcher_is_killed_are_adopted_and_end_once()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        var tasks = await SubmitRunningAsync(kohakku);
        await kohakku.KillAsync("dispatcher");
        await AllSucceededOnceAsync(kohakku, tasks);
    }

    [Fact]
    public async Task Containers_that_run_while_the_dispatcher_is_killed_are_adopted_and_end_once()
    {
        Requirement.DockerEngine();
        await using var kohakku = await RunningKohakku.StartAsync("local");
        var tasks = await SubmitRunningAsync(kohakku);
        await kohakku.KillAsync("dispatcher");
        await AllSucceededOnceAsync(kohakku, tasks);
    }

    [Fact]
    public async Task Tasks_end_once_though_the_database_is_killed_under_load()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        var tasks = await SubmitRunningAsync(kohakku);
        await kohakku.KillAsync("postgres");
        await AllSucceededOnceAsync(kohakku, tasks);
    }

    [Fact]
    public async Task Stopping_leaves_no_process_and_starting_again_finds_all_data()
    {
        var data = Directory.CreateTempSubdirectory("kohakku-e2e-");
        var first = await RunningKohakku.StartAsync("process", data: data);
        var done = await first.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "echo kept > output/kept.txt\n" });
        Assert.Equal(TaskState.Succeeded, (await first.EndOfAsync(done.Id)).Status);
        var running = await first.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "sleep 3\n" });
        await first.WhenAgentRunsAsync(running.Id);
        await first.StopAsync();
        Assert.Empty(AgentProcesses.Of(running.Id));
        Assert.False(File.Exists(Path.Combine(data.FullName, "endpoints.json")));
        Assert.Empty(AgentProcesses.Naming(data.FullName));

        await using var second = await RunningKohakku.StartAsync("process", data: data);
        Assert.Equal("kept\n", await second.Api.GetStringAsync($"/api/v1/tasks/{done.Id}/artifacts/kept.txt", TestContext.Current.CancellationToken));
        // Its dispatcher was told to stop and handed it back: it runs again, and none of its attempts is burnt.
        var ended = await second.EndOfAsync(running.Id, TimeSpan.FromMinutes(2));
        Assert.Equal(TaskState.Succeeded, ended.Status);
        Assert.Equal([AttemptState.Failed, AttemptState.Succeeded], ended.Attempts.Select(attempt => attempt.Status));
    }

    private static async Task<List<Guid>> SubmitRunningAsync(RunningKohakku kohakku)
    {
        var tasks = new List<Guid>();
        for (var number = 0; number < 4; number++) tasks.Add((await kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = SlowBrief })).Id);
        foreach (var id in tasks) await kohakku.WhenAgentRunsAsync(id);
        return tasks;
    }

    private static async Task AllSucceededOnceAsync(RunningKohakku kohakku, List<Guid> tasks)
    {
        foreach (var id in tasks)
        {
            var ended = await kohakku.EndOfAsync(id, TimeSpan.FromMinutes(2));
            Assert.True(ended.Status == TaskState.Succeeded, $"{ended.Status}: {ended.Failure?.Message}");
            Assert.True(ended.Output!.Value.GetProperty("done").GetBoolean());
            Assert.Single(ended.Attempts);
            var timeline = await kohakku.TimelineAsync(id);
            Assert.Equal(Enumerable.Range(1, timeline.Count).Select(number => (long)number), timeline.Select(entry => entry.Id));
            Assert.Single(timeline, entry => entry.Type == "task.ended");
            Assert.Single(timeline, entry => entry.Type == "attempt.running");
            Assert.Contains("begun", await kohakku.LogAsync(id), StringComparison.Ordinal);
            Assert.Empty(AgentProcesses.Of(id));
        }
    }
}
