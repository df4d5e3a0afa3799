using Docker.DotNet.Models;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Docker;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

[Collection(DockerCollection.Name)]
public sealed class DockerRuntimeTests(DockerFixture docker)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_runners_exit_code_and_last_words_come_out()
    {
        await docker.ReadyAsync();
        var exit = await RunAsync("echo out; echo last words >&2; exit 7", docker.Image);
        Assert.Equal(7, exit.ExitCode);
        Assert.Contains("last words", exit.LogTail, StringComparison.Ordinal);
        Assert.False(exit.OutOfMemory);
    }

    [Fact]
    public async Task Success_is_zero_and_silent()
    {
        await docker.ReadyAsync();
        Assert.Equal(new RuntimeExit(0, false, ""), await RunAsync("echo fine >&2", docker.Image));
    }

    [Theory]
    [InlineData("exec /busybox tail /dev/zero", 137)]
    [InlineData("tail /dev/zero; exit 0", 0)] // only a child of the runner was killed
    public async Task Running_out_of_memory_is_seen(string script, int exitCode)
    {
        await docker.ReadyAsync();
        var exit = await RunAsync(script, docker.Image, new ResourceLimits { MemoryMb = 32 });
        Assert.True(exit.OutOfMemory, exit.ToString());
        Assert.Equal(exitCode, exit.ExitCode);
    }

    [Fact]
    public async Task Starting_twice_finds_the_first_start()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("sleep 60", docker.Image);
        var first = await runtime.StartAsync(launch, Cancelled);
        Assert.Equal(first, await runtime.StartAsync(launch, Cancelled));
        Assert.Single(await runtime.ListAsync(Cancelled), found => found.AttemptId == launch.AttemptId);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task A_start_that_was_cut_short_after_its_creation_is_finished_by_the_next()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 3", docker.Image);
        var id = await runtime.StartAsync(launch, Cancelled);
        await runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        // What had ended is not run again.
        Assert.Equal(id, await runtime.StartAsync(launch, Cancelled));
        Assert.Equal(3, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task Stopping_asks_first()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("trap 'exit 5' TERM; touch /run/kohakku/up; while :; do sleep 0.1; done", docker.Image);
        var id = await StartedAsync(runtime, launch);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(30), Cancelled);
        Assert.Equal(5, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task What_does_not_stop_within_the_grace_is_killed()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("trap '' TERM; touch /run/kohakku/up; while :; do sleep 0.1; done", docker.Image);
        var id = await StartedAsync(runtime, launch);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(1), Cancelled);
        Assert.Equal(137, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task A_dispatcher_that_comes_back_finds_its_own_and_learns_their_end()
    {
        await docker.ReadyAsync();
        var instance = Guid.NewGuid();
        var launch = Launches.Of("touch /run/kohakku/up; while [ ! -e /run/kohakku/go ]; do sleep 0.1; done; exit 9", docker.Image);
        string id;
        using (var first = await docker.StartRuntimeAsync(instance)) id = await StartedAsync(first, launch);
        using var second = await docker.StartRuntimeAsync(instance);
        using var stranger = await docker.StartRuntimeAsync();
        Assert.Contains(new FoundAgent(launch.AttemptId, id), await second.ListAsync(Cancelled));
        Assert.DoesNotContain(await stranger.ListAsync(Cancelled), found => found.RuntimeId == id);
        var waiting = second.WaitAsync(launch.AttemptId, id, Cancelled);
        await File.WriteAllTextAsync(Path.Combine(docker.Sockets.Link(launch.AttemptId), "go"), "", Cancelled);
        Assert.Equal(9, (await waiting).ExitCode);
        await second.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task What_was_created_but_never_started_is_listed_without_an_id()
    {
        await docker.ReadyAsync();
        var instance = Guid.NewGuid();
        using var runtime = await docker.StartRuntimeAsync(instance);
        var attempt = Guid.CreateVersion7();
        await docker.Client.Containers.CreateContainerAsync(
            new CreateContainerParameters
            {
                Name = ContainerLabels.NameOf(attempt),
                Image = docker.Image,
                Labels = new Dictionary<string, string> { [ContainerLabels.Instance] = instance.ToString(), [ContainerLabels.Attempt] = attempt.ToString() },
            },
            Cancelled);
        Assert.Contains(new FoundAgent(attempt, null), await runtime.ListAsync(Cancelled));
        var exit = await runtime.WaitAsync(attempt, ContainerLabels.NameOf(attempt), Cancelled);
        Assert.Null(exit.ExitCode);
        await runtime.RemoveAsync(attempt, Cancelled);
        Assert.DoesNotContain(await runtime.ListAsync(Cancelled), found => found.AttemptId == attempt);
    }

    [Fact]
    public async Task Removal_leaves_no_container_no_volume_and_no_socket()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("touch /data/file; touch /run/kohakku/up; sleep 60", docker.VolumeImage);
        var id = await StartedAsync(runtime, launch);
        var volume = (await docker.Client.Containers.InspectContainerAsync(id, Cancelled)).Mounts!.Single(mount => mount.Destination == "/data").Name;
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
        Assert.DoesNotContain(await runtime.ListAsync(Cancelled), found => found.AttemptId == launch.AttemptId);
        var volumes = await docker.Client.Volumes.ListAsync(Cancelled);
        Assert.DoesNotContain(volumes.Volumes!, left => left.Name == volume);
        Assert.DoesNotContain(launch.AttemptId, docker.Sockets.List());
    }

    [Fact]
    public async Task Nothing_there_is_no_error_to_stop_or_remove_and_no_exit_code_to_wait_for()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var attempt = Guid.CreateVersion7();
        await runtime.StopAsync(attempt, "0123456789ab", TimeSpan.FromSeconds(1), Cancelled);
        await runtime.RemoveAsync(attempt, Cancelled);
        Assert.Null((await runtime.WaitAsync(attempt, "0123456789ab", Cancelled)).ExitCode);
    }

    [Fact]
    public async Task A_container_that_somebody_else_removes_ends_its_wait()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("touch /run/kohakku/up; sleep 60", docker.Image);
        var id = await StartedAsync(runtime, launch);
        var waiting = runtime.WaitAsync(launch.AttemptId, id, Cancelled);
        await docker.Client.Containers.RemoveContainerAsync(id, new ContainerRemoveParameters { Force = true }, Cancelled);
        Assert.NotEqual(0, (await waiting).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task A_start_that_the_engine_refuses_leaves_nothing()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 0", docker.Image, new ResourceLimits { MemoryMb = 1 });
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.StartAsync(launch, Cancelled));
        Assert.Equal((FailureReason.StartFailed, false), (fault.Reason, fault.Transient));
        Assert.Contains("memory", fault.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(await runtime.ListAsync(Cancelled), found => found.AttemptId == launch.AttemptId);
    }

    private async Task<RuntimeExit> RunAsync(string script, string image, ResourceLimits? resources = null)
    {
        using var runtime = await docker.StartRuntimeAsync();
        return await runtime.RunAsync(Launches.Of(script, image, resources), Cancelled);
    }

    private async Task<string> StartedAsync(DockerRuntime runtime, AgentLaunch launch)
    {
        var id = await runtime.StartAsync(launch, Cancelled);
        await Eventually.Async(() => File.Exists(Path.Combine(docker.Sockets.Root, launch.AttemptId.ToString("N"), "up")));
        return id;
    }
}
