using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Tests.Workflows.Interpreter;

/// <summary>The rows of a played run, as the controller would have them: what its turns said, and which tasks have ended.</summary>
internal sealed class PlayedRows(RunPlan plan)
{
    private readonly KeptStep[] _steps = [.. plan.Steps.Select(_ => new KeptStep(StepState.Pending, -1, 0, 0, null, null, null))];
    private readonly Dictionary<(int Step, int Item, int Attempt, int Part), KeptUnit> _units = [];
    private readonly List<SignalReceived> _signals = [];
    private RunState _status = RunState.Pending;
    private int _sequence;
    private int _said;
    private DateTimeOffset? _startedAt;

    /// <summary>Ends of child runs and webhooks that no turn has taken: the inbox has them.</summary>
    public List<UnitEnded> Untaken { get; } = [];

    public KeptRun Kept(DateTimeOffset now) => new()
    {
        Status = _status, Sequence = _sequence, StartedAt = _startedAt ?? now, Steps = [.. _steps], Units = [.. _units.Values], Signals = [.. _signals],
    };

    public void Received(SignalReceived signal) => _signals.Add(signal);

    /// <summary>What came before it, it has taken.</summary>
    public void TurnSaid() => _said = Untaken.Count;

    /// <summary>A task's end is in its unit's row with it; a child run's comes by the inbox alone; a webhook's is known to the workflow alone.</summary>
    public void Ended(UnitEnded ended)
    {
        var key = (ended.Step, ended.Item, ended.Attempt, ended.Part);
        if (plan.Steps[ended.Step].Kind == StepKind.Workflow) Untaken.Add(ended);
        else if (plan.Steps[ended.Step].Kind != StepKind.Webhook && _units.TryGetValue(key, out var row) && !row.State.IsEnded())
            _units[key] = row with { State = ended.State, Failure = ended.Failure, Winner = ended.Winner };
    }

    public void Begun(int step, int item, int attempt, bool judge, DateTimeOffset now, DateTimeOffset? due)
    {
        var (from, to) = judge ? (plan.Steps[step].Candidates, plan.Steps[step].Candidates + 1) : (0, Math.Max(1, plan.Steps[step].Candidates));
        for (var part = from; part < to; part++)
            _units.TryAdd((step, item, attempt, part), new KeptUnit(
                step, item, attempt, part, plan.Steps[step].Waits ? StepState.Waiting : StepState.Running, plan.Steps[step].Candidates == 0, null, null, due, now));
    }

    /// <summary>The turn's transaction.</summary>
    public void Write(Turn turn, IEnumerable<StepOpened> opened, DateTimeOffset now)
    {
        foreach (var open in opened.Where(open => !open.Skipped && open.Fault is null && _steps[open.Step].Items < 0)) _steps[open.Step] = _steps[open.Step] with { Items = open.Items };
        foreach (var said in turn.Steps)
        {
            var before = _steps[said.Step];
            _steps[said.Step] = new KeptStep(
                said.State, Math.Max(before.Items, said.Items), said.Succeeded, said.Failed, said.Failure,
                said.State is StepState.Pending or StepState.Skipped ? before.StartedAt : before.StartedAt ?? now, said.State.IsEnded() ? before.EndedAt ?? now : null);
        }

        foreach (var ended in turn.Units)
        {
            var key = (ended.Step, ended.Item, ended.Attempt, ended.Winner ?? 0);
            var row = _units.GetValueOrDefault(key) ?? new KeptUnit(ended.Step, ended.Item, ended.Attempt, key.Item4, ended.State, true, null, null, null, now);
            _units[key] = row with { State = ended.State, Failure = ended.Failure, Counts = true };
            _signals.RemoveAll(signal => signal.Id == ended.SignalId);
        }

        foreach (var (key, row) in _units.Where(unit => turn.Cancel.Contains(unit.Key.Step) && !unit.Value.State.IsEnded()).ToArray())
            _units[key] = row with { State = StepState.Canceled };
        (_status, _sequence, _startedAt) = (turn.Run ?? _status, turn.Sequence, _startedAt ?? now);
        Untaken.RemoveRange(0, _said);
    }
}
