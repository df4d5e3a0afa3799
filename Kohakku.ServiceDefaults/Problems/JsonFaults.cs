using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Kohakku.ServiceDefaults;

/// <summary>Puts a <see cref="JsonException"/> into words for whoever wrote the JSON: which field, which rule, no type of ours.</summary>
internal static partial class JsonFaults
{
    public static Faults Explain(JsonException exception)
    {
        var faults = new Faults();
        var field = FieldOf(exception.Path);
        var message = exception.Message;
        if (Missing().Match(message) is { Success: true } missing)
        {
            foreach (Capture name in missing.Groups["name"].Captures) faults.Add(Join(field, name.Value), "is required");
            return faults;
        }
        if (Null().Match(message) is { Success: true } @null) faults.Add(WithLeaf(field, @null.Groups["name"].Value), "must not be null");
        else if (Duplicate().Match(message) is { Success: true } twice) faults.Add(WithLeaf(field, twice.Groups["name"].Value), "is given twice");
        // The inner message tells the value's kind, where the outer one may name the whole body's type.
        else if (Wrong().Match(message) is { Success: true } wrong) faults.Add(field, RuleOf(exception.InnerException?.Message ?? wrong.Groups["type"].Value));
        // A converter of ours speaks for itself.
        else if (message.StartsWith("must ", StringComparison.Ordinal)) faults.Add(field, message.TrimEnd('.'));
        else faults.Add(field, $"is not valid JSON at {PlaceOf(exception)}");
        return faults;
    }

    /// <summary>What a value must be, of which the framework prints a .NET type or names the kind of token.</summary>
    public static string RuleOf(string type) => type switch
    {
        _ when type.Contains("Dictionary", StringComparison.Ordinal) => "must be an object",
        _ when type.Contains("List", StringComparison.Ordinal) || type.Contains("[]", StringComparison.Ordinal) || type.Contains("Enumerable", StringComparison.Ordinal) => "must be a list",
        _ when Has(type, "Int32", "Int64", "Int16", "Byte", "int", "long", "short") => "must be a whole number in range",
        _ when Has(type, "Double", "Decimal", "Single", "double", "decimal", "float", "number") => "must be a number",
        _ when Has(type, "Boolean", "bool", "boolean") => "must be true or false",
        _ when Has(type, "Guid") => "must be a UUID",
        _ when Has(type, "DateTimeOffset", "DateTime") => "must be a time by RFC 3339, like 2026-01-31T12:00:00Z",
        _ when Has(type, "String", "string") => "must be text",
        _ => "must be an object",
    };

    private static bool Has(string type, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Regex.IsMatch(type, $@"\b{name}\b", RegexOptions.CultureInvariant)) return true;
        }
        return false;
    }

    private static string PlaceOf(JsonException exception) =>
        string.Create(CultureInfo.InvariantCulture, $"line {exception.LineNumber + 1 ?? 1}, byte {exception.BytePositionInLine + 1 ?? 1}");

    /// <summary><c>$.tasks[3].agent</c> → <c>tasks[3].agent</c>; the whole body is <c>$</c>.</summary>
    private static string FieldOf(string? path) => path is null or "$" ? "$" : path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path[1..];

    private static string Join(string field, string name) => field == "$" ? name : $"{field}.{name}";

    /// <summary>The serializer says sometimes the object's path and sometimes the property's.</summary>
    private static string WithLeaf(string field, string name)
    {
        var camel = JsonNamingPolicy.CamelCase.ConvertName(name);
        return field == camel || field.EndsWith($".{camel}", StringComparison.Ordinal) ? field : Join(field, camel);
    }

    [GeneratedRegex("missing required properties including: (?:'(?<name>[^']+)'(?:, )?)+", RegexOptions.CultureInvariant)]
    private static partial Regex Missing();

    [GeneratedRegex("'(?<name>[^']+)' on type '.*' doesn't allow", RegexOptions.CultureInvariant)]
    private static partial Regex Null();

    [GeneratedRegex("Duplicate property '(?<name>[^']+)'", RegexOptions.CultureInvariant)]
    private static partial Regex Duplicate();

    [GeneratedRegex(@"could not be converted to (?<type>.+?)\. Path: ", RegexOptions.CultureInvariant)]
    private static partial Regex Wrong();
}
