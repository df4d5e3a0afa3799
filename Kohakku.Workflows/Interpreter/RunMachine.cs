using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Workflows.Interpreter;

/// <summary>
/// The core of the interpreter: a plan, a state and what happens make the next state and the next <see cref="Turn"/>. It knows no Temporal, no clock
/// and no text of a definition, and the same calls always do the same, so a replay comes to where it was. Engine 1: what it does with a given history
/// never changes; what must change gets a new engine beside it, and runs end with the one they began with.
/// <code>
/// loop: turn = NextTurn(now); if any: result = do it; Apply(turn, result, now); else wait for an event or NextDeadline
/// </code>
/// One turn is done at a time; what happens meanwhile is kept until its result is known. Not for several threads.
/// </summary>
public sealed partial class RunMachine(RunPlan plan, MachineState state, Guid runId)
{
    /// <summary>The number of this engine, as runs' inputs bear it.</summary>
    public const int Engine = 1;

    /// <summary>Over all steps of a run.</summary>
    public const int MostItems = 10_000;

    private const int MostUnitsPerTurn = 500;
    private const int MostWebhooksAtOnce = 20;

    private readonly List<UnitEnded> _early = [];
    private readonly List<Decision> _earlyDecisions = [];
    private readonly List<UnitRecord> _webhooks = [];
    private bool _inTurn;

    public MachineState State => state;

    /// <summary>While true no webhook begins, so that those that run come to an end: continue-as-new waits for them.</summary>
    public bool Draining { get; set; }

    /// <summary>The run's last turn has been done.</summary>
    public bool Ended => state.Run.IsFinal();

    /// <summary>When <see cref="NextTurn"/> should be asked again though nothing happened; null: never.</summary>
    public DateTimeOffset? NextDeadline
    {
        get
        {
            var next = state.Stopping is null ? state.Deadline : null;
            foreach (var step in state.Steps)
            {
                if (step.State.IsEnded()) continue;
                next = Earlier(next, step.Deadline);
                foreach (var unit in step.Units) next = Earlier(next, unit.DueAt);
            }

            return next;
        }
    }

    /// <param name="reused">Steps that an earlier run has done, by their index; they are not done again.</param>
    public static MachineState Begin(RunPlan plan, IReadOnlyList<StepRecord> reused, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(reused);
        var steps = plan.Steps.Select(_ => new StepProgress()).ToList();
        foreach (var record in reused)
        {
            var step = steps[record.Step];
            (step.State, step.Opened, step.Items, step.Next) = (record.State, true, record.Items, Math.Max(record.Items, 0));
            (step.Succeeded, step.Failed, step.Failure) = (record.Succeeded, record.Failed, record.Failure);
        }

        return new MachineState { Steps = steps, Deadline = now + plan.Timeout };
    }

    /// <summary>A task or a child run has ended. What is not known (any more) is passed over.</summary>
    public void End(UnitEnded ended)
    {
        ArgumentNullException.ThrowIfNull(ended);
        // A task may be faster than the answer to the turn that made it.
        if (_inTurn) _early.Add(ended);
        else if (ended.Step < state.Steps.Count && state.Steps[ended.Step].Units.Find(unit => unit.Item == ended.Item && unit.Attempt == ended.Attempt && unit.Begun) is { } unit)
            EndPart(ended, unit);
    }

    /// <summary>A person has decided about an approval, or its time-out has.</summary>
    public void Decide(Decision decision)
    {
        ArgumentNullException.ThrowIfNull(decision);
        if (_inTurn)
        {
            _earlyDecisions.Add(decision);
            return;
        }

        if (plan.Steps[decision.Step].Kind != StepKind.Approval || state.Steps[decision.Step].Units is not [var unit]) return;
        var words = decision.Comment is { Length: > 0 } comment ? $"It was rejected: {comment}" : "It was rejected.";
        EndUnit(decision.Step, unit, decision.Approve ? StepState.Succeeded : StepState.Failed, decision.Approve ? null : words);
    }

    /// <summary>A signal waits until a step takes it. One that is there already is passed over.</summary>
    public void Receive(SignalReceived signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        if (!Ended && state.Signals.TrueForAll(known => known.Id != signal.Id)) state.Signals.Add(signal);
    }

    /// <summary>The inbox was taken up to here; false when that is nothing new, and then its content is not either.</summary>
    public bool Take(long inboxThrough)
    {
        if (inboxThrough <= state.InboxThrough) return false;
        (state.InboxThrough, state.InboxMoved) = (inboxThrough, true);
        return true;
    }

    /// <summary>False when it cannot be: it is paused, or ends.</summary>
    public bool Pause()
    {
        if (state.Paused || state.Stopping is not null || Ended) return false;
        (state.Paused, state.RunChanged) = (true, true);
        return true;
    }

