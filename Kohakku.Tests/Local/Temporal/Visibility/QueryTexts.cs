using CsCheck;
using Kohakku.Local.Temporal.Visibility.Queries;

namespace Kohakku.Tests.Local.Temporal.Visibility;

/// <summary>Arbitrary queries, and how they are written.</summary>
internal static class QueryTexts
{
    private static readonly Gen<string> Names = Gen.OneOf(
        Gen.OneOf("WorkflowId", "Customer", "_x1", "In", "order", "with space", "Überschrift", "a.b"),
        Gen.String[Gen.Char['a', 'z'], 1, 10]);

    private static readonly Gen<Literal> Literals = Gen.OneOf(
        Gen.String[Gen.OneOf('a', '\'', '"', '\\', '`', ' ', '\n', 'ü', '%', '0'), 0, 12].Select(text => (Literal)new TextLiteral(text)),
        Gen.Long.Select(number => (Literal)new NumberLiteral($"{number}")),
        Gen.OneOf("1.5", "-0.25", ".5", "3.", "1e10", "+2E-3").Select(text => (Literal)new NumberLiteral(text)),
        Gen.Bool.Select(value => (Literal)new BooleanLiteral(value)));

    private static readonly Gen<Condition> Leaves = Gen.OneOf(
        Gen.Select(Names, Gen.Bool, (name, isNull) => (Condition)new NullTest(name, isNull)),
        Gen.Select(Names, Gen.Enum<ComparisonOperator>(), Literals.List[3, 5], (name, found, values) => (Condition)new Comparison(name, found, [.. values.Take(Count(found))])));

    public static Gen<Condition> Conditions(int depth) => depth == 0 ? Leaves : Gen.OneOf(
        Leaves,
        Conditions(depth - 1).List[2, 4].Select(list => (Condition)new AllOf(list)),
        Conditions(depth - 1).List[2, 4].Select(list => (Condition)new AnyOf(list)),
        Conditions(depth - 1).Where(condition => condition is not Not).Select(condition => (Condition)new Not(condition)));

    public static string Write(Condition condition) => condition switch
    {
        AllOf all => string.Join(" AND ", all.Conditions.Select(Nested)),
        AnyOf any => string.Join(" or ", any.Conditions.Select(Nested)),
        Not not => $"NOT {Nested(not.Condition)}",
        NullTest test => $"`{test.Field}` IS {(test.IsNull ? "" : "not ")}NULL",
        Comparison { Operator: ComparisonOperator.In or ComparisonOperator.NotIn } within => $"`{within.Field}` {within.Operator.Text()} ({string.Join(", ", within.Values.Select(Write))})",
        Comparison { Operator: ComparisonOperator.Between or ComparisonOperator.NotBetween } range => $"`{range.Field}` {range.Operator.Text()} {Write(range.Values[0])} AND {Write(range.Values[1])}",
        Comparison comparison => $"`{comparison.Field}` {comparison.Operator.Text()} {Write(comparison.Values[0])}",
        _ => throw new ArgumentOutOfRangeException(nameof(condition)),
    };

    private static string Nested(Condition condition) => condition is AllOf or AnyOf ? $"({Write(condition)})" : Write(condition);

    private static string Write(Literal literal) => literal switch
    {
        TextLiteral text => text.Text.Length % 2 == 0
            ? $"'{text.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'"
            : $"\"{text.Text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
        NumberLiteral number => number.Text,
        BooleanLiteral boolean => boolean.Value ? "True" : "FALSE",
        _ => throw new ArgumentOutOfRangeException(nameof(literal)),
    };

    private static int Count(ComparisonOperator found) => found switch
    {
        ComparisonOperator.In or ComparisonOperator.NotIn => 3,
        ComparisonOperator.Between or ComparisonOperator.NotBetween => 2,
        _ => 1,
    };
}
