using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>The whole way: the dispatcher as a process, a cluster's API, the real runner copied into the pod, and the agent protocol over HTTP.</summary>
public sealed class WorkerProcessTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kwp-").FullName;
    private readonly List<ProgramProcess> started = [];

    [Fact]
    public async Task An_agent_does_its_brief_in_a_pod_and_nothing_is_left()
    {
        await using var cluster = await ClusterAsync();
        await using var controller = await ScriptedController.StartAsync();
        Start(await SettingsAsync(controller, cluster));
        var order = Order("echo working; test -f BRIEF.md; env | grep -c KOHAKKU_TOKEN; echo '{\"n\": 3}' > output/result.json");
        controller.Submit(order);
        var end = await controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Succeeded, "working\n1\n"), (end.Status, end.LogTail));
        Assert.Equal(3, end.Output!.Value.GetProperty("n").GetInt32());
        Assert.Equal(AttemptEventTypes.Ended, controller.TypesOf(order.AttemptId)[^1]);
        Assert.Contains(AttemptEventTypes.Running, controller.TypesOf(order.AttemptId));
        Assert.Equal("worker", controller.Registrations.First().Runtime);
        await Eventually.Async(() => cluster.Store is { Jobs.Count: 0, Secrets.Count: 0, Pods.Count: 0 });
        Assert.Empty(controller.Violations);
    }

    [Fact]
    public async Task An_agent_that_fails_an_image_that_is_missing_and_a_timeout_have_their_reasons()
    {
        await using var cluster = await ClusterAsync();
        cluster.PullFaults["missing"] = [("ErrImagePull", "manifest unknown")];
        await using var controller = await ScriptedController.StartAsync();
        Start(await SettingsAsync(controller, cluster));
        var (fails, missing) = (Order("echo 'on fire' >&2; exit 3"), Order("true", image: "missing"));
        var late = Order("trap 'echo tidied; exit 7' TERM; while :; do sleep 0.1; done") with { TimeoutSeconds = 2 };
        controller.Submit(fails, missing, late);
        var failed = await controller.EndOfAsync(fails.AttemptId);
        Assert.Equal((FailureReason.AgentExit, 3), (failed.Reason, failed.ExitCode));
        Assert.Contains("on fire", failed.LogTail, StringComparison.Ordinal);
        var unpulled = await controller.EndOfAsync(missing.AttemptId);
        Assert.Equal((FailureReason.ImagePull, false), (unpulled.Reason, unpulled.Transient));
        var timedOut = await controller.EndOfAsync(late.AttemptId);
        Assert.Equal((AttemptState.TimedOut, 7), (timedOut.Status, timedOut.ExitCode));
        Assert.Contains("tidied", timedOut.LogTail, StringComparison.Ordinal);
        await Eventually.Async(() => cluster.Store is { Jobs.Count: 0, Secrets.Count: 0, Pods.Count: 0 });
    }

    [Fact]
    public async Task A_killed_dispatcher_adopts_its_pods_when_it_comes_back()
    {
        await using var cluster = await ClusterAsync();
        await using var controller = await ScriptedController.StartAsync();
        var settings = await SettingsAsync(controller, cluster);
        var first = Start(settings);
        var order = Order("echo before; touch up; while [ ! -e go ]; do sleep 0.1; done; echo after");
        controller.Submit(order);
        await Eventually.Async(() => controller.TypesOf(order.AttemptId).Contains(AttemptEventTypes.Running));
        await Eventually.Async(() => File.Exists(Path.Combine(cluster.PodOf(order.AttemptId).Workspace, "up")));
        await first.KillAsync();
        Start(settings);
        await Eventually.Async(() => controller.Registrations.Count == 2);
        await File.WriteAllTextAsync(Path.Combine(cluster.PodOf(order.AttemptId).Workspace, "go"), "");
        var end = await controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Succeeded, "before\nafter\n"), (end.Status, end.LogTail));
        Assert.Single(cluster.Pods);
        await Eventually.Async(() => cluster.Store is { Jobs.Count: 0, Secrets.Count: 0, Pods.Count: 0 });
    }

    [Fact]
    public async Task A_stopped_dispatcher_leaves_no_pod_and_gives_its_task_back()
    {
        await using var cluster = await ClusterAsync();
        await using var controller = await ScriptedController.StartAsync();
        var dispatcher = Start(await SettingsAsync(controller, cluster));
        var (runs, waits) = (Order("sleep 600"), Order("true", image: "slow"));
        cluster.PullFaults["slow"] = [("ContainerCreating", "")];
        controller.Submit(runs, waits);
        await Eventually.Async(() => controller.TypesOf(runs.AttemptId).Contains(AttemptEventTypes.Running) && cluster.Store.Jobs.Count == 2);
        var stopped = dispatcher.StopAsync();
        foreach (var order in new[] { runs, waits })
        {
            var end = await controller.EndOfAsync(order.AttemptId);
            Assert.Equal((FailureReason.DispatcherLost, true), (end.Reason!.Value, end.Transient));
        }
        Assert.Equal(0, await stopped);
        Assert.Empty(cluster.Store.Jobs);
        await Eventually.Async(() => cluster.Store.Pods.Count == 0);
    }

    [Fact]
    public async Task Missing_rights_end_it_at_its_start_with_one_line()
    {
        await using var cluster = await ClusterAsync();
        cluster.Denied.Add("create jobs");
        await using var controller = await ScriptedController.StartAsync();
        var dispatcher = Start(await SettingsAsync(controller, cluster));
        Assert.Equal(78, await dispatcher.EndAsync());
        var lines = dispatcher.Printed(asErrors: true).Split('\n');
        Assert.Contains("create jobs.batch", Assert.Single(lines, line => line.StartsWith("dispatcher: ", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in started) await process.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<FakeCluster> ClusterAsync([System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        var runner = Path.Combine(AppContext.BaseDirectory, "runner");
        Requirement.Met(File.Exists(Path.Combine(runner, "kohakku-agent")), "there is no native runner (gcc and a new build make it)", test);
        return await FakeCluster.StartAsync(runner);
    }

    private static AttemptOrder Order(string brief, string image = "image")
    {
        var order = TestOrders.Exec(brief: brief);
        return order with { Agent = order.Agent with { Image = image, Command = ["/bin/sh", "-eu", "BRIEF.md"] } };
    }

    private async Task<Dictionary<string, string?>> SettingsAsync(ScriptedController controller, FakeCluster cluster)
    {
        var port = Ports.Next();
        var settings = await storage.CreateSettingsAsync();
        foreach (var (key, value) in new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development", ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{port}", ["DISPATCHER_URL"] = $"http://127.0.0.1:{port}",
            ["CONTROLLER_URL"] = controller.Url.ToString(), ["KOHAKKU_DATA"] = Path.Combine(folder, "data"), ["RUNTIME_BACKEND"] = "worker",
            ["ConnectionStrings__dispatcher"] = await postgres.CreateDatabaseAsync(), ["KUBECONFIG"] = cluster.Kubeconfig, ["RUNNER_IMAGE"] = "kohakku/dispatcher:test",
        }) settings[key] = value;
        return settings;
    }

    private ProgramProcess Start(Dictionary<string, string?> settings)
    {
        var process = new ProgramProcess(Release.This.Program("Kohakku.Dispatcher"), [], settings);
        started.Add(process);
        return process;
    }
}
