using System.Globalization;
using System.Text.RegularExpressions;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>Values in a query, by the type of the field they are compared with.</summary>
internal static partial class QueryValues
{
    /// <summary>A text, a whole number, a floating one, a truth value or a time (UTC); a status is its number, a duration its nanoseconds.</summary>
    /// <exception cref="InvalidQueryException"/>
    public static object Read(QueryField field, Literal literal) => literal switch
    {
        BareWord word => throw InvalidQueryException.NotSupported(
            $"column name on the right side of comparison expression (did you forget to quote \"{word.Text}\"?)"),
        // Postgres keeps no such text, so nothing could equal it.
        TextLiteral text when text.Text.Contains('\0', StringComparison.Ordinal) => throw InvalidQueryException.Invalid($"zero character in the value of {field.Name}"),
        _ when field.Key == QueryFields.Status => Status(literal),
        _ when field.Key == QueryFields.Duration => Duration(literal),
        _ => Typed(field, literal),
    };

    /// <summary>As RFC 3339 has it, such as <c>2026-05-01T10:00:00.123Z</c>.</summary>
    public static bool TryTime(string text, out DateTime time)
    {
        time = default;
        if (Rfc3339().Match(text) is not { Success: true } match) return false;
        // .NET knows seven digits of a fraction.
        var fraction = match.Groups["fraction"].Value;
        var parsed = match.Groups["seconds"].Value + fraction[..Math.Min(fraction.Length, 8)] + match.Groups["zone"].Value;
        if (!DateTimeOffset.TryParse(parsed, CultureInfo.InvariantCulture, DateTimeStyles.None, out var found)) return false;
        time = found.UtcDateTime;
        return true;
    }

    private static object Typed(QueryField field, Literal literal) => (field.Type, literal) switch
    {
        (IndexedValueType.Int or IndexedValueType.Double, NumberLiteral number) => Number(number),
        (IndexedValueType.Bool, BooleanLiteral boolean) => boolean.Value,
        (IndexedValueType.Keyword or IndexedValueType.KeywordList or IndexedValueType.Text, TextLiteral text) => text.Text,
        (IndexedValueType.Datetime, TextLiteral text) => TryTime(text.Text, out var time) ? time : throw InvalidQueryException.Invalid($"unable to parse datetime '{text.Text}'"),
        // Nanoseconds since 1970.
        (IndexedValueType.Datetime, NumberLiteral number) when Number(number) is long nanoseconds => DateTime.UnixEpoch.AddTicks(nanoseconds / 100),
        _ => throw InvalidQueryException.Invalid($"invalid value type for search attribute {field.Name} of type {field.Type.Name()}: {Shown(literal)}"),
    };

    private static object Number(NumberLiteral number) =>
        long.TryParse(number.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
            ? (object)whole
            : double.Parse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static long Status(Literal literal)
    {
        const string prefix = "WORKFLOW_EXECUTION_STATUS_";
        switch (literal)
        {
            case NumberLiteral number when Number(number) is long value and >= 0 and < int.MaxValue && Enum.IsDefined((WorkflowExecutionStatus)value):
                return value;
            // Names alone: .NET would take numbers and lists of names too.
            case TextLiteral text when text.Text.All(char.IsAsciiLetter) && Enum.TryParse<WorkflowExecutionStatus>(text.Text, out var status):
                return (long)status;
            case TextLiteral text when text.Text.StartsWith(prefix, StringComparison.Ordinal) && text.Text.All(character => char.IsAsciiLetterUpper(character) || character == '_')
                && Enum.TryParse<WorkflowExecutionStatus>(text.Text[prefix.Length..].Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var status):
                return (long)status;
            default:
                throw InvalidQueryException.Invalid($"invalid {QueryFields.Status} value {Shown(literal)}");
        }
    }

    private static long Duration(Literal literal) => literal switch
    {
        NumberLiteral number when Number(number) is long nanoseconds => nanoseconds,
        TextLiteral text when QueryDuration.TryParse(text.Text, out var nanoseconds) => nanoseconds,
        _ => throw InvalidQueryException.Invalid($"invalid duration value for search attribute {QueryFields.Duration}: {Shown(literal)}"),
    };

    private static string Shown(Literal literal) => literal switch
    {
        TextLiteral text => $"'{text.Text}'",
        NumberLiteral number => number.Text,
        BooleanLiteral boolean => boolean.Value ? "true" : "false",
        _ => literal.ToString(),
    };

    [GeneratedRegex(@"^(?<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?<fraction>\.\d+)?(?<zone>Z|[+-]\d\d:\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();
}
