using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher;

/// <summary>The dispatcher as a process of its own, killed as only a process can be.</summary>
public sealed class DispatcherProcessTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncDisposable
{
    private readonly string folder = MakeFolder();
    private readonly List<ProgramProcess> started = [];

    [Fact]
    public async Task A_killed_dispatcher_adopts_its_running_agents_when_it_comes_back()
    {
        Requirement.Program("curl");
        await using var controller = await ScriptedController.StartAsync();
        var settings = await SettingsAsync(controller);
        var first = Start(settings);
        var order = TestOrders.Exec();
        controller.Submit(order);
        await Eventually.Async(() => controller.TypesOf(order.AttemptId).Contains(AttemptEventTypes.Running));
        var log = Path.Combine(folder, "data", "attempt-logs", $"{order.AttemptId:N}.log");
        await Eventually.Async(() => File.Exists(Path.Combine(folder, "said")));
        var runtimeId = controller.EventsOf(order.AttemptId)[^1].Data!.Value.GetProperty("runtimeId").GetString()!;

        await first.KillAsync();
        Assert.True(Directory.Exists($"/proc/{runtimeId.Split(':')[0]}"), "The agent must outlive the dispatcher.");
        var second = Start(settings);
        await Eventually.Async(() => controller.Registrations.Count == 2);
        File.WriteAllText(Path.Combine(folder, "go"), "");

        var end = await controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Succeeded, "before\nafter\n"), (end.Status, end.LogTail));
        Assert.Equal([AttemptEventTypes.Starting, AttemptEventTypes.Running, AttemptEventTypes.Ended], controller.TypesOf(order.AttemptId));
        Assert.Single(controller.Registrations.Select(each => each.InstanceId).Distinct());
        await Eventually.Async(() => !File.Exists(log) && Directory.GetDirectories(Path.Combine(folder, "data", "workspaces")).Length == 0);
        await second.KillAsync();
    }

    [Fact]
    public async Task A_stopped_dispatcher_leaves_no_agent_and_gives_its_task_back()
    {
        Requirement.Program("curl");
        await using var controller = await ScriptedController.StartAsync();
        var dispatcher = Start(await SettingsAsync(controller));
        var order = TestOrders.Exec();
        controller.Submit(order);
        await Eventually.Async(() => controller.TypesOf(order.AttemptId).Contains(AttemptEventTypes.Running));
        var runtimeId = controller.EventsOf(order.AttemptId)[^1].Data!.Value.GetProperty("runtimeId").GetString()!;
        var stopped = dispatcher.StopAsync();
        var end = await controller.EndOfAsync(order.AttemptId);
        Assert.Equal((FailureReason.DispatcherLost, true), (end.Reason!.Value, end.Transient));
        Assert.Equal(0, await stopped);
        Assert.False(Directory.Exists($"/proc/{runtimeId.Split(':')[0]}"));
        Assert.Empty(Directory.GetDirectories(Path.Combine(folder, "data", "workspaces")));
    }

    [Fact]
    public async Task Wrong_settings_are_told_all_at_once_one_line_each()
    {
        var settings = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production", ["RUNTIME_BACKEND"] = "process", ["QUEUE_SOURCE"] = "redis-stream", ["NUM_CONSUMERS"] = "none",
            ["MAX_CONCURRENT_AGENTS"] = "0", ["DISPATCHER_LABELS"] = "gpu", ["CONTROLLER_URL"] = "nowhere",
        };
        var dispatcher = Start(settings);
        Assert.Equal(78, await dispatcher.EndAsync());
        var lines = dispatcher.Printed(asErrors: true).Split('\n');
        foreach (var key in settings.Keys.Skip(1).Append("CALLBACK_SIGNING_KEY")) Assert.Single(lines, line => line.StartsWith($"dispatcher: {key}", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in started) await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<Dictionary<string, string?>> SettingsAsync(ScriptedController controller)
    {
        var port = Ports.Next();
        var settings = await storage.CreateSettingsAsync();
        foreach (var (key, value) in new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development", ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}", ["DISPATCHER_URL"] = $"http://127.0.0.1:{port}",
            ["CONTROLLER_URL"] = controller.Url.ToString(), ["KOHAKKU_DATA"] = Path.Combine(folder, "data"), ["RUNTIME_BACKEND"] = "process",
            ["ConnectionStrings__dispatcher"] = await postgres.CreateDatabaseAsync(), ["KOHAKKU_RUNNER"] = WriteRunner(),
        }) settings[key] = value;
        return settings;
    }

    /// <summary>Stands in for the runner: says something, waits for the file <c>go</c>, says more and ends well.</summary>
    private string WriteRunner()
    {
        var path = Path.Combine(folder, "runner");
        File.WriteAllText(path, $$"""
            #!/bin/sh
            post() { curl -sf --retry 60 --retry-all-errors --retry-delay 1 -o /dev/null -H "Authorization: Bearer $KOHAKKU_TOKEN" -H 'Content-Type: application/json' -d "$2" "$KOHAKKU_URL/agent/v1/$1"; }
            post events '[{"type":"log","stream":"stdout","text":"before\n"}]'
            touch {{folder}}/said
            while [ ! -e {{folder}}/go ]; do sleep 0.1; done
            post events '[{"type":"log","stream":"stdout","text":"after\n"}]'
            post result '{"status":"succeeded","exitCode":0}' || exit 3
            printf '{"exitCode":0}' > "$KOHAKKU_EXIT_FILE"
            """);
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }

    private static string MakeFolder()
    {
        var path = Directory.CreateTempSubdirectory("kdp-").FullName;
        // Agents run as another user, who must be able to come in.
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }

    private ProgramProcess Start(Dictionary<string, string?> settings)
    {
        var process = new ProgramProcess(Release.This.Program("Kohakku.Dispatcher"), [], settings);
        started.Add(process);
        return process;
    }
}
