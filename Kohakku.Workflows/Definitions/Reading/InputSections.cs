using System.Text.Json;
using Kohakku.Workflows.Definitions.Rules;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary><c>inputs</c>: <c>repo: string</c>, or <c>repo: { type: string, required: true }</c>.</summary>
internal static class InputSections
{
    private const int MaxInputs = 100;

    public static IReadOnlyDictionary<string, InputDefinition> Read(Fields document, DocumentReading reading)
    {
        // Ordered, since the console asks for them in the document's order.
        var inputs = new OrderedDictionary<string, InputDefinition>(StringComparer.Ordinal);
        foreach (var entry in document.Open("inputs"))
        {
            var name = entry.Key.Text;
            var path = document.At($"inputs.{name}");
            if (!Names.IsInput(name)) reading.Faults.Add(entry.Key, path, $"its name {Names.InputRule}");
            if (Input(entry.Value, path, reading) is { } input) inputs.TryAdd(name, input);
        }

        if (inputs.Count > MaxInputs) reading.Faults.Add(document.FindKey("inputs")!, "inputs", $"must be at most {MaxInputs}");
        return inputs;
    }

    private static InputDefinition? Input(Node node, string path, DocumentReading reading)
    {
        if (node.Kind == NodeKind.Scalar)
        {
            var type = Scalars.Text(node, path, reading.Faults);
            if (type is not null && !InputTypes.All.Contains(type)) reading.Faults.Add(node, path, $"{InputTypes.Rule}{Nearest.Hint(type, InputTypes.All)}");
            return type is null ? null : new InputDefinition { Type = type };
        }

        if (Fields.Of(node, path, Keys.Input, reading) is not { } fields) return null;
        var given = fields.Text("type", required: true);
        if (given is not null && !InputTypes.All.Contains(given)) reading.Faults.Add(fields.Find("type")!, fields.At("type"), $"{InputTypes.Rule}{Nearest.Hint(given, InputTypes.All)}");
        var input = new InputDefinition
        {
            Type = given ?? "any",
            Required = fields.Boolean("required"),
            Description = fields.Text("description"),
            Default = fields.Find("default") is { } value ? JsonTree.Of(value, fields.At("default"), reading) : null,
            Enum = Enum(fields, reading),
        };
        Check(input, fields, reading.Faults);
        return input;
    }

    private static IReadOnlyList<JsonElement>? Enum(Fields fields, DocumentReading reading)
    {
        if (fields.Find("enum") is not { } node) return null;
        if (node is { Kind: NodeKind.Sequence, Items.Count: > 0 })
            return [.. node.Items.Select((item, i) => JsonTree.Of(item, $"{fields.At("enum")}[{i}]", reading))];
        reading.Faults.Add(node, fields.At("enum"), "must be a list of at least one value");
        return null;
    }

    private static void Check(InputDefinition input, Fields fields, FaultList faults)
    {
        for (var i = 0; i < (input.Enum?.Count ?? 0); i++)
        {
            if (InputTypes.Fault(input with { Enum = null }, input.Enum![i]) is { } rule) faults.Add(fields.Find("enum")!.Items[i], $"{fields.At("enum")}[{i}]", rule);
        }

        if (input.Default is not { } value) return;
        if (input.Required) faults.Add(fields.FindKey("default")!, fields.At("default"), "is never taken, since the input is required");
        if (InputTypes.Fault(input, value) is { } fault) faults.Add(fields.Find("default")!, fields.At("default"), fault);
    }
}
