using System.Text.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Activities;

/// <summary>Which values of a run the templates of a turn look at, so that no others are loaded.</summary>
internal static class TurnNeeds
{
    /// <summary>Null: none.</summary>
    public static LoadRun? Of(Turn turn, WorkflowDefinition definition)
    {
        var needed = new Needed(definition);
        List<int> items = [];
        List<UnitKey> candidates = [];
        foreach (var open in turn.Open)
        {
            var step = definition.Steps[open.Step];
            needed.Add(step.If);
            needed.Add(step.ForEach);
            needed.Add(step);
            items.Add(open.Step);
        }

        foreach (var start in turn.Start)
        {
            var step = definition.Steps[start.Step];
            needed.Add(step);
            if (step.ForEach is not null) items.Add(start.Step);
            if (!start.Judge) continue;
            needed.Add(step.BestOf!.Judge.Agent);
            needed.Add(step.BestOf.Judge.Brief);
            candidates.Add(new UnitKey(start.Step, start.From, start.Attempt));
        }

        if (turn.Run == RunState.Succeeded && definition.Outputs is { } outputs) needed.Add(outputs);
        // What has neither a condition nor a fan-out, and looks at nothing, is the same whenever it is rendered.
        var plain = turn.Open.All(open => definition.Steps[open.Step] is { If: null, ForEach: null }) && turn.Start.Count == 0;
        return plain && needed.Steps.Count == 0 && turn.Run != RunState.Succeeded
            ? null
            : new LoadRun(turn.Sequence, [.. needed.Steps.Order()], [.. items.Distinct()], candidates, turn.Units);
    }

    public static LoadRun Of(WebhookCall call, WorkflowDefinition definition)
    {
        var needed = new Needed(definition);
        var step = definition.Steps[call.Step];
        needed.Add(step);
        return new LoadRun(0, [.. needed.Steps.Order()], step.ForEach is null ? [] : [call.Step], [], []);
    }

    private sealed class Needed(WorkflowDefinition definition)
    {
        private readonly Dictionary<string, int> _indexes = definition.Steps.Select((step, index) => (step.Id, index)).ToDictionary(pair => pair.Id, pair => pair.index);

        public HashSet<int> Steps { get; } = [];

        public void Add(string? template)
        {
            if (template is null || !template.Contains('{', StringComparison.Ordinal)) return;
            var references = TemplateReferences.Of(template);
            if (references.AllSteps) Steps.UnionWith(_indexes.Values);
            foreach (var id in references.Steps)
                if (_indexes.TryGetValue(id, out var index)) Steps.Add(index);
        }

        public void Add(JsonElement tree)
        {
            switch (tree.ValueKind)
            {
                case JsonValueKind.String: Add(tree.GetString()); break;
                case JsonValueKind.Array:
                    foreach (var item in tree.EnumerateArray()) Add(item);
                    break;
                case JsonValueKind.Object:
                    foreach (var property in tree.EnumerateObject()) Add(property.Value);
                    break;
            }
        }

        /// <summary>What a step's units are made of.</summary>
        public void Add(StepDefinition step)
        {
            if (step.Agent is { } agent)
            {
                Add(agent.Agent);
                Add(agent.Brief);
                Add(agent.Title);
                Add(agent.Inputs ?? default);
                foreach (var value in agent.Env.Values) Add(value);
            }

            Add(step.Approval?.Prompt);
            Add(step.Wait?.For);
            Add(step.Wait?.Until);
            Add(step.Workflow?.With ?? default);
            if (step.Webhook is not { } webhook) return;
            Add(webhook.Url);
            Add(webhook.Body ?? default);
            foreach (var value in webhook.Headers.Values) Add(value);
        }
    }
}
