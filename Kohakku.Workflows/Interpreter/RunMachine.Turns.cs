using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Workflows.Interpreter;

// How turns come about, and what their results do.
public sealed partial class RunMachine
{
    /// <summary>What is to be done now; null: nothing, until something happens or <see cref="NextDeadline"/> has come.</summary>
    public Turn? NextTurn(DateTimeOffset now)
    {
        if (Ended || _inTurn) return null;
        Tick(now);
        List<OpenStep> open = [];
        List<StartUnits> start = [];
        var final = Progress(open, start);
        var said = state.RunChanged || state.InboxMoved || final is not null
            || state.ChangedSteps.Count + state.Cancels.Count + state.Expiring.Count + state.EndedUnits.Count + open.Count + start.Count > 0;
        if (!said) return null;
        var turn = new Turn
        {
            RunId = runId,
            Sequence = ++state.Sequence,
            InboxThrough = state.InboxThrough,
            Open = open,
            Start = start,
            Expire = [.. state.Expiring.Order()],
            Cancel = [.. state.Cancels.Order()],
            Steps = [.. state.ChangedSteps.Order().Select(Record)],
            Units = [.. state.EndedUnits],
            Run = final ?? (state.RunChanged ? Live() : null),
            Ending = state.Stopping,
            Failure = state.Stopping is null ? null : state.Failure,
            FailedStep = state.FailedStep,
        };
        (state.RunChanged, state.InboxMoved) = (false, false);
        state.ChangedSteps.Clear();
        state.Cancels.Clear();
        state.Expiring.Clear();
        state.EndedUnits.Clear();
        _inTurn = true;
        return turn;
    }

    /// <summary>The turn was done, with this result.</summary>
    public void Apply(Turn turn, TurnResult result, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(turn);
        ArgumentNullException.ThrowIfNull(result);
        _inTurn = false;
        foreach (var opened in result.Opened) ApplyOpened(opened, turn.Open.First(asked => asked.Step == opened.Step).Capacity, now);
        foreach (var start in turn.Start.Where(start => plan.Steps[start.Step].Kind == StepKind.Webhook))
            for (var item = start.From; item < start.From + start.Count; item++) _webhooks.Add(new UnitRecord(start.Step, item, start.Attempt, StepState.Running));
        foreach (var due in result.Due)
            if (state.Steps[due.Step].Units.Find(unit => unit.Item == due.Item) is { } unit) unit.DueAt = due.At;
        foreach (var fault in result.Faults)
        {
            _webhooks.RemoveAll(webhook => webhook.Step == fault.Step && webhook.Item == fault.Item);
            if (state.Steps[fault.Step].Units.Find(unit => unit.Item == fault.Item && unit.Attempt == fault.Attempt) is { } unit)
                EndUnit(fault.Step, unit, StepState.Failed, fault.Message);
        }

        foreach (var decision in result.Decided) Decide(decision);
        if (turn.Run is { } run && run.IsFinal()) Finish(run, result.OutputsFault);
        TakeEarly();
    }

    private void Finish(RunState run, string? outputsFault)
    {
        // Canceled in the moment of its success, it has succeeded.
        if (outputsFault is null) state.Run = run;
        else if (state.Stopping is null)
        {
            (state.Stopping, state.Failure) = (RunState.Failed, outputsFault);
            // It was passed over because all was well.
            if (plan.OnFailure is { } handler) state.Steps[handler].State = StepState.Pending;
        }
    }

    private void TakeEarly()
    {
        UnitEnded[] early = [.. _early];
        Decision[] decisions = [.. _earlyDecisions];
        _early.Clear();
        _earlyDecisions.Clear();
        foreach (var ended in early) End(ended);
        foreach (var decision in decisions) Decide(decision);
    }

    private void ApplyOpened(StepOpened opened, int capacity, DateTimeOffset now)
    {
        var (plan1, step) = (plan.Steps[opened.Step], state.Steps[opened.Step]);
        step.Opened = true;
        if (opened.Skipped)
        {
            // Recorded with the turn.
            (step.State, step.Items) = (StepState.Skipped, 0);
            return;
        }

        if (opened.Fault is { } fault)
        {
            EndStep(opened.Step, StepState.Failed, fault);
            return;
        }

        (step.State, step.Items) = (plan1.Waits ? StepState.Waiting : StepState.Running, opened.Items);
        step.Deadline = now + plan1.Timeout;
        state.ItemsUsed += opened.Items;
        if (opened.Items == 0) EndStep(opened.Step, StepState.Succeeded, null);
        else Begin(opened.Step, Math.Min(capacity, opened.Items), now);
    }

    private void Begin(int index, int count, DateTimeOffset? now)
    {
        var (plan1, step) = (plan.Steps[index], state.Steps[index]);
        for (var i = 0; i < count; i++)
        {
            var unit = new UnitProgress { Item = step.Next++, Begun = true };
            if (plan1.Candidates > 0) unit.OpenParts = [.. Enumerable.Range(0, plan1.Candidates)];
            if (plan1.Kind == StepKind.Approval && now is { } asked) unit.DueAt = asked + plan1.ApprovalTimeout;
            if (plan1.Kind == StepKind.Webhook && now is not null) _webhooks.Add(new UnitRecord(index, unit.Item, unit.Attempt, StepState.Running));
            step.Units.Add(unit);
        }
    }

