using System.Text.Json;
using Kohakku.Workflows.Definitions.Reading;
using Kohakku.Workflows.Definitions.Rules;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Definitions;

/// <summary>The dry run: a definition with inputs, and nothing done.</summary>
public sealed class WorkflowPlan
{
    /// <summary>Of a whole run.</summary>
    public const int MaxItems = 10_000;
    private readonly WorkflowDefinition _definition;
    private readonly TemplateScope _scope;
    private readonly List<PlanFault> _faults = [];

    private WorkflowPlan(WorkflowDefinition definition, JsonElement inputs)
    {
        _definition = definition;
        _scope = new TemplateScope { Inputs = inputs, Run = new RunFacts(Guid.Empty, "pending", definition.Name, 0, TimeProvider.System.GetUtcNow()) };
    }

    /// <param name="definition">As <see cref="DefinitionReader"/> took it.</param>
    /// <param name="inputs">As <see cref="WorkflowInputs.Resolve"/> answered them.</param>
    public static PlanView Of(WorkflowDefinition definition, JsonElement inputs) => new WorkflowPlan(definition, inputs).View();

    private PlanView View()
    {
        var key = _definition.Concurrency is { } concurrency ? Value(null, "concurrency.key", StepTemplates.Of(concurrency.Key)) : null;
        var inGraph = _definition.Steps.Where(step => step.Id != _definition.OnFailure).ToArray();
        IReadOnlyList<IReadOnlyList<PlannedStep>> layers = [.. StepOrder.Layers(inGraph).Select(layer => (IReadOnlyList<PlannedStep>)[.. layer.Select(Step)])];
        var onFailure = _definition.Steps.FirstOrDefault(step => step.Id == _definition.OnFailure) is { } failure ? Step(failure) : null;
        var outputs = _definition.Outputs is { } tree ? Value(null, "outputs", tree) : null;
        PlannedStep[] all = [.. layers.SelectMany(layer => layer), .. onFailure is null ? Array.Empty<PlannedStep>() : [onFailure]];
        var known = all.Sum(step => step.Items ?? 0);
        if (known > MaxItems) _faults.Add(new PlanFault(null, "steps", $"must have at most {MaxItems} items in all, but have {known}"));
        return new PlanView(
            _definition.Name, _scope.Inputs!.Value, layers, onFailure, key, outputs, MaxTasks(all, known), all.Any(step => step.MaxTasks is null), _faults);
    }

    private PlannedStep Step(StepDefinition step)
    {
        var values = StepTemplates.Of(step).Select(template => Value(step, template.Key, template.Tree)).ToArray();
        var isNever = values.Any(value => value is { Key: "if", Rendered: true, Value.ValueKind: JsonValueKind.False });
        // What never begins breaks no rule.
        if (isNever) _faults.RemoveAll(fault => fault.Step == step.Id);
        int? items = values.FirstOrDefault(value => value is { Key: "for_each", Rendered: true, Value.ValueKind: JsonValueKind.Array }) is { } array
            ? array.Value.GetArrayLength()
            : null;
        long? tasks = isNever || step.Kind != StepKind.Agent ? 0 : step.ForEach is null ? TasksOfOne(step) : items * (long)TasksOfOne(step);
        return new PlannedStep(step.Id, step.Kind, step.Needs, step.ForEach is not null, items, tasks, values);
    }

    /// <summary>A task's attempts are its own; those of best-of are tasks, and so is the judge's.</summary>
    private static int TasksOfOne(StepDefinition step) => step.BestOf is { } best ? best.Count + 1 : 1;

    private long MaxTasks(PlannedStep[] steps, int knownItems)
    {
        var most = steps.Where(step => step.MaxTasks is null).Select(step => TasksOfOne(_definition.Steps.First(each => each.Id == step.Id))).DefaultIfEmpty(0).Max();
        return steps.Sum(step => step.MaxTasks ?? 0) + (Math.Max(0, MaxItems - knownItems) * (long)most);
    }

    private PlannedValue Value(StepDefinition? step, string key, JsonElement tree)
    {
        if (!CanRender(tree)) return new PlannedValue(key, tree, false);
        try
        {
            var rendered = Render(key, tree);
            if (Fault(key, rendered) is { } fault) _faults.Add(new PlanFault(step?.Id, key, fault));
            return new PlannedValue(key, rendered, true);
        }
        catch (TemplateException fault)
        {
            _faults.Add(new PlanFault(step?.Id, key, fault.Message));
            return new PlannedValue(key, tree, false);
        }
    }

    private JsonElement Render(string key, JsonElement tree)
    {
        if (key == "if") return JsonSerializer.SerializeToElement(Template.Test(tree.GetString()!, _scope), DefinitionJson.Default.Boolean);
        return key is "for_each" or "inputs" or "with" or "webhook.body" or "outputs"
            ? Template.Value(tree, _scope)
            : StepTemplates.Of(Template.Text(tree.GetString()!, _scope));
    }

    private static string? Fault(string key, JsonElement rendered) => key switch
    {
        "for_each" when rendered.ValueKind != JsonValueKind.Array => $"must be an array, but is {rendered.ValueKind.ToString().ToLowerInvariant()}",
        "for_each" when rendered.GetArrayLength() > MaxItems => $"must have at most {MaxItems} items, but has {rendered.GetArrayLength()}",
        "agent" or "best_of.judge.agent" when !Names.IsAgent(rendered.GetString()!) => Names.AgentRule,
        "brief" or "best_of.judge.brief" or "approval.prompt" when string.IsNullOrWhiteSpace(rendered.GetString()) => "must not be empty",
        "wait" when !Duration.TryParse(rendered.GetString(), out _) => Duration.Rule,
        "until" when !KindSections.TryParseTime(rendered.GetString()!, out _) => "must be a time with its offset, like 2026-03-01T09:00:00Z",
        "webhook.url" when !Uri.TryCreate(rendered.GetString(), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") => "must be an http or https URL",
        _ => null,
    };

    /// <summary>It looks at nothing that only a run has: steps, items, candidates.</summary>
    private static bool CanRender(JsonElement tree) => tree.ValueKind switch
    {
        JsonValueKind.Object => tree.EnumerateObject().All(property => CanRender(property.Value)),
        JsonValueKind.Array => tree.EnumerateArray().All(CanRender),
        JsonValueKind.String => TemplateReferences.Of(tree.GetString()!) is
            { Steps.Count: 0, AllSteps: false, UsesItem: false, UsesIndex: false, UsesCandidates: false },
        _ => true,
    };
}
