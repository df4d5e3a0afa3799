using System.Text.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Tests.Workflows.Interpreter;

/// <summary>
/// A run with a world around it that is played: turns are done at once, tasks end when the test says so. It sees to what must always hold: no unit begins
/// twice, none before its needs have ended or beyond its step's limit, and nothing is begun of what has ended.
/// </summary>
internal sealed class PlayedRun
{
    private readonly Func<int, StepOpened> _open;
    private readonly HashSet<(int Step, int Item, int Attempt, bool Judge)> _begun = [];
    private readonly List<string> _turns = [];
    private readonly PlayedRows _rows;
    private RunMachine _machine;

    /// <param name="open">What a step's <c>if</c> and <c>for_each</c> give; one unit by default.</param>
    public PlayedRun(RunPlan plan, Func<int, StepOpened>? open = null, IReadOnlyList<StepRecord>? reused = null)
    {
        Plan = plan;
        _open = open ?? (step => new StepOpened(step, Skipped: false, 1));
        _machine = new RunMachine(plan, RunMachine.Begin(plan, reused ?? [], Now), RunId);
        _rows = new PlayedRows(plan);
    }

    public static Guid RunId { get; } = Guid.Parse("01890000-0000-7000-8000-000000000001");
    public RunPlan Plan { get; }
    public DateTimeOffset Now { get; set; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public RunMachine Machine => _machine;
    /// <summary>Units, candidates and judges that run.</summary>
    public List<UnitEnded> Running { get; } = [];
    public List<Turn> Turns { get; } = [];
    /// <summary>Every turn as it was said: two plays that went the same way have the same.</summary>
    public string Log => string.Join('\n', _turns);
    /// <summary>Ends that come while a turn is being done.</summary>
    public Action? DuringTurn { get; set; }
    /// <summary>The state goes through JSON between turns, as by continue-as-new.</summary>
    public bool Forgets { get; set; }

    public StepProgress this[string id] => _machine.State.Steps[Index(id)];

    public int Index(string id) => Plan.Steps.Select((step, index) => (step.Id, index)).First(pair => pair.Id == id).index;

    /// <summary>Until nothing can be done without the world.</summary>
    public PlayedRun Go()
    {
        while (_machine.NextTurn(Now) is { } turn)
        {
            Turns.Add(turn);
            _turns.Add(JsonSerializer.Serialize(turn));
            _rows.TurnSaid();
            var result = Do(turn);
            DuringTurn?.Invoke();
            _machine.Apply(turn, result, Now);
            // Webhooks are called once the turn is done.
            foreach (var webhook in _machine.TakeWebhooks())
            {
                Assert.Contains((webhook.Step, webhook.Item, webhook.Attempt, false), _begun);
                Running.Add(new UnitEnded(webhook.Step, webhook.Item, webhook.Attempt, 0, StepState.Running));
            }

            if (Forgets) Forget();
            Assert.True(Turns.Count < 20_000, "The run does not come to an end.");
        }

        return this;
    }

    public void Forget() =>
        _machine = new RunMachine(Plan, JsonSerializer.Deserialize<MachineState>(JsonSerializer.Serialize(_machine.State))!, RunId);

    /// <summary>The workflow is lost, and the run goes on from what the controller's rows have of it.</summary>
    public void Rebuild()
    {
        _machine = new RunMachine(Plan, JsonSerializer.Deserialize<MachineState>(JsonSerializer.Serialize(RunMachine.Rebuild(Plan, _rows.Kept(Now), RunId, Now)))!, RunId);
        // Those without an answer are called again.
        _begun.RemoveWhere(unit => Plan.Steps[unit.Step].Kind == StepKind.Webhook);
        Running.RemoveAll(unit => Plan.Steps[unit.Step].Kind == StepKind.Webhook);
        foreach (var ended in _rows.Untaken) _machine.End(ended);
    }

    public void Receive(SignalReceived signal)
    {
        if (_machine.Ended) return;
        _rows.Received(signal);
        _machine.Receive(signal);
    }

    public PlayedRun End(string id, StepState how = StepState.Succeeded, int item = 0, int part = 0, int? winner = null) =>
        End(Running.First(unit => unit.Step == Index(id) && unit.Item == item && unit.Part == part), how, winner).Go();

    public PlayedRun End(UnitEnded unit, StepState how, int? winner = null)
    {
        Running.Remove(unit);
        var ended = unit with { State = how, Failure = how == StepState.Succeeded ? null : "broken", Winner = winner };
        _rows.Ended(ended);
        _machine.End(ended);
        return this;
    }

    private TurnResult Do(Turn turn)
    {
        Assert.Equal(Turns.Count, turn.Sequence);
        // What waits ends by the interpreter's word.
        foreach (var ended in turn.Units) Running.RemoveAll(unit => unit.Step == ended.Step && unit.Item == ended.Item && Plan.Steps[unit.Step].Waits);
        foreach (var step in turn.Cancel) Running.RemoveAll(unit => unit.Step == step);
        List<StepOpened> opened = [];
        List<UnitDue> due = [];
        foreach (var open in turn.Open)
        {
            var how = _open(open.Step);
            opened.Add(how);
            NeedsHaveEnded(open.Step);
            if (!how.Skipped && how.Fault is null)
                for (var item = 0; item < Math.Min(how.Items, open.Capacity); item++) Begin(open.Step, item, 1, judge: false, due);
        }

        foreach (var start in turn.Start)
            for (var item = start.From; item < start.From + start.Count; item++) Begin(start.Step, item, start.Attempt, start.Judge, due);
        _rows.Write(turn, opened, Now);
        return new TurnResult
        {
            Opened = opened, Due = due, Decided = [.. turn.Expire.Select(step => new Decision(step, Approve: false, "too late"))],
        };
    }

    private void Begin(int step, int item, int attempt, bool judge, List<UnitDue> due)
    {
        var plan = Plan.Steps[step];
        _rows.Begun(step, item, attempt, judge, Now, plan.Kind == StepKind.Wait ? Now.AddSeconds(10) : null);
        Assert.True(_begun.Add((step, item, attempt, judge)), $"Unit {item} of step {plan.Id} began twice.");
        if (plan.Kind == StepKind.Webhook) return;
        if (plan.Kind == StepKind.Wait) due.Add(new UnitDue(step, item, Now.AddSeconds(10)));
        var (from, to) = judge ? (plan.Candidates, plan.Candidates + 1) : (0, Math.Max(1, plan.Candidates));
        for (var part = from; part < to; part++) Running.Add(new UnitEnded(step, item, attempt, part, StepState.Running));
        var items = Running.Where(unit => unit.Step == step).Select(unit => unit.Item).Distinct().Count();
        Assert.True(items <= (plan.MaxParallel ?? int.MaxValue), $"{items} units of step {plan.Id} run at once.");
    }

    private void NeedsHaveEnded(int step) =>
        Assert.All(Plan.Steps[step].Needs, need => Assert.True(_machine.State.Steps[need].State.IsEnded(), $"Step {step} began before {need} had ended."));
}
