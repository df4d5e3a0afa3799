using System.Text.Json;
using System.Text.RegularExpressions;
using NJsonSchema;

namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>The JSON schema of a step's output. Checking one reads nothing: a reference that leads out of it is refused before the library sees it.</summary>
internal static class OutputSchema
{
    private static readonly string[] Types = ["array", "boolean", "integer", "null", "number", "object", "string"];

    /// <summary>What is wrong with it, or null.</summary>
    public static string? Fault(JsonElement schema)
    {
        if (PartFault(schema) is { } fault) return fault;
        try
        {
            // Without references to follow it is done when it comes back.
            JsonSchema.FromJsonAsync(schema.GetRawText()).GetAwaiter().GetResult();
            return null;
        }
        // The library throws whatever its parts do: of Newtonsoft.Json, of its resolver, of casts.
        catch (Exception unreadable) when (unreadable is not OutOfMemoryException)
        {
            return $"is not a JSON schema: {unreadable.Message.ReplaceLineEndings(" ")}";
        }
    }

    private static string? PartFault(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.Object => part.EnumerateObject().Select(PropertyFault).FirstOrDefault(fault => fault is not null),
        JsonValueKind.Array => part.EnumerateArray().Select(PartFault).FirstOrDefault(fault => fault is not null),
        _ => null,
    };

    private static string? PropertyFault(JsonProperty property) => property.Name switch
    {
        // What the schema only quotes is no schema.
        "const" or "default" or "enum" or "examples" => null,
        // An object of schemas by the names of an output's own properties.
        "properties" or "patternProperties" or "definitions" or "$defs" when property.Value.ValueKind == JsonValueKind.Object =>
            property.Value.EnumerateObject().Select(each => PartFault(each.Value)).FirstOrDefault(fault => fault is not null),
        "$ref" or "$dynamicRef" or "$recursiveRef" when property.Value.ValueKind != JsonValueKind.String || !property.Value.GetString()!.StartsWith('#') =>
            "is not a JSON schema that stands alone: a $ref must begin with #",
        "type" => TypeFault(property.Value),
        "pattern" when property.Value.ValueKind == JsonValueKind.String => PatternFault(property.Value.GetString()!),
        _ => PartFault(property.Value),
    };

    private static string? TypeFault(JsonElement type)
    {
        var names = type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray()] : new[] { type };
        var wrong = names.FirstOrDefault(name => name.ValueKind != JsonValueKind.String || !Types.Contains(name.GetString()));
        return wrong.ValueKind == JsonValueKind.Undefined ? null : $"is not a JSON schema: its type {wrong.GetRawText()} must be one of {string.Join(", ", Types)}";
    }

    private static string? PatternFault(string pattern)
    {
        try
        {
            _ = new Regex(pattern, RegexOptions.ECMAScript, TimeSpan.FromSeconds(1));
            return null;
        }
        catch (ArgumentException fault)
        {
            return $"is not a JSON schema: the pattern `{pattern}` can't be read: {fault.Message}";
        }
    }
}
