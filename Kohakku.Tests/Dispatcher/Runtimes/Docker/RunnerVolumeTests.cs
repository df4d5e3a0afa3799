using Docker.DotNet.Models;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Docker;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

[Collection(DockerCollection.Name)]
public sealed class RunnerVolumeTests(DockerFixture docker)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dispatchers_that_start_at_once_fill_one_volume_and_all_can_use_it()
    {
        await docker.ReadyAsync();
        var runner = NewRunner();
        var runtimes = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => docker.StartRuntimeAsync(runnerPath: runner)));
        foreach (var runtime in runtimes)
        {
            Assert.Equal(4, (await runtime.RunAsync(Launches.Of("exit 4", docker.Image), Cancelled)).ExitCode);
            runtime.Dispose();
        }
        Assert.Empty(await HelpersAsync(runner));
    }

    [Fact]
    public async Task A_fill_that_was_cut_off_is_seen_and_done_again()
    {
        await docker.ReadyAsync();
        var runner = NewRunner();
        // As a dispatcher leaves it that dies while it fills: half a program, and the container it did it with.
        var volume = DockerFixture.VolumeOf(runner);
        await docker.Client.Volumes.CreateAsync(new VolumesCreateParameters { Name = volume }, Cancelled);
        var instance = Guid.NewGuid();
        var dead = await docker.Client.Containers.CreateContainerAsync(
            new CreateContainerParameters
            {
                Name = $"{volume}-fill",
                Image = docker.Image,
                Labels = new Dictionary<string, string> { [ContainerLabels.Helper] = instance.ToString() },
                HostConfig = new HostConfig { Mounts = [new Mount { Type = "volume", Source = volume, Target = "/opt/kohakku" }] },
            },
            Cancelled);
        using var half = new MemoryStream();
        await using (var tar = new System.Formats.Tar.TarWriter(half, leaveOpen: true))
        {
            await tar.WriteEntryAsync(new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "kohakku-agent"), Cancelled);
        }
        half.Position = 0;
        await docker.Client.Containers.ExtractArchiveToContainerAsync(dead.ID, new CopyToContainerParameters { Path = "/opt/kohakku" }, half, Cancelled);

        using var runtime = await docker.StartRuntimeAsync(instance, runnerPath: runner);
        Assert.Equal(4, (await runtime.RunAsync(Launches.Of("exit 4", docker.Image), Cancelled)).ExitCode);
    }

    [Fact]
    public async Task A_volume_that_somebody_removed_is_made_again()
    {
        await docker.ReadyAsync();
        var runner = NewRunner();
        using var runtime = await docker.StartRuntimeAsync(runnerPath: runner);
        await docker.Client.Volumes.RemoveAsync(DockerFixture.VolumeOf(runner), force: true, Cancelled);
        Assert.Equal(4, (await runtime.RunAsync(Launches.Of("exit 4", docker.Image), Cancelled)).ExitCode);
    }

    [Fact]
    public async Task Without_a_native_runner_it_says_how_to_get_one()
    {
        await docker.ReadyAsync();
        using var runtime = docker.CreateRuntime(runnerPath: "/nowhere/kohakku-agent");
        var fault = await Assert.ThrowsAsync<RuntimeUnavailableException>(() => runtime.InitializeAsync(Cancelled));
        Assert.Contains("gcc", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault.Message);
    }

    private string NewRunner() => Launches.WriteRunner(Path.Combine(docker.Folder, Guid.NewGuid().ToString("N")), "/busybox sh");

    private async Task<IEnumerable<ContainerListResponse>> HelpersAsync(string runner) =>
        (await docker.Client.Containers.ListContainersAsync(
            new ContainersListParameters { All = true, Filters = ContainerLabels.Filter(ContainerLabels.Helper) }, Cancelled))
        .Where(container => container.Names!.Contains($"/{DockerFixture.VolumeOf(runner)}-fill"));
}
