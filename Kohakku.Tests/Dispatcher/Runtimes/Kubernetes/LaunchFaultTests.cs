using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>What keeps an agent from starting, and what is said of it.</summary>
public sealed class LaunchFaultTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ErrImagePull", "failed to pull and unpack image \"registry/x:1\": failed to resolve reference: registry/x:1: not found", false)]
    [InlineData("ErrImagePull", "pull access denied, repository does not exist or may require authorization", false)]
    [InlineData("InvalidImageName", "Failed to apply default image tag \"X:\": couldn't parse image name", false)]
    [InlineData("ErrImageNeverPull", "Container image \"registry/x:1\" is not present with pull policy of Never", false)]
    [InlineData("ErrImagePull", "failed to do request: Head \"https://registry/\": dial tcp: lookup registry: no such host", true)]
    [InlineData("ErrImagePull", "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit", true)]
    public async Task An_image_that_can_not_be_had_is_named_with_the_kubelets_words(string reason, string message, bool transient)
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Limits = worker.Limits with { Unpulled = Short };
        worker.Cluster.PullFaults["registry/x:1"] = [(reason, message), ("ImagePullBackOff", "Back-off pulling image \"registry/x:1\"")];
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "registry/x:1"));
        Assert.Equal((FailureReason.ImagePull, transient), (fault.Reason, fault.Transient));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.Contains("registry/x:1", fault.Message, StringComparison.Ordinal);
        Assert.Empty(worker.Cluster.Store.Jobs);
    }

    [Fact]
    public async Task A_registry_that_comes_back_in_time_is_no_fault_and_the_pull_is_told()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.PullFaults["image"] = [("ErrImagePull", "connection refused")];
        var runtime = await worker.RuntimeAsync();
        var told = new List<int>();
        var launch = Launches.Of("exit 0", "image");
        var preparing = runtime.PrepareAsync(launch, new Told(told), Cancelled);
        await Eventually.Async(() => told.Contains(0));
        Assert.False(preparing.IsCompleted);
        worker.Cluster.PullFaults.Remove("image");
        await preparing;
        Assert.Equal([0, 100], told);
        Assert.Equal(0, (await runtime.WaitAsync(launch.AttemptId, await runtime.StartAsync(launch, Cancelled), Cancelled)).ExitCode);
    }

    [Fact]
    public async Task A_runners_image_that_can_not_be_had_is_our_fault()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Limits = worker.Limits with { Unpulled = Short };
        worker.Cluster.PullFaults["kohakku/dispatcher:test"] = [("ErrImagePull", "not found")];
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image"));
        Assert.Equal((FailureReason.StartFailed, true), (fault.Reason, fault.Transient));
        Assert.Contains("kohakku/dispatcher:test", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pod_that_no_node_takes_fails_after_its_time_with_the_schedulers_words()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Limits = worker.Limits with { Unscheduled = Short };
        worker.Cluster.NoRoom = "0/3 nodes are available: 3 Insufficient memory.";
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image"));
        Assert.Equal((FailureReason.StartFailed, true), (fault.Reason, fault.Transient));
        Assert.Contains("0/3 nodes are available: 3 Insufficient memory.", fault.Message, StringComparison.Ordinal);
        Assert.Empty(worker.Cluster.Store.Jobs);
    }

    [Fact]
    public async Task A_node_that_is_brought_in_time_is_waited_for()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.NoRoom = "0/3 nodes are available.";
        var runtime = await worker.RuntimeAsync();
        var preparing = runtime.PrepareAsync(Launches.Of("exit 0", "image"), new Progress<int>(), Cancelled);
        await Eventually.Async(() => worker.Cluster.Store.Pods.Any(pod => pod.Status.Conditions is not null));
        worker.Cluster.NoRoom = null;
        await preparing;
    }

    [Fact]
    public async Task A_Job_that_makes_no_pod_says_where_to_look()
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Limits = worker.Limits with { Unmade = Short };
        worker.Cluster.MakesNoPods = true;
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image"));
        Assert.Equal((FailureReason.StartFailed, true), (fault.Reason, fault.Transient));
        Assert.Contains("quota", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(403, "jobs.batch \"x\" is forbidden: exceeded quota: agents, requested: count/jobs.batch=1", true)]
    [InlineData(422, "Job.batch \"x\" is invalid: spec.template.spec.containers[0].image: Invalid value", false)]
    public async Task A_Job_that_is_refused_is_told_in_the_clusters_words(int status, string words, bool transient)
    {
        await using var worker = await WorkerFixture.StartAsync();
        worker.Cluster.RefuseJobs = (status, words);
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image"));
        Assert.Equal((FailureReason.StartFailed, transient), (fault.Reason, fault.Transient));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_runner_that_can_not_be_copied_is_our_fault_and_says_why()
    {
        await using var worker = await WorkerFixture.StartAsync();
        var runner = Path.Combine(worker.Cluster.RunnerFolder, "kohakku-agent");
        await File.WriteAllTextAsync(runner, "#!/bin/sh\necho no space left on device >&2\nexit 10\n", Cancelled);
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image"));
        Assert.Equal((FailureReason.StartFailed, true), (fault.Reason, fault.Transient));
        Assert.Contains("no space left on device", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NetworkMode.Allow, null, "allow")]
    [InlineData(NetworkMode.None, 16, "pids")]
    public async Task What_a_cluster_does_not_enforce_is_refused(NetworkMode network, int? pids, string names)
    {
        await using var worker = await WorkerFixture.StartAsync();
        var fault = await FaultAsync(worker, Launches.Of("exit 0", "image", new ResourceLimits { Pids = pids }, network));
        Assert.False(fault.Transient);
        Assert.Contains(names, fault.Message, StringComparison.Ordinal);
        Assert.Empty(worker.Cluster.Pods);
    }

    private static async Task<LaunchException> FaultAsync(WorkerFixture worker, AgentLaunch launch)
    {
        var runtime = await worker.RuntimeAsync();
        return await Assert.ThrowsAsync<LaunchException>(() => runtime.PrepareAsync(launch, new Progress<int>(), Cancelled));
    }

    private sealed class Told(List<int> told) : IProgress<int>
    {
        public void Report(int value) => told.Add(value);
    }
}
