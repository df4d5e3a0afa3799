using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>An API that is away, forgets, or does not allow: agents go on, and nothing of them is lost.</summary>
public sealed class ClusterOutageTests
{
    private const string WaitsToGo = "touch up; while [ ! -e go ]; do sleep 0.05; done; exit 9";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_watch_that_breaks_is_taken_up_again(bool gone)
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of(WaitsToGo, "image");
        var id = await KubernetesRuntimeTests.StartedAsync(worker, runtime, launch);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        var watches = worker.Cluster.Calls["/pods watch"];
        worker.Cluster.BreakWatches(gone);
        await Eventually.Async(() => worker.Cluster.Calls["/pods watch"] > watches);
        KubernetesRuntimeTests.Go(worker, launch);
        Assert.Equal(9, (await waiting).ExitCode);
    }

    [Fact]
    public async Task What_ends_while_the_API_is_away_is_learned_when_it_is_back()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of(WaitsToGo, "image");
        var id = await KubernetesRuntimeTests.StartedAsync(worker, runtime, launch);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        worker.Cluster.IsAway = true;
        worker.Cluster.BreakWatches(gone: true);
        KubernetesRuntimeTests.Go(worker, launch);
        await worker.Cluster.PodOf(launch.AttemptId).Ended;
        var broken = worker.Cluster.Broken;
        await Eventually.Async(() => worker.Cluster.Broken > broken + 1);
        Assert.False(waiting.IsCompleted);
        worker.Cluster.IsAway = false;
        Assert.Equal(9, (await waiting.WaitAsync(TimeSpan.FromMinutes(1), Cancelled)).ExitCode);
    }

    [Fact]
    public async Task A_pod_that_goes_while_nobody_watches_has_ended()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        var launch = Launches.Of(WaitsToGo, "image");
        var id = await KubernetesRuntimeTests.StartedAsync(worker, runtime, launch);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        worker.Cluster.IsAway = true;
        worker.Cluster.BreakWatches(gone: true);
        worker.Cluster.Store.RemovePod(worker.Cluster.PodOf(launch.AttemptId).Name);
        worker.Cluster.IsAway = false;
        Assert.Null((await waiting.WaitAsync(TimeSpan.FromMinutes(1), Cancelled)).ExitCode);
    }

    [Fact]
    public async Task While_it_is_away_nothing_is_started_and_that_may_pass()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runtime = await worker.RuntimeAsync();
        worker.Cluster.IsAway = true;
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.PrepareAsync(Launches.Of("exit 0", "image"), new Progress<int>(), Cancelled));
        Assert.Equal((FailureReason.StartFailed, true), (fault.Reason, fault.Transient));
        worker.Cluster.IsAway = false;
    }

    [Fact]
    public async Task An_API_that_does_not_answer_at_the_start_is_told_in_one_line()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.IsAway = true;
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => worker.Create().InitializeAsync(Cancelled));
        Assert.Contains("can't be reached", fault.Message, StringComparison.Ordinal);
        worker.Cluster.IsAway = false;
    }

    [Fact]
    public async Task Missing_rights_are_all_named()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.Denied.UnionWith(["create secrets", "get pods/log"]);
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => worker.Create().InitializeAsync(Cancelled));
        Assert.Contains("create secrets", fault.Message, StringComparison.Ordinal);
        Assert.Contains("get pods/log", fault.Message, StringComparison.Ordinal);
        Assert.Contains("kohakku-agents", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("jobs", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public async Task A_namespace_without_walls_is_refused()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.Policies.Clear();
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => worker.Create().InitializeAsync(Cancelled));
        Assert.Contains("NetworkPolicy", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_image_for_the_runner_it_takes_that_of_its_own_pod()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.Store.Put(new k8s.Models.V1Pod
        {
            Metadata = new k8s.Models.V1ObjectMeta { Name = "dispatcher-0" },
            Spec = new k8s.Models.V1PodSpec { Containers = [new k8s.Models.V1Container { Name = "sidecar", Image = "other" }, new k8s.Models.V1Container { Name = "dispatcher", Image = "registry/dispatcher:7" }] },
        });
        var runtime = worker.Create(change: options => options with { RunnerImage = null, OwnPod = ("kohakku", "dispatcher-0") });
        await runtime.InitializeAsync(Cancelled);
        await runtime.PrepareAsync(Launches.Of("exit 0", "image"), new Progress<int>(), Cancelled);
        Assert.Equal("registry/dispatcher:7", Assert.Single(worker.Cluster.Store.Jobs).Spec.Template.Spec.InitContainers[0].Image);

        var lost = worker.Create(change: options => options with { RunnerImage = null, OwnPod = ("kohakku", "dispatcher-9") });
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => lost.InitializeAsync(Cancelled));
        Assert.Contains("RUNNER_IMAGE", fault.Message, StringComparison.Ordinal);
        var nowhere = worker.Create(change: options => options with { RunnerImage = null });
        Assert.Contains("RUNNER_IMAGE", (await Assert.ThrowsAsync<RuntimeUnavailableException>(() => nowhere.InitializeAsync(Cancelled))).Message, StringComparison.Ordinal);
    }
}
