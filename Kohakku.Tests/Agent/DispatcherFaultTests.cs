using Kohakku.Contracts.AgentProtocol;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Agent;

public sealed class DispatcherFaultTests
{
    [Fact]
    public async Task Every_second_call_may_fail_or_break_and_all_arrives_all_the_same()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        var calls = 0;
        dispatcher.Fault = async context =>
        {
            switch (Interlocked.Increment(ref calls) % 4)
            {
                case 0:
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    return true;
                case 2:
                    context.Abort();
                    return true;
                default:
                    await Task.Yield();
                    return false;
            }
        };
        dispatcher.Brief = "for i in 1 2 3 4 5 6 7 8 9; do echo line $i; echo $i > output/$i.txt; done; echo '\"fine\"' > output/result.json";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Succeeded, "fine"), (result.Status, result.Output!.Value.GetString()));
        Assert.Equal(10, dispatcher.Artifacts.Count);
        Assert.All(Enumerable.Range(1, 9), line => Assert.Contains($"line {line}\n", dispatcher.Log, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dispatcher_that_restarts_meanwhile_misses_nothing()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "echo \"re\"ady; while [ ! -e go ]; do sleep 0.05; done; echo after; echo x > output/x";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        await dispatcher.GoAwayAsync();
        await File.WriteAllTextAsync(Path.Combine(runner.Workspace, "go"), "", TestContext.Current.CancellationToken);
        await dispatcher.ComeBackAsync();

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        Assert.Equal(AgentOutcome.Succeeded, Assert.Single(dispatcher.Results).Status);
        Assert.Contains("after\n", dispatcher.Log, StringComparison.Ordinal);
        Assert.Contains("x", dispatcher.Artifacts);
    }

    [Fact]
    public async Task A_dispatcher_that_is_gone_for_half_a_minute_has_its_agent_stopped()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "trap 'echo > stopped; exit 0' TERM; echo \"re\"ady; while :; do sleep 0.1; done";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLoggedAsync("ready");

        await dispatcher.GoAwayAsync();

        Assert.Equal(4, (await runner.WhenEndedAsync()).ExitCode);
        Assert.True(File.Exists(Path.Combine(runner.Workspace, "stopped")));
        await dispatcher.ComeBackAsync();
    }

    [Fact]
    public async Task An_answer_it_does_not_understand_is_the_runners_failure()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Fault = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/brief", StringComparison.Ordinal)) return false;
            await context.Response.WriteAsync("<html>");
            return true;
        };

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Failed, Contracts.Tasks.FailureReason.StartFailed), (result.Status, result.Reason));
        Assert.Contains("GET /agent/v1/brief answered what this runner does not understand", result.Error, StringComparison.Ordinal);
    }
}
