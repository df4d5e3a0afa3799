using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>Lives of agents in a cluster: started, ended in all ways, stopped, found again, removed.</summary>
public sealed class KubernetesRuntimeTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_runners_exit_code_and_last_words_come_out()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var exit = await (await worker.RuntimeAsync()).RunAsync(Launches.Of("echo out; echo last words >&2; exit 7", "image"), Cancelled);
        Assert.Equal(7, exit.ExitCode);
        Assert.Contains("last words", exit.LogTail, StringComparison.Ordinal);
        Assert.False(exit.OutOfMemory);
    }

    [Fact]
    public async Task Success_is_zero_and_silent_and_nothing_is_left()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        Assert.Equal(new RuntimeExit(0, false, ""), await runtime.RunAsync(Launches.Of("echo fine >&2", "image"), Cancelled));
        Assert.Empty(await runtime.ListAsync(Cancelled));
        Assert.Empty(worker.Cluster.Store.Secrets);
        await Eventually.Async(() => worker.Cluster.Store.Pods.Count == 0);
    }

    [Fact]
    public async Task Running_out_of_memory_is_seen()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("touch up; while [ ! -e go ]; do sleep 0.05; done; kill -9 $$", "image");
        var id = await StartedAsync(worker, runtime, launch);
        worker.Cluster.PodOf(launch.AttemptId).RunsOutOfMemory = true;
        Go(worker, launch);
        var exit = await runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        Assert.Equal((137, true), (exit.ExitCode, exit.OutOfMemory));
    }

    [Fact]
    public async Task A_pod_that_the_node_evicts_has_no_exit_code_but_a_reason()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("touch up; sleep 60", "image");
        var id = await StartedAsync(worker, runtime, launch);
        var pod = worker.Cluster.PodOf(launch.AttemptId);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        pod.Evict("Evicted", "The node was low on resource: memory.");
        var exit = await waiting;
        Assert.Null(exit.ExitCode);
        Assert.Contains("Evicted: The node was low on resource: memory.", exit.LogTail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pod_whose_node_is_lost_ends_when_it_should_have()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Limits = worker.Limits with { NodeSilence = TimeSpan.FromMilliseconds(500) };
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("touch up; sleep 60", "image");
        var id = await StartedAsync(worker, runtime, launch);
        worker.Cluster.NodesAreSilent = true;
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.Zero, Cancelled);
        var exit = await waiting.WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        Assert.Null(exit.ExitCode);
        Assert.Contains("node-1", exit.LogTail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starting_twice_finds_the_first_start_also_in_another_process()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("touch up; sleep 60", "image");
        var id = await StartedAsync(worker, runtime, launch);
        Assert.Equal(id, await runtime.StartAsync(launch, Cancelled));
        Assert.Equal(id, await (await worker.RuntimeAsync()).StartAsync(launch, Cancelled));
        Assert.Single(worker.Cluster.Store.Jobs);
        Assert.Single(worker.Cluster.Store.Pods);
    }

    [Fact]
    public async Task Stopping_asks_first_and_the_exit_code_is_known_though_the_pod_is_gone()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("trap 'echo tidied; exit 5' TERM; touch up; while :; do sleep 0.05; done", "image");
        var id = await StartedAsync(worker, runtime, launch);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(30), Cancelled);
        var exit = await runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        Assert.Equal(5, exit.ExitCode);
        Assert.Contains("tidied", exit.LogTail, StringComparison.Ordinal);
        // Told again, there is nothing to tell any more.
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(30), Cancelled);
    }

    [Fact]
    public async Task What_does_not_stop_within_the_grace_is_killed()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("trap '' TERM; touch up; while :; do sleep 0.05; done", "image");
        var id = await StartedAsync(worker, runtime, launch);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(1), Cancelled);
        Assert.Equal(137, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
    }

    [Fact]
    public async Task A_dispatcher_that_comes_back_finds_its_own_and_learns_their_end()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var launch = Launches.Of("touch up; while [ ! -e go ]; do sleep 0.05; done; exit 9", "image");
        var first = await worker.RuntimeAsync();
        var id = await StartedAsync(worker, first, launch);
        await first.DisposeAsync();
        var second = await worker.RuntimeAsync();
        Assert.Equal([new FoundAgent(launch.AttemptId, id)], await second.ListAsync(Cancelled));
        Assert.Empty(await (await worker.RuntimeAsync(Guid.NewGuid())).ListAsync(Cancelled));
        var waiting = second.WaitAsync(launch.AttemptId, id, Cancelled);
        Assert.False(waiting.IsCompleted);
        Go(worker, launch);
        Assert.Equal(9, (await waiting).ExitCode);
        // One that comes when all is over learns it too.
        Assert.Equal(9, (await (await worker.RuntimeAsync()).WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await second.RemoveAsync(launch.AttemptId, Cancelled);
        Assert.Empty(await second.ListAsync(Cancelled));
        await Eventually.Async(() => worker.Cluster.Store.Pods.Count == 0);
        Assert.Null((await (await worker.RuntimeAsync()).WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
    }

    [Fact]
    public async Task What_was_made_but_never_started_is_listed_without_an_id_and_cancelling_removes_it()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.NoRoom = "0/3 nodes are available: 3 Insufficient cpu.";
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("exit 0", "image");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var preparing = runtime.PrepareAsync(launch, new Progress<int>(), stop.Token);
        await Eventually.Async(() => worker.Cluster.Store.Pods.Count == 1);
        Assert.Equal([new FoundAgent(launch.AttemptId, null)], await runtime.ListAsync(Cancelled));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => preparing);
        Assert.Empty(worker.Cluster.Store.Jobs);
        await Eventually.Async(() => worker.Cluster.Store.Pods.Count == 0);
    }

    [Fact]
    public async Task Stopping_before_there_is_a_pod_takes_its_Job_away()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.MakesNoPods = true;
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("exit 0", "image");
        var preparing = runtime.PrepareAsync(launch, new Progress<int>(), Cancelled);
        await Eventually.Async(() => worker.Cluster.Store.Secrets.Count == 1);
        await runtime.StopAsync(launch.AttemptId, "", TimeSpan.FromSeconds(1), Cancelled);
        Assert.Empty(worker.Cluster.Store.Jobs);
        Assert.Null((await runtime.WaitAsync(launch.AttemptId, "", Cancelled)).ExitCode);
        await runtime.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => preparing);
    }

    [Fact]
    public async Task Nothing_there_is_no_error_to_stop_or_remove()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var attempt = Guid.CreateVersion7();
        await runtime.StopAsync(attempt, "gone", TimeSpan.FromSeconds(1), Cancelled);
        await runtime.RemoveAsync(attempt, Cancelled);
        Assert.Null((await runtime.WaitAsync(attempt, "gone", Cancelled)).ExitCode);
    }

    [Fact]
    public async Task It_calls_what_the_Role_allows_and_no_more()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of("touch up; sleep 60", "image");
        var id = await StartedAsync(worker, runtime, launch);
        await runtime.ListAsync(Cancelled);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.Zero, Cancelled);
        await runtime.RunAsync(Launches.Of("exit 1", "image"), Cancelled);
        var allowed = ClusterAccess.Calls.Select(call => $"{call.Group}/{call.Resource}{(call.Subresource is null ? "" : $"/{call.Subresource}")} {call.Verb}").ToHashSet();
        Assert.Subset(allowed, worker.Cluster.Calls.Keys.ToHashSet());
    }

    internal static async Task<string> StartedAsync(WorkerFixture worker, KubernetesRuntime runtime, AgentLaunch launch)
    {
        await runtime.PrepareAsync(launch, new Progress<int>(), Cancelled);
        var id = await runtime.StartAsync(launch, Cancelled);
        await Eventually.Async(() => File.Exists(Path.Combine(worker.Cluster.PodOf(launch.AttemptId).Workspace, "up")));
        return id;
    }

    internal static void Go(WorkerFixture worker, AgentLaunch launch) => File.WriteAllText(Path.Combine(worker.Cluster.PodOf(launch.AttemptId).Workspace, "go"), "");
}
