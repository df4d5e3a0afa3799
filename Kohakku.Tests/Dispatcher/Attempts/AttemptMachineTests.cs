using System.Text.Json;
using CsCheck;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Attempts;

public sealed class AttemptMachineTests
{
    private static readonly int?[] KnownExitCodes = [null, 0, 1, 3, 4, 10, 137, 143];
    private static readonly Gen<int?> ExitCodes = Gen.Int[0, KnownExitCodes.Length - 1].Select(i => KnownExitCodes[i]);

    private static readonly Gen<AttemptInput> Inputs = Gen.OneOf(
        Gen.Int[0, 100].Select(percent => (AttemptInput)new AttemptInput.PullProgress("image", percent)),
        Gen.Const((AttemptInput)new AttemptInput.StartBegun()),
        Gen.Const((AttemptInput)new AttemptInput.Started("id")),
        Gen.Const((AttemptInput)new AttemptInput.Reported(AttemptEventTypes.Progress, JsonElement.Parse("{}"))),
        Gen.Bool.Select(Gen.Int[0, 2], (success, code) =>
            (AttemptInput)new AttemptInput.ResultPosted(new AgentResult(success ? AgentOutcome.Succeeded : AgentOutcome.Failed, ExitCode: code == 2 ? null : code))),
        Gen.Enum<StopCause>().Select(cause => (AttemptInput)new AttemptInput.StopOrdered(cause)),
        Gen.Bool.Select(transient => (AttemptInput)new AttemptInput.LaunchFailed(FailureReason.ImagePull, "no", transient)),
        Gen.Select(ExitCodes, Gen.Bool, Gen.Bool, (code, oom, alive) => (AttemptInput)new AttemptInput.Exited(new RuntimeExit(code, oom, ""), alive, null)));

    private static readonly Gen<AttemptInput[]> Lives = Inputs.Array[0, 12];

    [Fact]
    public void Whatever_happens_an_attempt_ends_at_most_once_and_says_nothing_after() => Lives.Sample(inputs =>
    {
        var (events, _) = Run(inputs);
        var ends = events.Count(each => each.Type == AttemptEventTypes.Ended);
        Assert.True(ends <= 1);
        if (ends == 1) Assert.Equal(AttemptEventTypes.Ended, events[^1].Type);
    });

    [Fact]
    public void A_fenced_attempt_reports_no_end() => Lives.Sample(inputs =>
    {
        var (_, before) = Run(inputs);
        if (before.IsOver) return;
        var fenced = AttemptMachine.Apply(before, new AttemptInput.StopOrdered(StopCause.Fenced)).Status;
        foreach (var end in new AttemptInput[] { new AttemptInput.LaunchFailed(FailureReason.StartFailed, "", true), new AttemptInput.Exited(new RuntimeExit(0, false, ""), true, null) })
        {
            var step = AttemptMachine.Apply(fenced, end);
            Assert.Null(step.Event);
            if (step.Accepted) Assert.Equal(AttemptPhase.Dropped, step.Status.Phase);
        }
    });

    [Fact]
    public void A_refused_input_changes_nothing() => Lives.Select(Inputs).Sample((inputs, input) =>
    {
        var (_, status) = Run(inputs);
        var step = AttemptMachine.Apply(status, input);
        if (step.Accepted) return;
        Assert.Equal(status, step.Status);
        Assert.Null(step.Event);
    });

    [Fact]
    public void Phases_only_go_forward() => Lives.Sample(inputs =>
    {
        var status = AttemptStatus.New;
        foreach (var input in inputs)
        {
            var next = AttemptMachine.Apply(status, input).Status;
            Assert.True(next.Phase >= status.Phase);
            status = next;
        }
    });

    [Fact]
    public void While_it_is_stopped_the_agent_delivers_but_changes_nothing_of_why_it_ends() => Lives.Sample(inputs =>
    {
        var (_, status) = Run(inputs);
        if (status.Stop is null || status.IsOver || status.Phase != AttemptPhase.Running) return;
        var isOpen = status.Stop != StopCause.Fenced;
        Assert.Equal(isOpen, AttemptMachine.Apply(status, new AttemptInput.Reported(AttemptEventTypes.Artifact, JsonElement.Parse("{}"))).Accepted);
        Assert.False(AttemptMachine.Apply(status, new AttemptInput.Reported(AttemptEventTypes.Question, JsonElement.Parse("{}"))).Accepted);
        var posted = AttemptMachine.Apply(status, new AttemptInput.ResultPosted(new AgentResult(AgentOutcome.Succeeded, ExitCode: 5)));
        Assert.Equal(isOpen, posted.Accepted);
        var exit = new AttemptInput.Exited(new RuntimeExit(0, false, ""), true, null);
        var (with, without) = (AttemptMachine.Apply(posted.Status, exit).Status.End, AttemptMachine.Apply(status, exit).Status.End);
        Assert.Equal((without?.Status, without?.Reason), (with?.Status, with?.Reason));
    });

    [Fact]
    public void Success_needs_a_result_that_says_so_and_no_exit_code_against_it() => Lives.Sample(inputs =>
    {
        var (_, status) = Run(inputs);
        if (status.End?.Status != AttemptState.Succeeded) return;
        Assert.Equal(AgentOutcome.Succeeded, status.Result!.Status);
        Assert.True(status.Result.ExitCode is null or 0);
    });

    private static (List<AttemptEmission> Events, AttemptStatus Status) Run(AttemptInput[] inputs)
    {
        var status = AttemptStatus.New;
        var events = new List<AttemptEmission>();
        foreach (var input in inputs)
        {
            var step = AttemptMachine.Apply(status, input);
            status = step.Status;
            if (step.Event is { } made) events.Add(made);
        }
        return (events, status);
    }
}