    private void Tick(DateTimeOffset now)
    {
        for (var index = 0; index < state.Steps.Count; index++)
        {
            var step = state.Steps[index];
            if (step.State.IsEnded()) continue;
            foreach (var unit in step.Units.Where(unit => unit.DueAt <= now).ToArray()) Due(index, unit);
            if (step.Deadline <= now) EndStep(index, StepState.TimedOut, $"It did not end within its timeout of {Words(plan.Steps[index].Timeout!.Value)}.");
        }

        if (state.Stopping is not null || !(state.Deadline <= now)) return;
        (state.Stopping, state.Failure) = (RunState.TimedOut, $"The run did not end within its timeout of {Words(plan.Timeout!.Value)}.");
    }

    private void Due(int index, UnitProgress unit)
    {
        unit.DueAt = null;
        // A person may have been faster; that is settled where the answers are.
        if (plan.Steps[index].Kind == StepKind.Approval) state.Expiring.Add(index);
        else EndUnit(index, unit, StepState.Succeeded, null);
    }

    /// <summary>Goes on as far as it can by itself. Answers the run's final state when there is nothing more to do.</summary>
    private RunState? Progress(List<OpenStep> open, List<StartUnits> start)
    {
        GiveSignals();
        if (state.Stopping is null) SkipAndSettle();
        var budget = MostUnitsPerTurn;
        if (state.Stopping is { } final)
        {
            for (var index = 0; index < state.Steps.Count; index++)
                if (index != plan.OnFailure) EndStep(index, state.Steps[index].Opened || final == RunState.Canceled ? StepState.Canceled : StepState.Skipped, null);
            if (plan.OnFailure is { } handler && !state.Steps[handler].State.IsEnded())
            {
                if (final == RunState.Canceled) EndStep(handler, state.Steps[handler].Opened ? StepState.Canceled : StepState.Skipped, null);
                else
                {
                    Drive(handler, open, start, ref budget);
                    return null;
                }
            }

            return final;
        }

        if (Graph().All(index => state.Steps[index].State.IsEnded()))
        {
            if (plan.OnFailure is { } handler) EndStep(handler, StepState.Skipped, null);
            return RunState.Succeeded;
        }

        if (state.Paused) return null;
        foreach (var index in Graph())
            if (!state.Steps[index].State.IsEnded() && plan.Steps[index].Needs.All(need => state.Steps[need].State.IsEnded())) Drive(index, open, start, ref budget);
        return null;
    }

    /// <summary>A skipped need skips those that need it, unless they decide by an <c>if</c> of their own.</summary>
    private void SkipAndSettle()
    {
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var index in Graph())
            {
                var step = state.Steps[index];
                if (step.Opened || step.State.IsEnded() || plan.Steps[index].HasIf) continue;
                var needs = plan.Steps[index].Needs;
                if (!needs.All(need => state.Steps[need].State.IsEnded()) || !needs.Any(need => state.Steps[need].State == StepState.Skipped)) continue;
                EndStep(index, StepState.Skipped, null);
                changed = true;
            }
        }
    }

    private void Drive(int index, List<OpenStep> open, List<StartUnits> start, ref int budget)
    {
        var (plan1, step) = (plan.Steps[index], state.Steps[index]);
        var cost = Math.Max(1, plan1.Candidates);
        var held = Draining && plan1.Kind == StepKind.Webhook;
        var atOnce = Math.Min(plan1.MaxParallel ?? int.MaxValue, plan1.Kind == StepKind.Webhook ? MostWebhooksAtOnce : int.MaxValue);
        if (!step.Opened)
        {
            if (budget < cost || held) return;
            var capacity = plan1.FansOut ? Math.Min(atOnce, budget / cost) : 1;
            open.Add(new OpenStep(index, capacity, MostItems - state.ItemsUsed));
            budget -= capacity * cost;
            return;
        }

        foreach (var unit in step.Units.Where(unit => !unit.Begun))
        {
            if (budget < 1) return;
            unit.Begun = true;
            if (unit.Judging) unit.OpenParts = [plan1.Candidates];
            start.Add(new StartUnits(index, unit.Item, 1, unit.Attempt, unit.Judging));
            budget--;
        }

        var count = Math.Min(Math.Min(atOnce - step.Units.Count, step.Items - step.Next), budget / cost);
        if (count <= 0 || held) return;
        start.Add(new StartUnits(index, step.Next, count));
        budget -= count * cost;
        Begin(index, count, null);
    }

    private void GiveSignals()
    {
        if (state.Signals.Count == 0) return;
        for (var index = 0; index < state.Steps.Count; index++)
        {
            if (plan.Steps[index].Signal is not { } name || state.Steps[index].State != StepState.Waiting) continue;
            foreach (var unit in state.Steps[index].Units.OrderBy(unit => unit.Item).ToArray())
            {
                if (state.Signals.Find(signal => signal.Name == name) is not { } signal) break;
                state.Signals.Remove(signal);
                EndUnit(index, unit, StepState.Succeeded, null, signal: signal.Id);
            }
        }
    }

    private IEnumerable<int> Graph() => Enumerable.Range(0, plan.Steps.Count).Where(index => index != plan.OnFailure);

    private RunState Live() => state.Paused ? RunState.Paused : RunState.Running;

    private StepRecord Record(int index)
    {
        var step = state.Steps[index];
        return new StepRecord(index, step.State, step.Items, step.Succeeded, step.Failed, step.Failure);
    }

    private static string Words(TimeSpan duration) => duration switch
    {
        { TotalDays: >= 1 } => $"{duration.TotalDays:0.##} days",
        { TotalHours: >= 1 } => $"{duration.TotalHours:0.##} hours",
        { TotalMinutes: >= 1 } => $"{duration.TotalMinutes:0.##} minutes",
        _ => $"{duration.TotalSeconds:0.##} seconds",
    };
}
