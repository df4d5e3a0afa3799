using System.Diagnostics;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Agent;

/// <summary>The runner as PID 1 of a container that has nothing: one static BusyBox, no users, no /tmp, no network, no rights.</summary>
public sealed class EmptyContainerTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-empty-").FullName;
    private readonly string name = $"kohakku-empty-{Guid.NewGuid():N}"[..24];
    private ScriptedDispatcher? dispatcher;

    public async ValueTask InitializeAsync()
    {
        Requirement.DockerEngine();
        Requirement.Program("docker");
        Requirement.Program("busybox");
        var binary = RunnerUnderTest.Binary();
        Directory.CreateDirectory($"{folder}/image");
        File.Copy(Requirement.Find("busybox")!, $"{folder}/image/busybox");
        await File.WriteAllTextAsync($"{folder}/image/Dockerfile", "FROM scratch\nCOPY busybox /bin/busybox\n");
        Directory.CreateDirectory($"{folder}/runner");
        File.Copy(binary, $"{folder}/runner/kohakku-agent");
        Directory.CreateDirectory($"{folder}/socket");
        await RunAsync("build", "-q", "-t", name, $"{folder}/image");
        dispatcher = await ScriptedDispatcher.StartAsync($"{folder}/socket/agent.sock");
        dispatcher.Command = ["/bin/busybox", "sh", "-eu", "BRIEF.md"];
    }

    public async ValueTask DisposeAsync()
    {
        if (dispatcher is not null)
        {
            await dispatcher.DisposeAsync();
            await RunAsync("rm", "-f", name);
            await RunAsync("rmi", "-f", name);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("0:0")]
    [InlineData("4711:4712")]
    public async Task It_runs_any_agent_as_any_user_and_lets_it_speak_http(string user)
    {
        dispatcher!.Brief = """
            B=/bin/busybox
            echo "pid 1 is $($B tr '\0' ' ' < /proc/1/cmdline)"
            echo "user $($B id -u)"
            $B wget -q -O output/brief.json --header "Authorization: Bearer $KOHAKKU_TOKEN" "$KOHAKKU_URL/agent/v1/brief"
            $B ls / > output/root.txt
            echo '{"ok": true}' > output/result.json
            """;

        var exitCode = await RunContainerAsync(user);

        var result = Assert.Single(dispatcher.Results);
        Assert.Equal((0, AgentOutcome.Succeeded, null), (exitCode, result.Status, result.Error));
        Assert.Equal(["brief.json", "result.json", "root.txt"], dispatcher.Artifacts.Keys.Order());
        Assert.Contains($"pid 1 is /opt/kohakku/kohakku-agent exec \nuser {user.Split(':')[0]}\n", dispatcher.Log, StringComparison.Ordinal);
        Assert.True(dispatcher.Artifacts["brief.json"].Size > 100);
    }

    [Fact]
    public async Task As_pid_1_it_collects_orphans_and_leaves_nothing_to_hold_up_the_end()
    {
        dispatcher!.Brief = """
            B=/bin/busybox
            for i in 1 2 3 4 5; do ($B sleep 0.01 &); done
            ($B sleep 1000 &); $B setsid $B sleep 1000 &
            while $B ps -o stat,ppid,comm | $B grep -q 'sleep 0.01'; do $B sleep 0.05; done
            $B sleep 0.5; echo "zombies: $($B ps -o stat | $B grep -c Z)"
            """;
        dispatcher.Brief = dispatcher.Brief.Replace("grep -c Z)", "grep -c Z || true)", StringComparison.Ordinal);

        Assert.Equal(0, await RunContainerAsync("4711:4712"));

        Assert.Equal(AgentOutcome.Succeeded, Assert.Single(dispatcher.Results).Status);
        Assert.Contains("zombies: 0\n", dispatcher.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Docker_stop_reaches_the_agent_as_a_signal()
    {
        dispatcher!.Brief = """trap 'echo "got "it; exit 0' TERM; echo "re""ady"; while :; do /bin/busybox sleep 0.1; done""";
        var running = RunContainerAsync("4711:4712");
        await dispatcher.WhenLoggedAsync("ready");

        await RunAsync("stop", "-t", "30", name);

        Assert.Equal(0, await running);
        Assert.Equal(FailureReason.Canceled, Assert.Single(dispatcher.Results).Reason);
        Assert.Contains("got it\n", dispatcher.Log, StringComparison.Ordinal);
    }

    private Task<int> RunContainerAsync(string user) => ExecuteAsync([
        "run", "--rm", "--name", name, "--network", "none", "--read-only", "--tmpfs", "/workspace:mode=1777", "--user", user,
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "64", "--memory", "64m",
        "-v", $"{folder}/runner:/opt/kohakku:ro", "-v", $"{folder}/socket:/run/kohakku", "-e", "KOHAKKU_SOCKET=/run/kohakku/agent.sock",
        "-e", "KOHAKKU_TOKEN=the-token", "--entrypoint", "/opt/kohakku/kohakku-agent", name, "exec"]);

    private static async Task RunAsync(params string[] arguments) => await ExecuteAsync(arguments);

    private static async Task<int> ExecuteAsync(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Requirement.Find("docker")!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOCKER_BUILDKIT"] = "0";
        using var docker = Process.Start(start)!;
        var output = docker.StandardOutput.ReadToEndAsync();
        var errors = docker.StandardError.ReadToEndAsync();
        await docker.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        TestContext.Current.SendDiagnosticMessage($"{await output}{await errors}");
        return docker.ExitCode;
    }
}
