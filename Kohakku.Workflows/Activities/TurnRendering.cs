using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Activities;

/// <summary>Renders everything of one turn. What can't be rendered is a fault of its step or unit, in the result; the rest goes on.</summary>
internal sealed class TurnRendering(Turn turn, RunTexts texts, LoadedRun? loaded, DateTimeOffset now)
{
    /// <summary>A task may run this long when its step says nothing: as any task.</summary>
    private const int DefaultTaskSeconds = 3_600;
    private const int LongestTaskSeconds = 2_592_000;

    private readonly TemplateScope _scope = TurnScope.Of(texts, loaded, turn);
    private readonly List<StepOpened> _opened = [];
    private readonly List<UnitFault> _faults = [];
    private readonly List<UnitDue> _due = [];
    private readonly List<LoadedItems> _items = [];
    private readonly List<NewUnit> _units = [];
    private readonly List<StepRecord> _steps = [.. turn.Steps];

    /// <summary>Nothing of the turn can be rendered: all that would begin with it fails for this reason.</summary>
    public static CommitTurn Refuse(Turn turn, string why)
    {
        var outputs = turn.Run == RunState.Succeeded;
        return new CommitTurn
        {
            Turn = outputs ? turn with { Run = null } : turn,
            Result = new TurnResult
            {
                Opened = [.. turn.Open.Select(open => new StepOpened(open.Step, Skipped: false, 0, why))],
                Faults = [.. turn.Start.SelectMany(start => Enumerable.Range(start.From, start.Count).Select(item => new UnitFault(start.Step, item, start.Attempt, why)))],
                OutputsFault = outputs ? why : null,
            },
        };
    }

    public CommitTurn Render()
    {
        foreach (var open in turn.Open) Open(open);
        foreach (var start in turn.Start)
        {
            var array = loaded?.Items.FirstOrDefault(items => items.Step == start.Step)?.Array;
            for (var item = start.From; item < start.From + start.Count; item++) Begin(start.Step, item, start.Attempt, start.Judge, array);
        }

        var (outputs, fault) = Outputs();
        return new CommitTurn
        {
            // What can't be rendered does not end as a success; the interpreter decides how it does.
            Turn = turn with { Steps = _steps, Run = fault is null ? turn.Run : null },
            Result = new TurnResult { Opened = _opened, Faults = _faults, Due = _due, OutputsFault = fault },
            Opened = _items,
            Units = _units,
            Outputs = outputs,
        };
    }

    private void Open(OpenStep open)
    {
        var step = texts.Definition.Steps[open.Step];
        // What was decided once stays so, though the values or the clock might say otherwise by now.
        var known = loaded?.Items.FirstOrDefault(items => items.Step == open.Step);
        LoadedItems items;
        try
        {
            items = known ?? Decide(open, step);
        }
        catch (TemplateException fault)
        {
            _opened.Add(new StepOpened(open.Step, Skipped: false, 0, fault.Message));
            return;
        }

        _items.Add(items);
        _opened.Add(new StepOpened(open.Step, items.Skipped, items.Count));
        var state = items.Skipped ? StepState.Skipped : step.Kind is StepKind.Approval or StepKind.Wait or StepKind.Signal ? StepState.Waiting : StepState.Running;
        _steps.Add(new StepRecord(open.Step, state, items.Count, 0, 0));
        if (items.Skipped) return;
        for (var item = 0; item < Math.Min(items.Count, open.Capacity); item++) Begin(open.Step, item, 1, judge: false, items.Array);
    }

    private LoadedItems Decide(OpenStep open, StepDefinition step)
    {
        if (step.If is { } condition && !Template.Test(condition, _scope)) return new LoadedItems(open.Step, Skipped: true, 0, null);
        if (step.ForEach is not { } forEach) return open.ItemsLeft < 1 ? throw TooMany(1, open) : new LoadedItems(open.Step, Skipped: false, 1, null);
        var array = Template.ValueOf(forEach, _scope);
        if (array.ValueKind != JsonValueKind.Array) throw new TemplateException($"for_each must give an array; {forEach} gave {Word(array.ValueKind)}.");
        var count = array.GetArrayLength();
        return count > open.ItemsLeft ? throw TooMany(count, open) : new LoadedItems(open.Step, Skipped: false, count, array);
    }

