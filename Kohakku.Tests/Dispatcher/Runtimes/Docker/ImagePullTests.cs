using System.Net;
using System.Net.Sockets;
using Docker.DotNet.Models;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Docker;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

[Collection(DockerCollection.Name)]
public sealed class ImagePullTests(DockerFixture docker)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_image_that_many_want_is_pulled_once_and_all_hear_how_far_it_is()
    {
        await docker.ReadyAsync();
        await using var registry = await RegistryAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 4", registry.Image);
        var heard = Enumerable.Range(0, 4).Select(_ => new Percentages()).ToList();
        var preparing = heard.Select(progress => runtime.PrepareAsync(launch, progress, Cancelled)).ToList();
        await Eventually.Async(() => registry.LayerDownloads == 1);
        registry.GiveLayers();
        await Task.WhenAll(preparing);
        Assert.Equal(1, registry.LayerDownloads);
        Assert.All(heard, progress => Assert.Equal(100, progress.Heard[^1]));
        Assert.All(heard, progress => Assert.Equal(progress.Heard.Order(), progress.Heard));
        Assert.Equal(4, (await runtime.RunAsync(launch, Cancelled)).ExitCode);
    }

    [Fact]
    public async Task Who_gives_up_waiting_takes_the_pull_from_nobody_else()
    {
        await docker.ReadyAsync();
        await using var registry = await RegistryAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 4", registry.Image);
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var first = runtime.PrepareAsync(launch, new Percentages(), impatient.Token);
        await Eventually.Async(() => registry.LayerDownloads == 1);
        var second = runtime.PrepareAsync(launch, new Percentages(), Cancelled);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        registry.GiveLayers();
        await second;
        Assert.NotNull(await docker.Client.Images.InspectImageAsync(registry.Image, Cancelled));
    }

    [Theory]
    [InlineData("nothing:1")]
    [InlineData("private/agent:1")]
    public async Task An_image_that_can_not_be_had_is_a_final_fault_in_words(string name)
    {
        await docker.ReadyAsync();
        await using var registry = await RegistryAsync();
        var fault = await FaultAsync($"{registry.Host}/{name}");
        Assert.False(fault.Transient, fault.Message);
        Assert.Contains($"{registry.Host}/{name}", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Upper/Case:1")]
    [InlineData("../../containers/json?all=1#")]
    [InlineData("a b")]
    public async Task What_is_no_name_is_a_final_fault(string name)
    {
        await docker.ReadyAsync();
        Assert.False((await FaultAsync(name)).Transient);
        Assert.False((await FaultAsync(name, PullPolicy.Always)).Transient);
    }

    [Fact]
    public async Task A_registry_that_breaks_is_a_passing_fault()
    {
        await docker.ReadyAsync();
        await using var registry = await RegistryAsync();
        Assert.True((await FaultAsync($"{registry.Host}/broken/agent:1")).Transient);
    }

    [Fact]
    public async Task A_registry_that_refuses_the_connection_is_a_passing_fault()
    {
        await docker.ReadyAsync();
        using var dead = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dead.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // taken, so that nobody else listens there, and not listened on
        var fault = await FaultAsync($"127.0.0.1:{((IPEndPoint)dead.LocalEndPoint!).Port}/agent:1");
        Assert.True(fault.Transient, fault.Message);
        Assert.Contains("connection refused", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_must_not_be_pulled_and_is_not_there_is_a_final_fault()
    {
        await docker.ReadyAsync();
        var fault = await FaultAsync("kohakku-test/nowhere:1", PullPolicy.Never);
        Assert.False(fault.Transient);
        Assert.Contains("never", fault.Message, StringComparison.Ordinal);
    }

    private async Task<LaunchException> FaultAsync(string image, PullPolicy policy = PullPolicy.Missing)
    {
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 0", image, pullPolicy: policy);
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.PrepareAsync(launch, new Percentages(), Cancelled));
        Assert.Equal(FailureReason.ImagePull, fault.Reason);
        Assert.DoesNotContain('{', fault.Message);
        return fault;
    }

    private async Task<FakeRegistry> RegistryAsync()
    {
        // Of its own, or the engine would know the layer by its digest and not download it.
        using var layer = new MemoryStream();
        layer.Write(await DockerFixture.BusyboxTarAsync(workspaceOwner: Random.Shared.Next(1, 60_000)));
        var registry = await FakeRegistry.StartAsync(layer.ToArray(), Cancelled);
        docker.RemoveAtEnd(registry.Image);
        return registry;
    }

    private sealed class Percentages : IProgress<int>
    {
        public List<int> Heard { get; } = [];

        public void Report(int value)
        {
            lock (Heard) Heard.Add(value);
        }
    }
}

public sealed class PullProgressTests
{
    [Fact]
    public void Percentages_only_rise_and_are_100_only_at_the_end()
    {
        var heard = new List<int>();
        var progress = new PullProgress(heard.Add);
        progress.Add(Message("a", "Pulling fs layer"));
        progress.Add(Message("b", "Pulling fs layer"));
        progress.Add(Message("a", "Downloading", 50, 100));
        progress.Add(Message("a", "Downloading", 10, 100));
        progress.Add(Message("a", "Download complete"));
        progress.Add(Message("a", "Extracting", 100, 100));
        progress.Add(Message("b", "Already exists"));
        progress.Add(Message("c", "Pulling fs layer"));
        progress.Add(Message("c", "Pull complete"));
        progress.Complete();
        Assert.Equal([0, 20, 40, 50, 99, 100], heard);
    }

    private static JSONMessage Message(string layer, string status, long? current = null, long? total = null) =>
        new() { ID = layer, Status = status, Progress = current is null ? null : new JSONProgress { Current = current, Total = total } };
}

public sealed class PullFaultTests
{
    [Theory]
    [InlineData("pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied", 404, false)]
    [InlineData("manifest for x:1 not found: manifest unknown: manifest unknown", 404, false)]
    [InlineData("no matching manifest for linux/amd64 in the manifest list entries", null, false)]
    [InlineData("unauthorized: authentication required", 500, false)]
    [InlineData("toomanyrequests: You have reached your pull rate limit", 500, true)]
    [InlineData("Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", 500, true)]
    [InlineData("net/http: TLS handshake timeout", 500, true)]
    [InlineData("unexpected EOF", null, true)]
    [InlineData("write /var/lib/docker/tmp/x: no space left on device", null, true)]
    [InlineData("received unexpected HTTP status: 503 Service Unavailable", 500, true)]
    [InlineData("invalid reference format: repository name must be lowercase", 400, false)]
    public void What_the_engine_says_tells_whether_trying_again_helps(string words, int? status, bool transient) =>
        Assert.Equal(transient, new PullException(words, (HttpStatusCode?)status).Transient);
}
