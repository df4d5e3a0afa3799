using Kohakku.Dispatcher.Runtimes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

[Collection(DockerCollection.Name)]
public sealed class EngineFaultTests(DockerFixture docker)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_engine_that_is_not_there_is_said_in_one_line()
    {
        await docker.ReadyAsync();
        using var runtime = docker.CreateRuntime(dockerHost: new Uri("unix:///nowhere/docker.sock"));
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => runtime.InitializeAsync(Cancelled));
        Assert.Contains("unix:///nowhere/docker.sock", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    [Fact]
    public async Task A_wait_survives_an_engine_that_goes_away_and_comes_back()
    {
        await docker.ReadyAsync();
        await using var proxy = NewProxy();
        using var runtime = await docker.StartRuntimeAsync(dockerHost: proxy.Address);
        var launch = Launches.Of("while [ ! -e /run/kohakku/go ]; do sleep 0.1; done; exit 9", docker.Image);
        var id = await runtime.StartAsync(launch, Cancelled);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        proxy.Stop();
        // It ends while nobody can hear it.
        await File.WriteAllTextAsync(Path.Combine(docker.Sockets.Link(launch.AttemptId), "go"), "", Cancelled);
        await Eventually.Async(async () => !(await docker.Client.Containers.InspectContainerAsync(id, Cancelled)).State!.Running);
        Assert.False(waiting.IsCompleted);
        proxy.Start();
        Assert.Equal(9, (await waiting).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Theory]
    [InlineData("POST /containers/create")]
    [InlineData("/start")]
    public async Task A_lost_answer_starts_nothing_twice(string request)
    {
        await docker.ReadyAsync();
        await using var proxy = NewProxy();
        using var runtime = await docker.StartRuntimeAsync(dockerHost: proxy.Address);
        var launch = Launches.Of("echo one >> /run/kohakku/starts; exit 6", docker.Image);
        await runtime.PrepareAsync(launch, new Progress<int>(), Cancelled);
        proxy.LoseAnswerTo(request);
        var id = await runtime.StartAsync(launch, Cancelled);
        Assert.Equal(1, proxy.Lost);
        Assert.Equal(6, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(docker.Sockets.Link(launch.AttemptId), "starts"), Cancelled));
        Assert.Single(await runtime.ListAsync(Cancelled), found => found.AttemptId == launch.AttemptId);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task A_start_while_the_engine_is_away_is_a_passing_fault()
    {
        await docker.ReadyAsync();
        await using var proxy = NewProxy();
        using var runtime = await docker.StartRuntimeAsync(dockerHost: proxy.Address);
        proxy.Stop();
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.RunAsync(Launches.Of("exit 0", docker.Image), Cancelled));
        Assert.True(fault.Transient);
    }

    private EngineProxy NewProxy() => new(Path.Combine(docker.Folder, $"{Guid.NewGuid():N}.sock"));
}
