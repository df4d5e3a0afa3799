using System.Diagnostics;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Agent;

public sealed class StopTests
{
    [Fact]
    public async Task A_stop_order_lets_the_agent_tidy_up_and_is_reported_as_its_reason()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = """trap 'echo tidied > output/tidied; exit 0' TERM; echo "re""ady"; while :; do sleep 0.1; done""";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        dispatcher.OrderStop("canceled");

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        var result = Assert.Single(dispatcher.Results);
        Assert.Equal((AgentOutcome.Failed, FailureReason.Canceled, 0), (result.Status, result.Reason, result.ExitCode));
        Assert.Contains("tidied", dispatcher.Artifacts);
    }

    [Fact]
    public async Task An_agent_that_ignores_the_stop_is_killed_after_the_grace_period_with_all_it_started()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        var marker = Marker();
        dispatcher.Brief = $"trap '' TERM HUP; setsid sh -c 'trap \"\" TERM HUP; echo \"re\"ady; exec env -i sleep {marker}' & sleep {marker}; sleep {marker}";
        await using var runner = RunnerUnderTest.Start(dispatcher, ("KOHAKKU_GRACE_SECONDS", "1"));
        await dispatcher.WhenLoggedAsync("ready");
        await Eventually.Async(() => Alive(marker) == 2);

        dispatcher.OrderStop("timedOut");

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        var result = Assert.Single(dispatcher.Results);
        Assert.Equal((AgentOutcome.Failed, FailureReason.Timeout, 137), (result.Status, result.Reason, result.ExitCode));
        Assert.Equal(0, Alive(marker));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_to_the_runner_stops_the_agent_by_the_same_signal(string signal)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = $"""trap 'echo "got "it; exit 7' {signal}; echo "re""ady"; while :; do sleep 0.1; done""";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        runner.Signal(signal);

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        Assert.Equal((FailureReason.Canceled, 7), (Assert.Single(dispatcher.Results).Reason, dispatcher.Results.Single().ExitCode));
        Assert.Contains("got it\n", dispatcher.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_signals_are_passed_on()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = """trap 'echo "got "it; exit 0' USR1; echo "re""ady"; while :; do sleep 0.1; done""";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        runner.Signal("USR1");

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        Assert.Equal(AgentOutcome.Succeeded, Assert.Single(dispatcher.Results).Status);
    }

    [Fact]
    public async Task What_an_agent_leaves_running_is_killed_and_does_not_hold_up_its_end()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        var marker = Marker();
        // One that keeps the output open, one in its own session without the environment, one whose parent is gone.
        dispatcher.Brief = $"sleep {marker} & setsid env -i sleep {marker} >/dev/null 2>&1 & (sleep {marker} &); echo done";
        var started = Stopwatch.GetTimestamp();

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Equal(0, Alive(marker));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(StatusCodes.Status409Conflict)]
    [InlineData(StatusCodes.Status401Unauthorized)]
    public async Task An_attempt_that_is_over_for_the_dispatcher_is_killed_and_reports_nothing(int status)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        var marker = Marker();
        dispatcher.Brief = $"trap '' TERM; echo \"re\"ady; while [ ! -e go ]; do sleep 0.05; done; echo more; sleep {marker}; sleep {marker}";
        var isOver = false;
        dispatcher.Fault = context =>
        {
            if (Volatile.Read(ref isOver)) context.Response.StatusCode = status;
            return Task.FromResult(Volatile.Read(ref isOver));
        };
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        Volatile.Write(ref isOver, true);
        await File.WriteAllTextAsync(Path.Combine(runner.Workspace, "go"), "", TestContext.Current.CancellationToken);

        var (exitCode, errors) = await runner.WhenEndedAsync();
        Assert.Equal(3, exitCode);
        Assert.Contains("this attempt is over", errors, StringComparison.Ordinal);
        Assert.Empty(dispatcher.Results);
        Assert.Equal(0, Alive(marker));
    }

    [Fact]
    public async Task A_workspace_over_its_limit_stops_the_agent_and_says_so()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "head -c 3000000 /dev/urandom > large; mkdir -p deep/er; mv large deep/er; sleep 100";

        var result = await RunnerUnderTest.RunAsync(dispatcher, ("KOHAKKU_WORKSPACE_LIMIT_MB", "2"));

        Assert.Equal((AgentOutcome.Failed, FailureReason.AgentError), (result.Status, result.Reason));
        Assert.Contains("limit of 2 MiB", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A number of seconds that no other test sleeps.</summary>
    private static string Marker() => $"{Random.Shared.Next(100_000, 999_999)}";

    private static int Alive(string marker) => Directory.EnumerateDirectories("/proc").Count(path =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(path, "cmdline")).StartsWith($"sleep\0{marker}", StringComparison.Ordinal);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    });
}
