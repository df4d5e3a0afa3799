using Kohakku.Contracts.AgentProtocol;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Agent;

public sealed class LogTests
{
    private const long ManyBytes = 200L * 1024 * 1024;
    private static readonly string WriteMany = $"yes 'a line of a long log, as agents write them' | head -c {ManyBytes}; echo; echo the end";

    [Fact]
    public async Task A_huge_log_arrives_whole_in_bounded_memory()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = WriteMany + "; while [ ! -e measured ]; do sleep 0.05; done";
        await using var runner = RunnerUnderTest.Start(dispatcher);
        await dispatcher.WhenLogBytesAsync(ManyBytes);

        var peak = runner.PeakMemory();
        await File.WriteAllTextAsync(Path.Combine(runner.Workspace, "measured"), "", TestContext.Current.CancellationToken);

        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        Assert.Equal(AgentOutcome.Succeeded, Assert.Single(dispatcher.Results).Status);
        Assert.Equal(ManyBytes + "\nthe end\n".Length, dispatcher.LogBytes);
        Assert.True(dispatcher.LargestEvents < 1024 * 1024, $"A batch had {dispatcher.LargestEvents} bytes.");
        Assert.True(peak < 64 * 1024, $"The runner took {peak} KiB.");
        TestContext.Current.SendDiagnosticMessage($"peak memory of the runner: {peak} KiB");
    }

    [Fact]
    public async Task Beyond_the_dispatchers_limit_output_is_drained_and_the_cut_is_said()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.LogLimit = 1024 * 1024;
        dispatcher.Brief = WriteMany;

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.InRange(dispatcher.LogBytes, 1024 * 1024, 2 * 1024 * 1024);
        Assert.Matches("bytes of output were cut", dispatcher.Log);
    }

    [Fact]
    public async Task A_dispatcher_that_takes_the_log_too_slowly_does_not_block_the_agent_for_ever()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Fault = async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/events", StringComparison.Ordinal)) await Task.Delay(2000, context.RequestAborted);
            return false;
        };
        dispatcher.Brief = WriteMany;

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Matches("bytes of output were cut", dispatcher.Log);
    }

    [Fact]
    public async Task The_beginning_of_a_line_is_shown_before_its_end_comes()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "printf 'Password: '; while [ ! -e go ]; do sleep 0.05; done";
        await using var runner = RunnerUnderTest.Start(dispatcher);

        await dispatcher.WhenLoggedAsync("Password: ");

        await File.WriteAllTextAsync(Path.Combine(runner.Workspace, "go"), "", TestContext.Current.CancellationToken);
        Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
    }
}
