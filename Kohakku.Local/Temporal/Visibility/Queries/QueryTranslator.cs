using System.Globalization;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Enums.V1;
using static Kohakku.Local.Temporal.Visibility.Queries.ComparisonOperator;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>Writes a query's conditions as SQL. As in SQL, a comparison with what a run doesn't have is neither true nor, negated, false.</summary>
internal sealed class QueryTranslator(SearchAttributeRegistry registry, string @namespace, SqlText sql)
{
    private bool namesDivision;

    /// <summary>The condition of all runs that the query asks for.</summary>
    /// <exception cref="InvalidQueryException"/>
    public void Write(Condition? where)
    {
        sql.Append($"namespace = {sql.Parameter(@namespace)}");
        if (where is not null)
        {
            sql.Append(" and (");
            WriteCondition(where);
            sql.Append(")");
        }
        // Runs of the server's own are shown to those alone who ask for them.
        if (!namesDivision) sql.Append($" and search ->> '{SearchAttributeTypes.NamespaceDivision}' is null");
    }

    public QueryField Field(string name)
    {
        var field = QueryFields.Find(registry, @namespace, name);
        if (field.Key == SearchAttributeTypes.NamespaceDivision) namesDivision = true;
        return field;
    }

    private void WriteCondition(Condition condition)
    {
        switch (condition)
        {
            case AllOf all:
                WriteJoined(all.Conditions, " and ");
                break;
            case AnyOf any:
                WriteJoined(any.Conditions, " or ");
                break;
            case Not not:
                sql.Append("not (");
                WriteCondition(not.Condition);
                sql.Append(")");
                break;
            case NullTest test:
                var tested = Field(test.Field);
                sql.Append($"{tested.Sql ?? $"(search -> {sql.Parameter(tested.Key)})"} is {(test.IsNull ? "" : "not ")}null");
                break;
            case Comparison comparison:
                WriteComparison(comparison);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(condition));
        }
    }

    private void WriteJoined(IReadOnlyList<Condition> conditions, string separator)
    {
        for (var index = 0; index < conditions.Count; index++)
        {
            sql.Append(index == 0 ? "(" : $"{separator}(");
            WriteCondition(conditions[index]);
            sql.Append(")");
        }
    }

    private void WriteComparison(Comparison comparison)
    {
        var field = Field(comparison.Field);
        CheckOperator(field, comparison.Operator);
        var values = comparison.Values.Select(value => QueryValues.Read(field, value)).ToList();
        switch (field.Type)
        {
            case IndexedValueType.KeywordList:
                WriteList(field, comparison.Operator, [.. values.Cast<string>()]);
                break;
            case IndexedValueType.Text:
                WriteText(field, comparison.Operator, (string)values[0]);
                break;
            default:
                WriteScalar(field, comparison.Operator, values);
                break;
        }
    }

    private static void CheckOperator(QueryField field, ComparisonOperator found)
    {
        if (found is Between or NotBetween && field.Type is IndexedValueType.KeywordList or IndexedValueType.Text or IndexedValueType.Bool)
            throw InvalidQueryException.Invalid($"cannot do range condition on search attribute '{field.Name}' of type {field.Type.Name()}");
        var isSupported = field.Type switch
        {
            IndexedValueType.KeywordList => found is Equal or NotEqual or In or NotIn,
            IndexedValueType.Text => found is Equal or NotEqual,
            // Kept as a number: no part of its name can be compared.
            IndexedValueType.Keyword => found is not (StartsWith or NotStartsWith) || field.Key != QueryFields.Status,
            _ => found is not (StartsWith or NotStartsWith),
        };
        if (!isSupported) throw InvalidQueryException.NotSupported($"operator '{found.Text()}' not supported for {field.Type.Name()} type search attribute '{field.Name}'");
    }

    /// <summary>Of a list, one that equals is enough.</summary>
    private void WriteList(QueryField field, ComparisonOperator found, string[] values) =>
        sql.Append($"{(found is NotEqual or NotIn ? "not " : "")}(search -> {sql.Parameter(field.Key)}) ?| {sql.Parameter(values)}");

    /// <summary>Of the words, one that is in the text is enough.</summary>
    private void WriteText(QueryField field, ComparisonOperator found, string value)
    {
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) throw InvalidQueryException.Invalid("unexpected value for Text type search attribute (no tokens found)");
        var any = string.Join(" || ", words.Select(word => $"plainto_tsquery('simple', {sql.Parameter(word)})"));
        sql.Append($"{(found is NotEqual ? "not " : "")}(to_tsvector('simple', search ->> {sql.Parameter(field.Key)}) @@ ({any}))");
    }

    private void WriteScalar(QueryField field, ComparisonOperator found, List<object> values)
    {
        if (field.Key == QueryFields.RunId && found is Equal or In && values.All(value => Guid.TryParse((string)value, out _)))
        {
            // By its index.
            sql.Append($"run_id = any({sql.Parameter(values.Select(value => Guid.Parse((string)value)).ToArray())})");
            return;
        }
        if (field.Key == QueryFields.Status && found is Equal && values[0] is (long)WorkflowExecutionStatus.Running) sql.Append("close_time is null and ");
        var left = Scalar(field);
        sql.Append(found switch
        {
            In => $"{left} = any({Parameter(field, values)})",
            NotIn => $"{left} <> all({Parameter(field, values)})",
            Between => $"{left} between {Parameter(field, values[0])} and {Parameter(field, values[1])}",
            NotBetween => $"{left} not between {Parameter(field, values[0])} and {Parameter(field, values[1])}",
            StartsWith => $"starts_with({left}, {Parameter(field, values[0])})",
            NotStartsWith => $"not starts_with({left}, {Parameter(field, values[0])})",
            NotEqual => $"{left} <> {Parameter(field, values[0])}",
            _ => $"{left} {found.Text()} {Parameter(field, values[0])}",
        });
    }

    /// <summary>A value of another type than the registered one, from before it was registered anew, compares as if it were not there.</summary>
    private string Scalar(QueryField field)
    {
        if (field.Sql is not null) return field.Type is IndexedValueType.Keyword && field.Key != QueryFields.Status ? $"({field.Sql} collate \"C\")" : field.Sql;
        var key = sql.Parameter(field.Key);
        return field.Type switch
        {
            IndexedValueType.Int or IndexedValueType.Double => $"(case jsonb_typeof(search -> {key}) when 'number' then (search -> {key})::numeric end)",
            IndexedValueType.Bool => $"(case jsonb_typeof(search -> {key}) when 'boolean' then (search -> {key})::boolean end)",
            _ => $"((search ->> {key}) collate \"C\")",
        };
    }

    private string Parameter(QueryField field, object value) => value switch
    {
        // Times among the search attributes are kept as text, in an order that is theirs.
        DateTime time when field.Sql is null => sql.Parameter(time.ToString(SearchValues.TimeFormat, CultureInfo.InvariantCulture)),
        DateTime time => sql.Parameter(time),
        string text => sql.Parameter(text),
        long number => sql.Parameter(number),
        double number => sql.Parameter(number),
        bool boolean => sql.Parameter(boolean),
        _ => throw new ArgumentOutOfRangeException(nameof(value)),
    };

    private string Parameter(QueryField field, List<object> values) => values[0] switch
    {
        DateTime when field.Sql is null => sql.Parameter(values.Select(value => ((DateTime)value).ToString(SearchValues.TimeFormat, CultureInfo.InvariantCulture)).ToArray()),
        DateTime => sql.Parameter(values.Cast<DateTime>().ToArray()),
        string => sql.Parameter(values.Cast<string>().ToArray()),
        bool => sql.Parameter(values.Cast<bool>().ToArray()),
        _ when values.All(value => value is long) => sql.Parameter(values.Cast<long>().ToArray()),
        _ => sql.Parameter(values.Select(value => Convert.ToDouble(value, CultureInfo.InvariantCulture)).ToArray()),
    };
}
