using System.Text.Json;

namespace Kohakku.Workflows.Definitions;

/// <summary>The types an input may have, and what fits them.</summary>
internal static class InputTypes
{
    public static readonly IReadOnlyList<string> All = ["string", "number", "integer", "boolean", "object", "array", "any"];
    public static readonly string Rule = $"must be one of {string.Join(", ", All)}";

    /// <summary>What the value must be, or null when it fits.</summary>
    public static string? Fault(InputDefinition input, JsonElement value)
    {
        if (!Fits(input.Type, value)) return $"must be {Article(input.Type)}";
        return input.Enum is { } allowed && !allowed.Any(each => JsonElement.DeepEquals(each, value))
            ? $"must be one of {string.Join(", ", allowed.Select(each => each.GetRawText()))}"
            : null;
    }

    public static bool Fits(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && IsWhole(value),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        _ => true,
    };

    // 5.0 and 5e2 are whole, too.
    private static bool IsWhole(JsonElement number) => number.TryGetDecimal(out var value) ? decimal.IsInteger(value) : double.IsInteger(number.GetDouble());

    private static string Article(string type) => type is "integer" or "object" or "array" ? $"an {type}" : $"a {type}";
}
