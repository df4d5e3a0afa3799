using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kohakku.Controller.Console.Shared;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Controller.Console.Workflows;

/// <summary>What stands in the form of a run's inputs, as text by the input's name. An empty field is an input that is not given.</summary>
public sealed class RunInputs
{
    private readonly Dictionary<string, string?> _written = new(StringComparer.Ordinal);

    /// <summary>What the person wrote; else the default.</summary>
    public string? Text(string name, InputDefinition input) => _written.TryGetValue(name, out var text) ? text : Default(input);

    public void Write(string name, string? text) => _written[name] = text;

    public static bool IsJson(InputDefinition input) => input.Enum is null && input.Type is "object" or "array" or "any";

    public static string? Default(InputDefinition input) => input.Default is { } value ? Text(value) : null;

    public static string Text(JsonElement value) => value.ValueKind is JsonValueKind.String ? value.GetString()! : value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? PrettyJson.Of(value) : value.GetRawText();

    /// <summary>The object that a program would send. What is no value at all goes to <paramref name="faults"/>; whether it fits, the workflow says.</summary>
    public JsonElement Read(WorkflowDefinition definition, Faults faults)
    {
        var given = new JsonObject();
        foreach (var (name, input) in definition.Inputs)
        {
            if (Text(name, input) is not { } text || string.IsNullOrWhiteSpace(text)) continue;
            if (Value(input, text, out var value) is { } rule) faults.Add($"inputs.{name}", rule);
            else given[name] = value;
        }

        return JsonElement.Parse(given.ToJsonString());
    }

    /// <summary>Null, or what is wrong with the text.</summary>
    private static string? Value(InputDefinition input, string text, out JsonNode? value)
    {
        value = null;
        // A choice is the value itself, whatever its type.
        if (input.Enum?.FirstOrDefault(each => Text(each) == text) is { ValueKind: not JsonValueKind.Undefined } choice)
        {
            value = JsonNode.Parse(choice.GetRawText());
            return null;
        }

        switch (input.Type)
        {
            case "string":
                // A browser's lines may end as Windows' do.
                value = text.ReplaceLineEndings("\n");
                return null;
            case "number" or "integer" or "boolean":
                try
                {
                    value = JsonNode.Parse(text.Trim());
                    return null;
                }
                catch (JsonException)
                {
                    return input.Type switch { "integer" => "must be an integer", "number" => "must be a number, like 3 or 0.5", _ => "must be true or false" };
                }

            default:
                try
                {
                    value = JsonNode.Parse(text);
                    return null;
                }
                catch (JsonException fault)
                {
                    return string.Create(CultureInfo.InvariantCulture, $"is not valid JSON at line {fault.LineNumber + 1}, position {fault.BytePositionInLine + 1}");
                }
        }
    }
}
