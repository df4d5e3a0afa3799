using Kohakku.Workflows.Definitions.Reading;
using Kohakku.Workflows.Definitions.Rules;

namespace Kohakku.Workflows.Definitions;

/// <summary>
/// Reads the document of a workflow, YAML or JSON. It is taken whole or refused whole, with every fault named by line and column:
/// <code>
/// name: greet
/// inputs: { who: string }
/// steps:
///   - id: hello
///     agent: greeter
///     brief: "Greet {{ inputs.who }}."
/// </code>
/// </summary>
public static class DefinitionReader
{
    public static DefinitionResult Read(string document)
    {
        ArgumentNullException.ThrowIfNull(document);
        var faults = new FaultList();
        var definition = DocumentNodes.Read(document, faults) is { } root ? Read(root, faults) : null;
        return faults.Any ? new DefinitionResult(null, faults.InOrder) : new DefinitionResult(definition, []);
    }

    private static WorkflowDefinition? Read(Node root, FaultList faults)
    {
        var reading = new DocumentReading(faults);
        if (Fields.Of(root, "", Keys.Document, reading) is not { } fields) return null;
        var inputs = InputSections.Read(fields, reading);
        var steps = StepSections.Read(fields, reading);
        var definition = new WorkflowDefinition
        {
            Name = Name(fields, faults),
            Description = fields.Text("description"),
            Inputs = inputs,
            Concurrency = Concurrency(fields, reading),
            Timeout = fields.Duration("timeout"),
            OnFailure = fields.Text("on_failure"),
            Outputs = JsonTree.Object(fields, "outputs", reading, TemplateRole.Outputs),
            Steps = [.. steps.Select(step => step.Definition)],
        };
        GraphRules.Check(definition, steps, fields, faults);
        ReferenceRules.Check(definition, steps, reading);
        return definition;
    }

    private static string Name(Fields fields, FaultList faults)
    {
        var name = fields.Text("name", required: true);
        if (name is not null && !Names.IsWorkflow(name)) faults.Add(fields.Find("name")!, "name", Names.WorkflowRule);
        return name ?? "";
    }

    private static ConcurrencyDefinition? Concurrency(Fields fields, DocumentReading reading)
    {
        if (fields.Find("concurrency") is not { } node || Fields.Of(node, "concurrency", Keys.Concurrency, reading) is not { } concurrency) return null;
        return new ConcurrencyDefinition
        {
            Key = concurrency.Template("key", TemplateRole.ConcurrencyKey, required: true) ?? "",
            Limit = concurrency.Integer("limit", 1, 1_000) ?? 1,
        };
    }
}
