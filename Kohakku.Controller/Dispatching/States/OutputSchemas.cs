using System.Collections.Concurrent;
using System.Text.Json;
using NJsonSchema;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>Whether a task's output fits the schema it was promised to fit. A schema is parsed once; its kind is pure, and nothing is fetched for it.</summary>
internal static class OutputSchemas
{
    private const int MostRemembered = 500;
    private const int MostFaults = 5;
    private static readonly ConcurrentDictionary<string, JsonSchema> Known = new(StringComparer.Ordinal);

    /// <summary>What is wrong, for a person; null when it fits.</summary>
    public static string? Fault(string schema, JsonElement? output)
    {
        var text = output is { ValueKind: not JsonValueKind.Undefined } json ? json.GetRawText() : "null";
        var faults = Parse(schema).Validate(text);
        return faults.Count == 0
            ? null
            : $"The output does not fit its schema: {string.Join("; ", faults.Take(MostFaults).Select(fault => $"{fault.Path?.TrimStart('#', '/') ?? "output"} {fault.Kind}"))}.";
    }

    private static JsonSchema Parse(string schema)
    {
        if (Known.TryGetValue(schema, out var known)) return known;
        if (Known.Count >= MostRemembered) Known.Clear();
        // Definitions are refused with references to elsewhere, so this does no I/O and completes at once.
        return Known[schema] = JsonSchema.FromJsonAsync(schema).GetAwaiter().GetResult();
    }
}
