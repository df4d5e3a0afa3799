using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Workflows.Interpreter;

// How a run goes on from the controller's rows alone.
public sealed partial class RunMachine
{
    /// <summary>
    /// The state of a run as its rows tell it. What was begun is not begun again, but for webhooks whose answer is not known; what ended since the newest turn
    /// counts. Lost is what was said to the workflow alone and in no turn yet: a pause, a resume or a cancel of that moment.
    /// </summary>
    public static MachineState Rebuild(RunPlan plan, KeptRun kept, Guid runId, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(kept);
        var state = Begin(plan, [], kept.StartedAt ?? now);
        (state.Sequence, state.InboxThrough, state.Paused) = (kept.Sequence, kept.InboxThrough, kept.Status == RunState.Paused);
        state.Signals = [.. kept.Signals];
        var units = kept.Units.ToLookup(unit => unit.Step);
        for (var index = 0; index < plan.Steps.Count; index++) Restore(plan.Steps[index], state.Steps[index], kept.Steps[index], units[index], now);
        state.ItemsUsed = state.Steps.Where((_, index) => units[index].Any()).Sum(step => step.Items);
        RestoreStopping(plan, state, kept);

        // Their ends run through the same rules as when they came.
        var machine = new RunMachine(plan, state, runId);
        for (var index = 0; index < plan.Steps.Count; index++)
        {
            var step = state.Steps[index];
            if (!step.Opened || step.State.IsEnded()) continue;
            // Rows may not know yet that it was opened.
            state.ChangedSteps.Add(index);
            foreach (var unit in step.Units.ToArray()) machine.Replay(index, unit, [.. units[index].Where(row => row.Item == unit.Item)]);
            if (step.Items == 0) machine.EndStep(index, StepState.Succeeded, null);
        }

        return state;
    }

    private static void Restore(PlanStep plan, StepProgress step, KeptStep kept, IEnumerable<KeptUnit> units, DateTimeOffset now)
    {
        (step.Opened, step.Items) = (kept.Items >= 0, kept.Items);
        if (kept.State.IsEnded())
        {
            (step.State, step.Next, step.Succeeded, step.Failed, step.Failure) = (kept.State, Math.Max(kept.Items, 0), kept.Succeeded, kept.Failed, kept.Failure);
            return;
        }

        if (!step.Opened) return;
        step.State = plan.Waits ? StepState.Waiting : StepState.Running;
        step.Deadline = (kept.StartedAt ?? now) + plan.Timeout;
        var begun = units.ToLookup(unit => unit.Item);
        step.Next = begun.Count == 0 ? 0 : begun.Max(item => item.Key) + 1;
        for (var item = 0; item < step.Next; item++)
        {
            var unit = new UnitProgress { Item = item };
            if (plan.Candidates > 0) unit.OpenParts = [.. Enumerable.Range(0, plan.Candidates)];
            if (begun[item].FirstOrDefault() is { } row)
                unit.DueAt = row.DueAt ?? (plan.Kind == StepKind.Approval ? row.BegunAt + plan.ApprovalTimeout : plan.Kind == StepKind.Wait ? now : null);
            step.Units.Add(unit);
        }
    }

    /// <summary>That the run is going to end is not in its row until it has ended.</summary>
    private static void RestoreStopping(RunPlan plan, MachineState state, KeptRun kept)
    {
        var failed = kept.Steps.Select((step, index) => (Step: step, Index: index))
            .Where(known => known.Step.State.IsFailure() && known.Index != plan.OnFailure && !plan.Steps[known.Index].ContinueOnError)
            .OrderBy(known => known.Step.State == StepState.Canceled).ThenBy(known => known.Step.EndedAt).FirstOrDefault();
        // What the run's time-out stops is canceled, and so is a step whose task somebody canceled.
        if (failed.Step is { } step && !(step.State == StepState.Canceled && state.Deadline <= step.EndedAt))
            (state.Stopping, state.FailedStep, state.Failure) = (RunState.Failed, failed.Index, $"Step '{plan.Steps[failed.Index].Id}' {Verb(step.State)}. {step.Failure}".TrimEnd());
        else if (failed.Step is not null || (plan.OnFailure is { } handler && state.Steps[handler].Opened))
            (state.Stopping, state.Failure) = (RunState.TimedOut, $"The run did not end within its timeout{(plan.Timeout is { } timeout ? $" of {Words(timeout)}" : "")}.");
    }

    /// <param name="rows">Of its item.</param>
    private void Replay(int index, UnitProgress unit, KeptUnit[] rows)
    {
        var plan1 = plan.Steps[index];
        while (state.Steps[index].Units.Contains(unit) && rows.Where(row => row.Attempt == unit.Attempt).OrderBy(row => row.Part).ToArray() is { Length: > 0 } parts)
        {
            var attempt = unit.Attempt;
            // A webhook without an answer is called again; who is called knows it by its key.
            unit.Begun = plan1.Kind != StepKind.Webhook || parts[0].State.IsEnded();
            if (plan1.Candidates == 0 || parts.Any(part => part.Counts))
            {
                var ended = parts.FirstOrDefault(part => part.Counts) ?? parts[0];
                if (ended.State.IsEnded()) EndUnit(index, unit, ended.State, ended.Failure, plan1.Candidates > 0 && ended.State == StepState.Succeeded ? ended.Part : null);
            }
            else ReplayParts(index, unit, parts, plan1.Candidates);

            if (unit.Attempt == attempt) return;
        }
    }

    private void ReplayParts(int index, UnitProgress unit, KeptUnit[] parts, int candidates)
    {
        foreach (var part in parts.Where(part => part.Part < candidates && part.State.IsEnded())) End(EndOf(index, part));
        if (!unit.Judging || parts.FirstOrDefault(part => part.Part == candidates) is not { } judge) return;
        (unit.Begun, unit.OpenParts) = (true, [candidates]);
        if (judge.State.IsEnded()) End(EndOf(index, judge));
    }

    private static UnitEnded EndOf(int index, KeptUnit row) => new(index, row.Item, row.Attempt, row.Part, row.State, row.Failure, row.Winner);
}
