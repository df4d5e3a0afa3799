using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

/// <summary>What an agent finds around itself, seen from inside.</summary>
[Collection(DockerCollection.Name)]
public sealed class ContainerWallsTests(DockerFixture docker)
{
    [Fact]
    public async Task Without_a_network_there_is_only_loopback()
    {
        await docker.ReadyAsync();
        Assert.Equal("lo", await SeenAsync("ls /sys/class/net"));
    }

    [Fact]
    public async Task With_the_internet_it_joins_the_agents_network_which_is_made_for_it()
    {
        await docker.ReadyAsync();
        Assert.Contains("eth0", await SeenAsync("ls /sys/class/net", network: NetworkMode.Internet), StringComparison.Ordinal);
        var network = await docker.Client.Networks.InspectNetworkAsync(docker.NetworkName, TestContext.Current.CancellationToken);
        Assert.Contains("kohakku.network", network.Labels!);
    }

    [Fact]
    public async Task The_agents_network_is_made_again_when_somebody_removed_it()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        for (var round = 0; round < 2; round++)
        {
            var launch = Launches.Of("exit 4", docker.Image, network: NetworkMode.Internet);
            Assert.Equal(4, (await runtime.RunAsync(launch, TestContext.Current.CancellationToken)).ExitCode);
            await docker.Client.Networks.DeleteNetworkAsync(docker.NetworkName, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_list_of_allowed_hosts_is_refused_as_long_as_nothing_enforces_it()
    {
        await docker.ReadyAsync();
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of("exit 0", docker.Image, network: NetworkMode.Allow);
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.StartAsync(launch, TestContext.Current.CancellationToken));
        Assert.False(fault.Transient);
    }

    [Fact]
    public async Task It_has_no_capabilities_and_can_gain_no_privileges()
    {
        await docker.ReadyAsync();
        var status = await SeenAsync("cat /proc/self/status");
        Assert.Matches(@"CapEff:\s+0{16}", status);
        Assert.Matches(@"CapBnd:\s+0{16}", status);
        Assert.Matches(@"NoNewPrivs:\s+1", status);
        Assert.Matches(@"Seccomp:\s+2", status);
    }

    [Fact]
    public async Task It_can_have_only_so_many_processes()
    {
        await docker.ReadyAsync();
        var seen = await SeenAsync("i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done", new ResourceLimits { Pids = 16 });
        Assert.Contains("can't fork", seen, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_processors_than_there_are_is_all_of_them()
    {
        await docker.ReadyAsync();
        Assert.Equal("fine", await SeenAsync("echo fine", new ResourceLimits { Cpu = 200 }));
    }

    [Fact]
    public async Task Its_environment_is_the_images_and_what_the_runner_needs()
    {
        await docker.ReadyAsync();
        var keys = (await SeenAsync("env")).Split('\n').Select(line => line.Split('=')[0]).Order(StringComparer.Ordinal);
        string[] expected =
        [
            "FROM_IMAGE", "HOME", "HOSTNAME", "KOHAKKU_ATTEMPT_ID", "KOHAKKU_SOCKET", "KOHAKKU_TASK_ID", "KOHAKKU_TOKEN", "KOHAKKU_WORKSPACE", "PATH", "PWD", "SHLVL",
            "TRACEPARENT",
        ];
        Assert.Equal(expected, keys.Where(key => key.Length > 0 && key != "OLDPWD"));
    }

    [Fact]
    public async Task It_runs_as_the_images_user_in_a_workspace_of_its_own()
    {
        await docker.ReadyAsync();
        Assert.Equal("1000 /workspace yes", await SeenAsync("touch file && echo $(id -u) $(pwd) yes", image: docker.UserImage));
        Assert.Equal("0 /workspace yes", await SeenAsync("touch file && echo $(id -u) $(pwd) yes"));
    }

    [Fact]
    public async Task A_workspace_that_the_image_brings_for_another_user_can_be_written_to()
    {
        await docker.ReadyAsync();
        Assert.Equal("yes", await SeenAsync("touch file && echo yes", image: docker.ForeignWorkspaceImage));
    }

    [Fact]
    public async Task The_runner_can_not_be_changed_from_inside()
    {
        await docker.ReadyAsync();
        Assert.Contains("Read-only file system", await SeenAsync("touch /opt/kohakku/kohakku-agent 2>&1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_engines_socket_is_not_there_and_the_dispatchers_is_for_any_user()
    {
        await docker.ReadyAsync();
        var script = "ls /var/run/docker.sock /run/docker.sock 2>/dev/null; stat -c '%a %F' /run/kohakku/agent.sock";
        Assert.Equal("666 socket", await SeenAsync(script, image: docker.UserImage));
    }

    /// <summary>What the script says; it comes out as the runner's last words.</summary>
    private async Task<string> SeenAsync(string script, ResourceLimits? resources = null, NetworkMode network = NetworkMode.None, string? image = null)
    {
        using var runtime = await docker.StartRuntimeAsync();
        var launch = Launches.Of($"{script}; exit 1", image ?? docker.Image, resources, network);
        return (await runtime.RunAsync(launch, TestContext.Current.CancellationToken)).LogTail;
    }
}
