using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Kohakku.Workflows.Definitions.Reading;

namespace Kohakku.Workflows.Definitions;

/// <summary>What a run is given against what its workflow asks for.</summary>
public static class WorkflowInputs
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>The inputs with their defaults, in the order of their declaration; what is neither given nor has a default is not in it.</summary>
    /// <param name="given">Null or JSON's null: nothing. An input that is null counts as not given, unless its type is <c>any</c>.</param>
    /// <param name="faults">Gets each that is wrong, as <c>inputs.repo</c>; then the answer is of no use.</param>
    public static JsonElement Resolve(WorkflowDefinition definition, JsonElement? given, ServiceDefaults.Faults faults)
    {
        var values = Given(given, faults);
        foreach (var name in values.Keys.Where(name => !definition.Inputs.ContainsKey(name)))
            faults.Add($"inputs.{name}", $"is not an input of this workflow{Nearest.Hint(name, definition.Inputs.Keys)}");
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, input) in definition.Inputs)
            {
                if (Value(input, values.TryGetValue(name, out var value) ? value : null, $"inputs.{name}", faults) is not { } resolved) continue;
                writer.WritePropertyName(name);
                resolved.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return JsonElement.Parse(buffer.WrittenSpan);
    }

    private static JsonElement? Value(InputDefinition input, JsonElement? given, string field, ServiceDefaults.Faults faults)
    {
        if (given is { } value && (value.ValueKind != JsonValueKind.Null || input.Type == "any"))
        {
            if (InputTypes.Fault(input, value) is { } rule) faults.Add(field, rule);
            else if (TextFault(value) is { } textRule) faults.Add(field, textRule);
            else return value;
            return null;
        }

        if (input.Default is null && input.Required) faults.Add(field, "is required");
        return input.Default;
    }

    private static Dictionary<string, JsonElement> Given(JsonElement? given, ServiceDefaults.Faults faults)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (given is not { } inputs || inputs.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return values;
        if (inputs.ValueKind != JsonValueKind.Object) faults.Add("inputs", "must be an object");
        else if (JsonMarshal.GetRawUtf8Value(inputs).Length > MaxBytes) faults.Add("inputs", $"must be at most {MaxBytes / 1024} KiB");
        else
        {
            foreach (var property in inputs.EnumerateObject())
            {
                if (!values.TryAdd(property.Name, property.Value)) faults.Add($"inputs.{property.Name}", "is given twice");
            }
        }

        return values;
    }

    private static string? TextFault(JsonElement value)
    {
        // Only an escape can stand for what no text holds.
        if (JsonMarshal.GetRawUtf8Value(value).IndexOf("\\u"u8) < 0) return null;
        try
        {
            return value.EnumerateTexts().Any(text => text.Contains('\0')) ? "must not contain the character U+0000" : null;
        }
        catch (InvalidOperationException)
        {
            // The reader says so of an unpaired surrogate.
            return "must not contain half a surrogate pair";
        }
    }

    private static IEnumerable<string> EnumerateTexts(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(property => property.Value.EnumerateTexts().Prepend(property.Name)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(EnumerateTexts),
        JsonValueKind.String => [value.GetString()!],
        _ => [],
    };
}
