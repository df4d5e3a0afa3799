using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Attempts;

public sealed class AttemptEndingTests
{
    private static readonly AttemptStatus Running = new(AttemptPhase.Running, "id");

    [Theory]
    [InlineData(0, true, FailureReason.AgentError, "without posting a result")]
    [InlineData(3, true, FailureReason.HeartbeatLost, "told that its attempt is over")]
    [InlineData(4, true, FailureReason.HeartbeatLost, "could not reach its dispatcher")]
    [InlineData(10, true, FailureReason.StartFailed, "The runner failed: no space left")]
    [InlineData(137, true, FailureReason.HeartbeatLost, "signal 9")]
    [InlineData(null, true, FailureReason.HeartbeatLost, "vanished")]
    [InlineData(127, false, FailureReason.StartFailed, "exit code 127 before it reached")]
    [InlineData(1, true, FailureReason.HeartbeatLost, "exit code 1 without saying")]
    public void A_runner_that_reported_nothing_is_judged_by_how_it_ended(int? exitCode, bool wasAlive, FailureReason reason, string words)
    {
        var end = AttemptEnding.OfExit(Running, new AttemptInput.Exited(new RuntimeExit(exitCode, false, "starting\nno space left\n"), wasAlive, "tail"));
        Assert.Equal((AttemptState.Failed, reason, "tail"), (end.Status, end.Reason!.Value, end.LogTail));
        Assert.Contains(words, end.Message);
    }

    [Fact]
    public void A_failed_result_of_a_container_that_ran_out_of_memory_is_told_as_such()
    {
        var status = Running with { Result = new AgentResult(AgentOutcome.Failed, ExitCode: 137, Reason: FailureReason.AgentExit) };
        Assert.Equal(FailureReason.OutOfMemory, AttemptEnding.OfExit(status, new AttemptInput.Exited(new RuntimeExit(0, true, ""), true, null)).Reason);
    }

    [Fact]
    public void An_end_that_nobody_here_ordered_is_the_infrastructures()
    {
        var status = Running with { Result = new AgentResult(AgentOutcome.Failed, Error: "The runner was told to end by SIGTERM.", ExitCode: 143, Reason: FailureReason.Canceled) };
        var end = AttemptEnding.OfExit(status, new AttemptInput.Exited(new RuntimeExit(0, false, ""), true, null));
        Assert.Equal((AttemptState.Failed, FailureReason.DispatcherLost, 143), (end.Status, end.Reason!.Value, end.ExitCode!.Value));
    }

    [Fact]
    public void A_non_zero_exit_overrides_success_but_keeps_the_output()
    {
        var status = Running with { Result = new AgentResult(AgentOutcome.Succeeded, Output: System.Text.Json.JsonElement.Parse("1"), ExitCode: 3) };
        var end = AttemptEnding.OfExit(status, new AttemptInput.Exited(new RuntimeExit(0, false, ""), true, null));
        Assert.Equal((AttemptState.Failed, FailureReason.AgentExit, 3), (end.Status, end.Reason!.Value, end.ExitCode!.Value));
        Assert.NotNull(end.Output);
    }

    [Theory]
    [InlineData(StopCause.Canceled, AttemptState.Canceled, FailureReason.Canceled)]
    [InlineData(StopCause.Timeout, AttemptState.TimedOut, FailureReason.Timeout)]
    [InlineData(StopCause.HeartbeatLost, AttemptState.Failed, FailureReason.HeartbeatLost)]
    [InlineData(StopCause.Shutdown, AttemptState.Failed, FailureReason.DispatcherLost)]
    internal void A_stopped_attempt_ends_as_the_stop_says_whatever_its_exit_code(StopCause cause, AttemptState state, FailureReason reason)
    {
        foreach (var code in new int?[] { 0, 3, 143, null })
        {
            var end = AttemptEnding.OfExit(Running with { Stop = cause }, new AttemptInput.Exited(new RuntimeExit(code, false, ""), true, null));
            // The runner's own exit code is not the agent's.
            Assert.Equal((state, reason, null), (end.Status, end.Reason!.Value, end.ExitCode));
        }
        var tidied = AttemptEnding.OfExit(
            Running with { Stop = cause, AfterStop = new AgentResult(AgentOutcome.Succeeded, ExitCode: 7) }, new AttemptInput.Exited(new RuntimeExit(0, false, ""), true, null));
        Assert.Equal((state, reason, 7), (tidied.Status, tidied.Reason!.Value, tidied.ExitCode!.Value));
    }

    [Fact]
    public void What_the_agent_finished_before_the_stop_counts()
    {
        var status = Running with { Stop = StopCause.Shutdown, Result = new AgentResult(AgentOutcome.Succeeded, ExitCode: 0) };
        Assert.Equal(AttemptState.Succeeded, AttemptEnding.OfExit(status, new AttemptInput.Exited(new RuntimeExit(143, false, ""), true, null)).Status);
    }
}