    /// <summary>False when it is not paused.</summary>
    public bool Resume()
    {
        if (!state.Paused || Ended) return false;
        (state.Paused, state.RunChanged) = (false, true);
        return true;
    }

    /// <summary>False when it has ended, or is being canceled already.</summary>
    public bool Cancel(string by)
    {
        if (Ended || state.Stopping == RunState.Canceled) return false;
        (state.Stopping, state.Failure, state.Paused) = (RunState.Canceled, $"Canceled by {by}.", false);
        return true;
    }

    /// <summary>Webhooks that the last turn began: each is to be called, and its end told by <see cref="End"/>.</summary>
    public IReadOnlyList<UnitRecord> TakeWebhooks()
    {
        UnitRecord[] begun = [.. _webhooks];
        _webhooks.Clear();
        return begun;
    }

    private void EndPart(UnitEnded ended, UnitProgress unit)
    {
        var candidates = plan.Steps[ended.Step].Candidates;
        if (candidates == 0)
        {
            EndUnit(ended.Step, unit, ended.State, ended.Failure);
            return;
        }

        if (unit.OpenParts?.Remove(ended.Part) != true) return;
        if (ended.Part < candidates) EndCandidate(ended, unit);
        else EndJudge(ended, unit);
    }

    private void EndCandidate(UnitEnded ended, UnitProgress unit)
    {
        unit.Won ??= [];
        if (ended.State == StepState.Succeeded) unit.Won.Add(ended.Part);
        if (unit.OpenParts!.Count > 0) return;
        // With one left there is nothing to judge.
        if (unit.Won.Count == 0) EndUnit(ended.Step, unit, StepState.Failed, $"None of its candidates succeeded. {ended.Failure}".TrimEnd());
        else if (unit.Won is [var only]) EndUnit(ended.Step, unit, StepState.Succeeded, null, only);
        else (unit.Judging, unit.Begun) = (true, false);
    }

    private void EndJudge(UnitEnded ended, UnitProgress unit)
    {
        if (ended.State != StepState.Succeeded) EndUnit(ended.Step, unit, ended.State, $"Its judge failed. {ended.Failure}".TrimEnd());
        else if (ended.Winner is { } winner && unit.Won!.Contains(winner)) EndUnit(ended.Step, unit, StepState.Succeeded, null, winner);
        else EndUnit(ended.Step, unit, StepState.Failed, "Its judge must answer { \"winner\": index } with the index of a candidate that succeeded.");
    }

    private void EndUnit(int index, UnitProgress unit, StepState how, string? failure, int? winner = null, Guid? signal = null)
    {
        var (plan1, step) = (plan.Steps[index], state.Steps[index]);
        state.EndedUnits.Add(new UnitRecord(index, unit.Item, unit.Attempt, how, failure, winner, signal));
        // A task sees to its own attempts, and Temporal to a webhook's.
        if (how.IsFailure() && plan1.Kind == StepKind.Workflow && unit.Attempt < plan1.MaxAttempts && state.Stopping is null)
        {
            (unit.Attempt, unit.Begun) = (unit.Attempt + 1, false);
            return;
        }

        step.Units.Remove(unit);
        if (how == StepState.Succeeded) step.Succeeded++;
        else step.Failed++;
        state.ChangedSteps.Add(index);
        var single = step.Items == 1;
        var all = step.Next >= step.Items && step.Units.Count == 0;
        if (how.IsFailure() && (all || !plan1.ContinueOnError))
            EndStep(index, single ? how : StepState.Failed, single ? failure : Words(step, unit.Item, failure));
        else if (all)
            EndStep(index, step.Failed > 0 ? StepState.Failed : StepState.Succeeded, step.Failed > 0 ? Words(step, null, null) : null);
    }

    private static string Words(StepProgress step, int? item, string? failure) => item is null || failure is null
        ? $"{step.Failed} of its {step.Items} items failed."
        : $"{step.Failed} of its {step.Items} items failed; item {item}: {failure}";

    private void EndStep(int index, StepState how, string? failure)
    {
        var step = state.Steps[index];
        if (step.State.IsEnded()) return;
        if (step.Units.Count > 0) state.Cancels.Add(index);
        step.Units.Clear();
        (step.State, step.Failure, step.Deadline) = (how, failure, null);
        state.ChangedSteps.Add(index);
        if (!how.IsFailure() || plan.Steps[index].ContinueOnError || index == plan.OnFailure || state.Stopping is not null) return;
        (state.Stopping, state.FailedStep, state.Failure) = (RunState.Failed, index, $"Step '{plan.Steps[index].Id}' {Verb(how)}. {failure}".TrimEnd());
    }

    private static string Verb(StepState how) => how switch
    {
        StepState.TimedOut => "timed out",
        StepState.Canceled => "was canceled",
        _ => "failed",
    };

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other : one;
}
