using System.Globalization;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Process;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kohakku.Tests.Dispatcher.Runtimes.Process;

public sealed class ProcessRuntimeTests : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-process-").FullName;
    private readonly Guid instance = Guid.NewGuid();
    private readonly List<ProcessRuntime> runtimes = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string Workspaces => Path.Combine(folder, "workspaces");

    public ProcessRuntimeTests()
    {
        // Agents of a dispatcher that is root run as nobody, who must be able to enter.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        Launches.WriteRunner(folder, "/bin/sh");
    }

    [Fact]
    public async Task The_runners_exit_code_and_last_words_come_out()
    {
        var exit = await (await StartRuntimeAsync()).RunAsync(Launches.Of("echo last words >&2; exit 7"), Cancelled);
        Assert.Equal(new RuntimeExit(7, false, "last words\n"), exit);
    }

    [Fact]
    public async Task A_signal_is_128_and_its_number() =>
        Assert.Equal(137, (await (await StartRuntimeAsync()).RunAsync(Launches.Of("kill -9 $$"), Cancelled)).ExitCode);

    [Fact]
    public async Task Starting_twice_finds_the_first_start_also_in_another_process()
    {
        var runtime = await StartRuntimeAsync();
        var launch = Launches.Of("sleep 60");
        var id = await runtime.StartAsync(launch, Cancelled);
        Assert.Equal(id, await runtime.StartAsync(launch, Cancelled));
        Assert.Equal(id, await (await StartRuntimeAsync()).StartAsync(launch, Cancelled));
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task A_dispatcher_that_comes_back_finds_its_own_and_learns_their_end()
    {
        var first = await StartRuntimeAsync();
        var launch = Launches.Of("while [ ! -e $KOHAKKU_WORKSPACE/go ]; do sleep 0.05; done; echo '{\"exitCode\":9}' > $KOHAKKU_EXIT_FILE; exit 9");
        var id = await first.StartAsync(launch, Cancelled);
        await first.DisposeAsync();
        var second = await StartRuntimeAsync();
        Assert.Equal([new FoundAgent(launch.AttemptId, id)], await second.ListAsync(Cancelled));
        Assert.Empty(await (await StartRuntimeAsync(Guid.NewGuid())).ListAsync(Cancelled));
        var waiting = second.WaitAsync(launch.AttemptId, id, Cancelled);
        Assert.False(waiting.IsCompleted);
        await File.WriteAllTextAsync(Path.Combine(WorkspaceOf(launch), "go"), "", Cancelled);
        Assert.Equal(9, (await waiting).ExitCode);
        // And one that comes later still reads it where the runner left it.
        Assert.Equal(9, (await (await StartRuntimeAsync()).WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await second.RemoveAsync(launch.AttemptId, Cancelled);
        Assert.Empty(await second.ListAsync(Cancelled));
    }

    [Fact]
    public async Task A_runner_that_was_killed_and_left_no_exit_code_has_none()
    {
        var first = await StartRuntimeAsync();
        var launch = Launches.Of("exit 0");
        var id = await first.StartAsync(launch, Cancelled);
        await first.WaitAsync(launch.AttemptId, id, Cancelled);
        Assert.Null((await (await StartRuntimeAsync()).WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await first.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task Stopping_asks_first()
    {
        var runtime = await StartRuntimeAsync();
        var launch = Launches.Of("trap 'exit 5' TERM; touch $KOHAKKU_WORKSPACE/up; while :; do sleep 0.05; done");
        var id = await StartedAsync(runtime, launch);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromSeconds(30), Cancelled);
        Assert.Equal(5, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Theory]
    [InlineData("sh -c 'trap \"\" TERM; sleep 600'")] // a grandchild that does not listen
    [InlineData("setsid sh -c 'setsid sleep 600'")] // in a session of its own
    [InlineData("env -i setsid sleep 600")] // found only by its descent
    public async Task What_does_not_stop_within_the_grace_is_killed_with_all_below_it(string child)
    {
        var runtime = await StartRuntimeAsync();
        var launch = Launches.Of($"trap '' TERM; {child} & echo $! > $KOHAKKU_WORKSPACE/pid; touch $KOHAKKU_WORKSPACE/up; while :; do sleep 0.05; done");
        var id = await StartedAsync(runtime, launch);
        var pid = int.Parse(await File.ReadAllTextAsync(Path.Combine(WorkspaceOf(launch), "pid"), Cancelled), CultureInfo.InvariantCulture);
        await runtime.StopAsync(launch.AttemptId, id, TimeSpan.FromMilliseconds(200), Cancelled);
        Assert.Equal(137, (await runtime.WaitAsync(launch.AttemptId, id, Cancelled)).ExitCode);
        await Eventually.Async(() => !IsRunning(pid));
        Assert.DoesNotContain(launch.AttemptId, AttemptProcesses.FindIn(Workspaces));
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
    }

    [Fact]
    public async Task What_an_agent_left_running_goes_after_an_end_in_good_order()
    {
        var runtime = await StartRuntimeAsync();
        var launch = Launches.Of("setsid sleep 600 & exit 0");
        Assert.Equal(0, (await runtime.RunAsync(launch, Cancelled)).ExitCode);
        await Eventually.Async(() => !AttemptProcesses.FindIn(Workspaces).Contains(launch.AttemptId));
    }

    [Fact]
    public async Task Removal_ends_what_still_runs_and_leaves_nothing()
    {
        var runtime = await StartRuntimeAsync();
        var launch = Launches.Of("touch $KOHAKKU_WORKSPACE/up; mkdir $KOHAKKU_WORKSPACE/locked; touch $KOHAKKU_WORKSPACE/locked/file; chmod 500 $KOHAKKU_WORKSPACE/locked; sleep 600");
        await StartedAsync(runtime, launch);
        await runtime.RemoveAsync(launch.AttemptId, Cancelled);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Workspaces));
        Assert.Empty(await runtime.ListAsync(Cancelled));
    }

    [Fact]
    public async Task Nothing_there_is_no_error_to_stop_or_remove_and_no_exit_code_to_wait_for()
    {
        var runtime = await StartRuntimeAsync();
        var attempt = Guid.CreateVersion7();
        // A number that was given anew since: another start time.
        var id = $"{Environment.ProcessId}:1";
        await runtime.StopAsync(attempt, id, TimeSpan.FromSeconds(1), Cancelled);
        Assert.Null((await runtime.WaitAsync(attempt, id, Cancelled)).ExitCode);
        await runtime.RemoveAsync(attempt, Cancelled);
    }

    [Fact]
    public async Task A_program_that_can_not_be_run_is_a_passing_fault_that_leaves_nothing()
    {
        File.SetUnixFileMode(Path.Combine(folder, "kohakku-agent"), UnixFileMode.UserRead);
        var runtime = await StartRuntimeAsync();
        var fault = await Assert.ThrowsAsync<LaunchException>(() => runtime.StartAsync(Launches.Of("exit 0"), Cancelled));
        Assert.True(fault.Transient);
        Assert.Empty(await runtime.ListAsync(Cancelled));
    }

    [Fact]
    public async Task Many_at_once_each_get_their_own_end()
    {
        var runtime = await StartRuntimeAsync();
        var exits = await Task.WhenAll(Enumerable.Range(0, 30).Select(number => runtime.RunAsync(Launches.Of($"exit {number}"), Cancelled)));
        Assert.Equal(Enumerable.Range(0, 30), exits.Select(exit => exit.ExitCode!.Value));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var runtime in runtimes) await runtime.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<ProcessRuntime> StartRuntimeAsync(Guid? instanceId = null)
    {
        var options = new RuntimeOptions
        {
            Backend = RuntimeBackend.Process,
            WorkspaceRoot = Workspaces,
            Runner = new Runner(Path.Combine(folder, "kohakku-agent"), ""),
        };
        var runtime = new ProcessRuntime(options, new FixedIdentity(instanceId ?? instance), TimeProvider.System, NullLogger<ProcessRuntime>.Instance);
        runtimes.Add(runtime);
        await runtime.InitializeAsync(Cancelled);
        return runtime;
    }

    private async Task<string> StartedAsync(ProcessRuntime runtime, AgentLaunch launch)
    {
        var id = await runtime.StartAsync(launch, Cancelled);
        await Eventually.Async(() => File.Exists(Path.Combine(WorkspaceOf(launch), "up")));
        return id;
    }

    private string WorkspaceOf(AgentLaunch launch) => Path.Combine(Workspaces, launch.AttemptId.ToString("N"), "workspace");

    /// <summary>An ended one that nobody has collected yet counts as gone.</summary>
    private static bool IsRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }
}
