using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Tests.Workflows.Interpreter;

public sealed class RunMachineTests
{
    [Fact]
    public void Steps_begin_when_what_they_need_has_ended()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b", 0), Agent("c", 0), Agent("d", 1, 2))).Go();
        Assert.Equal(["a"], Running(run));
        run.End("a");
        Assert.Equal(["b", "c"], Running(run));
        run.End("c");
        Assert.Equal(["b"], Running(run));
        run.End("b");
        Assert.Equal(["d"], Running(run));
        run.End("d");
        Assert.Equal(RunState.Succeeded, run.Machine.State.Run);
    }

    [Fact]
    public void A_failed_step_fails_the_run_and_what_runs_is_canceled()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b"), Agent("c", 0))).Go().End("a", StepState.Failed);
        Assert.Equal((RunState.Failed, StepState.Failed, StepState.Canceled, StepState.Skipped), (run.Machine.State.Run, run["a"].State, run["b"].State, run["c"].State));
        Assert.Contains(1, run.Turns[^1].Cancel);
        Assert.Equal("Step 'a' failed. broken", run.Machine.State.Failure);
        Assert.Equal(0, run.Turns[^1].FailedStep);
    }

    [Fact]
    public void A_failure_that_may_be_goes_on_to_what_needs_it()
    {
        var run = new PlayedRun(Plan(Agent("a") with { ContinueOnError = true }, Agent("b", 0))).Go().End("a", StepState.TimedOut);
        Assert.Equal(["b"], Running(run));
        run.End("b");
        Assert.Equal((RunState.Succeeded, StepState.TimedOut), (run.Machine.State.Run, run["a"].State));
    }

    [Fact]
    public void A_skipped_step_skips_what_needs_it_but_not_what_has_a_condition_of_its_own()
    {
        var run = new PlayedRun(
            Plan(Agent("a") with { HasIf = true }, Agent("b", 0), Agent("c", 1), Agent("d", 0) with { HasIf = true }), step => new StepOpened(step, Skipped: step == 0, 1)).Go();
        Assert.Equal((StepState.Skipped, StepState.Skipped, StepState.Skipped, StepState.Running), (run["a"].State, run["b"].State, run["c"].State, run["d"].State));
        run.End("d");
        Assert.Equal(RunState.Succeeded, run.Machine.State.Run);
    }

    [Fact]
    public void A_fan_out_keeps_to_its_limit_and_counts()
    {
        var run = new PlayedRun(Plan(Fan("a") with { MaxParallel = 2, ContinueOnError = true }), step => new StepOpened(step, Skipped: false, 5)).Go();
        Assert.Equal(2, run.Running.Count);
        run.End("a", StepState.Failed, item: 1);
        Assert.Equal([0, 2], run.Running.Select(unit => unit.Item));
        foreach (var item in (int[])[0, 2, 3, 4]) run.End("a", item: item);
        Assert.Equal((StepState.Failed, 4, 1, "1 of its 5 items failed."), (run["a"].State, run["a"].Succeeded, run["a"].Failed, run["a"].Failure));
        Assert.Equal(RunState.Succeeded, run.Machine.State.Run);
    }

    [Fact]
    public void A_fan_out_over_nothing_succeeds() =>
        Assert.Equal(RunState.Succeeded, new PlayedRun(Plan(Fan("a")), step => new StepOpened(step, Skipped: false, 0)).Go().Machine.State.Run);

    [Fact]
    public void Ten_thousand_items_begin_in_bounded_turns_and_one_more_is_a_fault()
    {
        var run = new PlayedRun(Plan(Fan("a"), Fan("b", 0)), step => new StepOpened(step, Skipped: false, 10_000)).Go();
        Assert.Equal(10_000, run.Running.Count);
        Assert.All(run.Turns, turn => Assert.True(turn.Start.Sum(start => start.Count) + turn.Open.Sum(open => open.Capacity) <= 500));
        foreach (var unit in run.Running.ToArray()) run.End(unit, StepState.Succeeded);
        run.Go();
        Assert.Equal(0, Assert.Single(run.Turns.SelectMany(turn => turn.Open), open => open.Step == 1).ItemsLeft);
    }

    [Fact]
    public void Of_the_best_of_three_the_judge_picks_one()
    {
        var run = new PlayedRun(Plan(Agent("a") with { Candidates = 3 })).Go();
        run.End("a", part: 0).End("a", StepState.Failed, part: 1).End("a", part: 2);
        Assert.Equal(3, Assert.Single(run.Running).Part);
        run.End("a", part: 3, winner: 2);
        Assert.Equal((StepState.Succeeded, 2), (run["a"].State, Assert.Single(run.Turns.SelectMany(turn => turn.Units)).Winner));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(null)]
    public void A_judge_that_picks_none_that_succeeded_fails_the_step(int? winner)
    {
        var run = new PlayedRun(Plan(Agent("a") with { Candidates = 3 })).Go();
        run.End("a", part: 0).End("a", StepState.Failed, part: 1).End("a", part: 2).End("a", part: 3, winner: winner);
        Assert.Equal(RunState.Failed, run.Machine.State.Run);
    }

    [Fact]
    public void The_only_candidate_that_succeeded_needs_no_judge()
    {
        var run = new PlayedRun(Plan(Agent("a") with { Candidates = 2 })).Go().End("a", StepState.Failed, part: 0).End("a", part: 1);
        Assert.Equal((RunState.Succeeded, 1), (run.Machine.State.Run, Assert.Single(run.Turns.SelectMany(turn => turn.Units)).Winner));
    }

    [Fact]
    public void The_step_for_failures_runs_only_then_and_sees_why()
    {
        var plan = Plan(Agent("a"), Agent("tell")) with { OnFailure = 1 };
        var good = new PlayedRun(plan).Go().End("a");
        Assert.Equal((RunState.Succeeded, StepState.Skipped), (good.Machine.State.Run, good["tell"].State));
        var bad = new PlayedRun(plan).Go().End("a", StepState.Failed);
        Assert.Equal(["tell"], Running(bad));
        Assert.Equal((RunState.Failed, "Step 'a' failed. broken"), (bad.Turns[^1].Ending, bad.Turns[^1].Failure));
        bad.End("tell", StepState.Failed);
        Assert.Equal((RunState.Failed, "Step 'a' failed. broken"), (bad.Machine.State.Run, bad.Machine.State.Failure));
    }

    [Fact]
    public void A_signal_waits_for_its_step_and_is_taken_once()
    {
        var run = new PlayedRun(Plan(Agent("a"), Signal("one", 0), Signal("two", 1)));
        var (first, second) = (new SignalReceived("go", Guid.NewGuid()), new SignalReceived("go", Guid.NewGuid()));
        run.Machine.Receive(first);
        run.Machine.Receive(first);
        run.Go().End("a");
        Assert.Equal(StepState.Succeeded, run["one"].State);
        Assert.Equal(StepState.Waiting, run["two"].State);
        run.Machine.Receive(second);
        run.Go();
        Assert.Equal([first.Id, second.Id], run.Turns.SelectMany(turn => turn.Units).Select(unit => unit.SignalId).OfType<Guid>());
        Assert.Equal(RunState.Succeeded, run.Machine.State.Run);
    }

    [Fact]
    public void An_approval_waits_and_a_rejection_fails_the_step()
    {
        var plan = Plan(new PlanStep { Id = "gate", Kind = StepKind.Approval, ApprovalTimeout = TimeSpan.FromHours(1) });
        var run = new PlayedRun(plan).Go();
        Assert.Equal((StepState.Waiting, run.Now.AddHours(1)), (run["gate"].State, run.Machine.NextDeadline));
        run.Machine.Decide(new Decision(0, Approve: false, "no"));
        run.Go();
        Assert.Equal("Step 'gate' failed. It was rejected: no", run.Machine.State.Failure);

        var late = new PlayedRun(plan).Go();
        late.Now = late.Now.AddHours(1);
        late.Go();
        Assert.Equal([0], late.Turns[1].Expire);
        Assert.Equal("Step 'gate' failed. It was rejected: too late", late.Machine.State.Failure);
    }

    [Fact]
    public void Time_limits_hold_at_every_level()
    {
        var run = new PlayedRun(Plan(Agent("a") with { Timeout = TimeSpan.FromMinutes(1), ContinueOnError = true }, Agent("b", 0)) with { Timeout = TimeSpan.FromHours(1) }).Go();
        run.Now = run.Now.AddMinutes(1);
        run.Go();
        Assert.Equal((StepState.TimedOut, StepState.Running), (run["a"].State, run["b"].State));
        run.Now = run.Now.AddHours(1);
        run.Go();
        Assert.Equal((RunState.TimedOut, StepState.Canceled, "The run did not end within its timeout of 1 hours."), (run.Machine.State.Run, run["b"].State, run.Machine.State.Failure));
    }

    [Fact]
    public void A_paused_run_begins_nothing_until_it_is_resumed()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b", 0))).Go();
        Assert.True(run.Machine.Pause());
        Assert.False(run.Machine.Pause());
        run.Go();
        Assert.Equal(RunState.Paused, run.Turns[^1].Run);
        run.End("a");
        Assert.Empty(run.Running);
        Assert.True(run.Machine.Resume());
        run.Go();
        Assert.Equal(["b"], Running(run));
        Assert.Equal(RunState.Running, run.Turns.Last(turn => turn.Run is not null).Run);
    }

    [Fact]
    public void A_canceled_run_ends_at_once_and_its_units_are_told()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b", 0), Agent("tell")) with { OnFailure = 2 }).Go();
        Assert.True(run.Machine.Cancel("somebody"));
        Assert.False(run.Machine.Cancel("somebody else"));
        run.Go();
        Assert.Equal((RunState.Canceled, "Canceled by somebody.", StepState.Canceled, StepState.Skipped), (run.Machine.State.Run, run.Machine.State.Failure, run["b"].State, run["tell"].State));
        Assert.Equal([0], run.Turns[^1].Cancel);
    }

    [Fact]
    public void What_ends_while_the_turn_that_began_it_is_still_being_done_counts()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b", 0)));
        run.DuringTurn = () =>
        {
            foreach (var unit in run.Running.ToArray()) run.End(unit, StepState.Succeeded);
        };
        Assert.Equal(RunState.Succeeded, run.Go().Machine.State.Run);
    }

    [Fact]
    public void A_sub_workflow_is_tried_as_often_as_its_step_says()
    {
        var run = new PlayedRun(Plan(new PlanStep { Id = "a", Kind = StepKind.Workflow, MaxAttempts = 2 })).Go().End("a", StepState.Failed);
        Assert.Equal(2, Assert.Single(run.Running).Attempt);
        Assert.Equal(RunState.Succeeded, run.End("a").Machine.State.Run);
    }

    [Fact]
    public void Steps_that_an_earlier_run_has_done_are_not_done_again()
    {
        var run = new PlayedRun(Plan(Agent("a"), Agent("b", 0)), reused: [new StepRecord(0, StepState.Succeeded, 1, 1, 0)]).Go();
        Assert.Equal(["b"], Running(run));
    }

    [Fact]
    public void Outputs_that_can_not_be_rendered_fail_the_run_and_the_step_for_failures_runs()
    {
        var plan = Plan(Agent("a"), Agent("tell")) with { OnFailure = 1 };
        var machine = new RunMachine(plan, RunMachine.Begin(plan, [new StepRecord(0, StepState.Succeeded, 1, 1, 0)], default), PlayedRun.RunId);
        var last = machine.NextTurn(default)!;
        Assert.Equal(RunState.Succeeded, last.Run);
        machine.Apply(last, new TurnResult { OutputsFault = "no such output" }, default);
        Assert.False(machine.Ended);
        Assert.Equal(1, Assert.Single(machine.NextTurn(default)!.Open).Step);
    }

    internal static RunPlan Plan(params PlanStep[] steps) => new() { Steps = steps };

    internal static PlanStep Agent(string id, params int[] needs) => new() { Id = id, Kind = StepKind.Agent, Needs = needs };

    private static PlanStep Fan(string id, params int[] needs) => Agent(id, needs) with { FansOut = true };

    private static PlanStep Signal(string id, params int[] needs) => new() { Id = id, Kind = StepKind.Signal, Needs = needs, Signal = "go" };

    private static string[] Running(PlayedRun run) => [.. run.Running.Select(unit => run.Plan.Steps[unit.Step].Id)];
}
