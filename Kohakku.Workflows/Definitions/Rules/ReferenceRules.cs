using Kohakku.Workflows.Definitions.Reading;
using Kohakku.Workflows.Templates;
using Kohakku.Workflows.Templates.Values;

namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>What templates may look at: declared inputs, steps that precede, and <c>item</c>, <c>index</c>, <c>candidates</c> where there are such.</summary>
internal sealed class ReferenceRules
{
    private readonly WorkflowDefinition _definition;
    private readonly IReadOnlyList<StepDraft> _steps;
    private readonly DocumentReading _reading;
    private readonly HashSet<string> _ids;
    private readonly IReadOnlyDictionary<string, IReadOnlySet<string>>? _before;

    private ReferenceRules(WorkflowDefinition definition, IReadOnlyList<StepDraft> steps, DocumentReading reading)
    {
        _definition = definition;
        _steps = steps;
        _reading = reading;
        _ids = [.. definition.Steps.Select(step => step.Id)];
        // Where the graph is broken nobody can say what precedes; that it is has been said.
        var isWhole = _ids.Count == definition.Steps.Count && definition.Steps.All(step => step.Needs.All(_ids.Contains));
        _before = isWhole && StepOrder.Cycles(definition.Steps).Count == 0 ? StepOrder.Predecessors(definition.Steps) : null;
    }

    public static void Check(WorkflowDefinition definition, IReadOnlyList<StepDraft> steps, DocumentReading reading)
    {
        var rules = new ReferenceRules(definition, steps, reading);
        foreach (var use in reading.Templates) rules.Check(use);
    }

    private void Check(TemplateUse use)
    {
        var uses = CompiledTemplate.Of(DocumentReading.Trimmed(use.Node, use.Role)).References;
        foreach (var name in uses.Unknown) Add(use, name, $"uses `{name}`, which there is not{Hint(name)}");
        foreach (var input in uses.Inputs.Where(input => !_definition.Inputs.ContainsKey(input)))
            Add(use, $"inputs.{input}", $"uses the input `{input}`, which is not declared{Nearest.Hint(input, _definition.Inputs.Keys)}");
        foreach (var step in uses.Steps) CheckStep(use, step);
        if (uses.AllSteps) CheckAllSteps(use);
        if (uses.UsesItem) CheckItem(use, "item");
        if (uses.UsesIndex) CheckItem(use, "index");
        if (uses.UsesCandidates && use.Role != TemplateRole.Judge) Add(use, "candidates", "uses `candidates`, which only the brief of a judge has");
    }

    private void CheckStep(TemplateUse use, string id)
    {
        if (!_ids.Contains(id)) Add(use, $"steps.{id}", $"uses the step `{id}`, which there is not{Nearest.Hint(id, _ids)}");
        else if (use.Role == TemplateRole.ConcurrencyKey) Add(use, $"steps.{id}", "must not use steps: it is rendered before the run begins");
        else if (use.Step is { } index && _before is not null && !Precedes(id, index)) Add(use, $"steps.{id}", $"uses the step `{id}`, which does not precede it; name it in `needs`");
    }

    private bool Precedes(string id, int index)
    {
        var step = _definition.Steps[index];
        return step.Id == _definition.OnFailure ? id != step.Id : _before![step.Id].Contains(id);
    }

    private void CheckAllSteps(TemplateUse use)
    {
        if (use.Role == TemplateRole.ConcurrencyKey) Add(use, "steps", "must not use steps: it is rendered before the run begins");
        else if (use.Step is { } index && _definition.Steps[index].Id != _definition.OnFailure)
            Add(use, "steps", "must name the steps it uses, like `steps.plan`: only those that precede it have ended");
    }

    private void CheckItem(TemplateUse use, string name)
    {
        var hasItems = use.Step is { } index && _steps[index].Fields!.Has("for_each");
        if (!hasItems) Add(use, name, $"uses `{name}`, which only a step with `for_each` has");
        else if (use.Role == TemplateRole.StepOnce) Add(use, name, $"uses `{name}`, but is asked once for the step, before there are items");
    }

    private string Hint(string name)
    {
        var parts = name.Split('.');
        if (parts is [var root]) return Nearest.Hint(root, ScopeValues.Roots.Concat(_definition.Inputs.Keys.Select(input => $"inputs.{input}")));
        return Nearest.Hint(parts[^1], parts[0] == "run" ? ScopeValues.RunNames : ScopeValues.StepNames);
    }

    private void Add(TemplateUse use, string name, string message) => _reading.AddAt(use.Node, name, use.Path, message);
}
