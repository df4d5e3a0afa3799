namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>A query as it was written, names and values still to be given a meaning.</summary>
/// <param name="Where">Null asks for all.</param>
internal sealed record ListQuery(Condition? Where, IReadOnlyList<string> GroupBy, IReadOnlyList<OrderTerm> OrderBy);

internal sealed record OrderTerm(string Field, bool IsDescending);

internal abstract record Condition;

/// <summary>Two or more, joined by AND.</summary>
internal sealed record AllOf(IReadOnlyList<Condition> Conditions) : Condition;

/// <summary>Two or more, joined by OR.</summary>
internal sealed record AnyOf(IReadOnlyList<Condition> Conditions) : Condition;

internal sealed record Not(Condition Condition) : Condition;

/// <param name="Values">Two for BETWEEN, any number for IN, else one.</param>
internal sealed record Comparison(string Field, ComparisonOperator Operator, IReadOnlyList<Literal> Values) : Condition;

internal sealed record NullTest(string Field, bool IsNull) : Condition;

internal enum ComparisonOperator
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Between,
    NotBetween,
    StartsWith,
    NotStartsWith,
}

internal abstract record Literal;

internal sealed record TextLiteral(string Text) : Literal;

/// <param name="Text">As it was written: whether it is a whole number is for the field to judge.</param>
internal sealed record NumberLiteral(string Text) : Literal;

internal sealed record BooleanLiteral(bool Value) : Literal;

/// <summary>A word without quotes where a value should stand: a frequent slip that deserves a message of its own.</summary>
internal sealed record BareWord(string Text) : Literal;

internal static class ComparisonOperators
{
    /// <summary>As it is written in a query.</summary>
    public static string Text(this ComparisonOperator comparison) => comparison switch
    {
        ComparisonOperator.Equal => "=",
        ComparisonOperator.NotEqual => "!=",
        ComparisonOperator.Less => "<",
        ComparisonOperator.LessOrEqual => "<=",
        ComparisonOperator.Greater => ">",
        ComparisonOperator.GreaterOrEqual => ">=",
        ComparisonOperator.In => "IN",
        ComparisonOperator.NotIn => "NOT IN",
        ComparisonOperator.Between => "BETWEEN",
        ComparisonOperator.NotBetween => "NOT BETWEEN",
        ComparisonOperator.StartsWith => "STARTS_WITH",
        ComparisonOperator.NotStartsWith => "NOT STARTS_WITH",
        _ => throw new ArgumentOutOfRangeException(nameof(comparison)),
    };
}
