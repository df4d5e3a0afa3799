using System.Collections.Concurrent;
using System.Text.Json;
using NJsonSchema;
using NJsonSchema.Validation;

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
            : $"The output does not fit its schema: {string.Join("; ", faults.Take(MostFaults).Select(Words))}.";
    }

    /// <summary><c>parts[0].name is missing</c>, of <c>#/parts[0].name</c> and PropertyRequired.</summary>
    private static string Words(ValidationError fault)
    {
        var path = fault.Path?.TrimStart('#', '/') is { Length: > 0 } inner ? inner : "it";
        return fault.Kind switch
        {
            ValidationErrorKind.PropertyRequired => $"{path} is missing",
            ValidationErrorKind.NoAdditionalPropertiesAllowed => $"{path} is not allowed",
            ValidationErrorKind.NotInEnumeration => $"{path} is none of the values allowed",
            ValidationErrorKind.ArrayExpected => $"{path} must be an array",
            ValidationErrorKind.BooleanExpected => $"{path} must be true or false",
            ValidationErrorKind.IntegerExpected => $"{path} must be a whole number",
            ValidationErrorKind.NumberExpected => $"{path} must be a number",
            ValidationErrorKind.ObjectExpected => $"{path} must be an object",
            ValidationErrorKind.StringExpected => $"{path} must be text",
            ValidationErrorKind.NumberTooSmall => $"{path} is too small",
            ValidationErrorKind.NumberTooBig => $"{path} is too large",
            ValidationErrorKind.StringTooShort => $"{path} is too short",
            ValidationErrorKind.StringTooLong => $"{path} is too long",
            ValidationErrorKind.TooFewItems => $"{path} has too few items",
            ValidationErrorKind.TooManyItems => $"{path} has too many items",
            ValidationErrorKind.PatternMismatch => $"{path} does not match its pattern",
            var kind => $"{path} breaks the rule {kind}",
        };
    }

    private static JsonSchema Parse(string schema)
    {
        if (Known.TryGetValue(schema, out var known)) return known;
        if (Known.Count >= MostRemembered) Known.Clear();
        // Definitions are refused with references to elsewhere, so this does no I/O and completes at once.
        return Known[schema] = JsonSchema.FromJsonAsync(schema).GetAwaiter().GetResult();
    }
}
