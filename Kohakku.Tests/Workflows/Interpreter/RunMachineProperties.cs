using CsCheck;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Tests.Workflows.Interpreter;

/// <summary>What holds for every workflow, whatever happens to its run and in whatever order.</summary>
public sealed class RunMachineProperties
{
    private static readonly Gen<PlanStep> Steps = Gen.Select(
        Gen.Enum<StepKind>(), Gen.Bool, Gen.Bool, Gen.Int[0, 3], Gen.Int[0, 3], Gen.Bool, Gen.Int[1, 3], Gen.Int[0, 4],
        (kind, hasIf, fansOut, parallel, candidates, tolerant, attempts, timeout) => new PlanStep
        {
            Id = "", Kind = kind, HasIf = hasIf, FansOut = fansOut && kind != StepKind.Approval, MaxParallel = parallel == 0 ? null : parallel,
            Candidates = kind == StepKind.Agent && candidates > 1 ? candidates : 0, ContinueOnError = tolerant, MaxAttempts = attempts,
            Timeout = timeout == 0 ? TimeSpan.FromSeconds(25) : null, ApprovalTimeout = kind == StepKind.Approval && timeout < 3 ? TimeSpan.FromSeconds(30) : null,
            Signal = kind == StepKind.Signal ? "go" : null,
        });

    private static readonly Gen<RunPlan> Plans = Gen.Select(Steps.Array[1, 8], Gen.Int[0, int.MaxValue - 1], Gen.Bool, Gen.Int[0, 5], (steps, seed, handled, timeout) =>
    {
        var random = new Random(seed);
        PlanStep[] named = [.. steps.Select((step, index) => step with
        {
            Id = $"s{index}", Needs = [.. Enumerable.Range(0, index).Where(_ => random.Next(3) == 0)],
        })];
        // The step for failures stands outside: nobody needs it, and it needs nobody.
        int? handler = handled && named.Length > 1 ? named.Length - 1 : null;
        if (handler is { } last) named[last] = named[last] with { Needs = [], HasIf = false };
        return new RunPlan { Steps = named, OnFailure = handler, Timeout = timeout == 0 ? TimeSpan.FromMinutes(2) : null };
    });

    [Fact]
    public void Every_run_ends_once_and_every_step_with_it() => Gen.Select(Plans, Gen.Int[0, int.MaxValue - 1]).Sample((plan, seed) =>
    {
        var run = Play(plan, seed, forgets: false);
        Assert.True(run.Machine.Ended);
        Assert.Empty(run.Running);
        Assert.All(run.Machine.State.Steps, step => Assert.True(step.State.IsEnded()));
        Assert.Single(run.Turns, turn => turn.Run is { } state && state.IsFinal());
        Assert.All(run.Machine.State.Steps, step => Assert.True(step.Succeeded + step.Failed <= Math.Max(step.Items, 0)));
        if (run.Machine.State.Run != RunState.Succeeded) return;
        for (var index = 0; index < plan.Steps.Count; index++)
            Assert.True(plan.Steps[index].ContinueOnError || index == plan.OnFailure || !run.Machine.State.Steps[index].State.IsFailure());
    }, iter: 2_000);

    [Fact]
    public void The_same_events_make_the_same_turns_also_when_the_state_is_carried_over() => Gen.Select(Plans, Gen.Int[0, int.MaxValue - 1]).Sample(
        (plan, seed) => Assert.Equal(Play(plan, seed, forgets: false).Log, Play(plan, seed, forgets: true).Log), iter: 500);

    [Fact]
    public void A_run_whose_workflow_is_lost_again_and_again_does_its_work_once_and_ends() => Gen.Select(Plans, Gen.Int[0, int.MaxValue - 1]).Sample((plan, seed) =>
    {
        var run = Play(plan, seed, forgets: false, loses: true);
        Assert.True(run.Machine.Ended);
        Assert.Empty(run.Running);
        Assert.All(run.Machine.State.Steps, step => Assert.True(step.State.IsEnded()));
        Assert.Single(run.Turns, turn => turn.Run is { } state && state.IsFinal());
        Assert.All(run.Machine.State.Steps, step => Assert.True(step.Succeeded + step.Failed <= Math.Max(step.Items, 0)));
        var failed = run.Machine.State.Steps.Where((step, index) => step.State.IsFailure() && !plan.Steps[index].ContinueOnError && index != plan.OnFailure).Any();
        Assert.Equal(run.Machine.State.Run != RunState.Succeeded, failed || run.Machine.State.Run is RunState.Canceled or RunState.TimedOut);
    }, iter: 2_000);

    private static PlayedRun Play(RunPlan plan, int seed, bool forgets, bool loses = false)
    {
        var random = new Random(seed);
        var opens = Enumerable.Range(0, plan.Steps.Count).Select(step => random.Next(6) switch
        {
            0 when plan.Steps[step].HasIf => new StepOpened(step, Skipped: true, 0),
            1 when plan.Steps[step].FansOut => new StepOpened(step, Skipped: false, 0, "for_each gave nothing"),
            _ => new StepOpened(step, Skipped: false, plan.Steps[step].FansOut ? random.Next(6) : 1),
        }).ToArray();
        var run = new PlayedRun(plan, step => opens[step]) { Forgets = forgets };
        run.DuringTurn = () =>
        {
            if (random.Next(3) == 0) EndOne(run, random);
        };
        run.Go();
        for (var happenings = 0; !run.Machine.Ended && happenings < 3_000; happenings++)
        {
            Happen(run, random, happenings);
            if (loses && random.Next(4) == 0) run.Rebuild();
            run.Go();
            if (loses && random.Next(4) == 0 && !run.Machine.Ended) run.Rebuild();
        }

        return run;
    }

    private static void Happen(PlayedRun run, Random random, int happenings)
    {
        switch (random.Next(12))
        {
            case 0:
                run.Now = run.Now.AddSeconds(random.Next(20));
                break;
            case 1:
                run.Receive(new SignalReceived(random.Next(4) == 0 ? "other" : "go", new Guid(random.Next(), 0, 0, new byte[8])));
                break;
            case 2:
                run.Machine.Decide(new Decision(random.Next(run.Plan.Steps.Count), random.Next(3) > 0));
                break;
            case 3 when happenings < 50:
                run.Machine.Pause();
                break;
            case 4 when random.Next(30) == 0:
                run.Machine.Cancel("the test");
                break;
            case 5 or 6:
                run.Machine.Resume();
                break;
            default:
                EndOne(run, random);
                break;
        }
    }

    private static void EndOne(PlayedRun run, Random random)
    {
        // Waits, approvals and signals are not ended by the world's word.
        var running = run.Running.Where(unit => !run.Plan.Steps[unit.Step].Waits).ToArray();
        if (running.Length == 0) return;
        var unit = running[random.Next(running.Length)];
        var how = random.Next(8) switch { 0 => StepState.Failed, 1 => StepState.TimedOut, 2 => StepState.Canceled, _ => StepState.Succeeded };
        run.End(unit, how, random.Next(4));
        // Told twice is told once.
        if (random.Next(4) == 0) run.Machine.End(unit with { State = StepState.Failed });
    }
}