    private static TemplateException TooMany(int count, OpenStep open) =>
        new($"A run has at most {RunMachine.MostItems:N0} items over all steps; this step has {count:N0}, and {open.ItemsLeft:N0} are left.");

    private static string Word(JsonValueKind kind) => kind is JsonValueKind.Null or JsonValueKind.Undefined ? "nothing" : $"a {kind.ToString().ToLowerInvariant()}";

    private void Begin(int index, int item, int attempt, bool judge, JsonElement? array)
    {
        var step = texts.Definition.Steps[index];
        var scope = array is { } items ? _scope with { Item = items[item], Index = item } : _scope;
        try
        {
            if (judge)
            {
                var key = new UnitKey(index, item, attempt);
                scope = scope with { Candidates = loaded!.Candidates.First(candidates => candidates.Unit == key).Outputs };
                _units.Add(Judge(step, new NewUnit(index, item, attempt, step.BestOf!.Count), scope));
                return;
            }

            for (var part = 0; part < Math.Max(1, step.BestOf?.Count ?? 1); part++)
                _units.Add(Unit(step, new NewUnit(index, item, attempt, part) { Counts = step.BestOf is null }, scope));
        }
        catch (TemplateException fault)
        {
            _faults.Add(new UnitFault(index, item, attempt, fault.Message));
        }
    }

    private NewUnit Unit(StepDefinition step, NewUnit unit, TemplateScope scope)
    {
        switch (step.Kind)
        {
            case StepKind.Agent:
                return unit with { Task = Task(step, step.Agent!, unit, scope), OutputSchema = step.Agent!.Output };
            case StepKind.Approval:
                var approval = step.Approval!;
                return unit with { Approval = new NewApproval(Template.Text(approval.Prompt, scope), now + approval.Timeout, approval.OnTimeout == "approve") };
            case StepKind.Workflow:
                var inputs = step.Workflow!.With is { } with ? Template.Value(with, scope) : JsonElement.Parse("{}");
                return unit with { Child = new NewChildRun(step.Workflow.Name, step.Workflow.Version, inputs) };
            case StepKind.Wait:
                var due = WaitTime.Of(step.Wait!, scope, now);
                _due.Add(new UnitDue(unit.Step, unit.Item, due));
                return unit with { DueAt = due };
            default:
                return unit;
        }
    }

    private static SubmitTask Task(StepDefinition step, AgentStep agent, NewUnit unit, TemplateScope scope) => new()
    {
        Title = agent.Title is { } title ? Title(Template.Text(title, scope)) : null,
        Agent = Template.Text(agent.Agent, scope),
        Brief = Template.Text(agent.Brief, scope),
        Skills = agent.Skills,
        Inputs = agent.Inputs is { } inputs ? Template.Value(inputs, scope) : null,
        Env = agent.Env.ToDictionary(pair => pair.Key, pair => Template.Text(pair.Value, scope)),
        Labels = agent.Labels,
        Tags = agent.Tags,
        Priority = agent.Priority,
        MaxAttempts = step.MaxAttempts,
        TimeoutSeconds = step.Timeout is { } timeout ? (int)Math.Clamp(Math.Ceiling(timeout.TotalSeconds), 1, LongestTaskSeconds) : DefaultTaskSeconds,
        Network = agent.Network?.Deserialize(Contracts.Json.ContractsJson.Default.NetworkPolicy),
        Resources = agent.Resources?.Deserialize(Contracts.Json.ContractsJson.Default.ResourceLimits),
    };

    private static NewUnit Judge(StepDefinition step, NewUnit unit, TemplateScope scope)
    {
        var judge = step.BestOf!.Judge;
        return unit with
        {
            Task = new SubmitTask
            {
                Title = $"Judge of {step.Id}", Agent = Template.Text(judge.Agent, scope), Brief = Template.Text(judge.Brief, scope), MaxAttempts = step.MaxAttempts,
            },
        };
    }

    private static string Title(string title) => title.Length > 200 ? title[..200] : title;

    private (JsonElement? Outputs, string? Fault) Outputs()
    {
        if (turn.Run != RunState.Succeeded || texts.Definition.Outputs is not { } outputs) return (null, null);
        try
        {
            return (Template.Value(outputs, _scope), null);
        }
        catch (TemplateException fault)
        {
            return (null, $"Its outputs can't be rendered: {fault.Message}");
        }
    }
}
