using Superpower;
using Superpower.Model;
using Superpower.Parsers;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>The grammar of list queries: conditions as in SQL, then GROUP BY, then ORDER BY; keywords in any case.</summary>
internal static class QueryParser
{
    // Parsing goes as deep as the query is nested, and a stack that overflows ends the process.
    private const int DeepestNesting = 100;
    private const int LongestQuery = 128 << 10;

    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        "AND", "OR", "NOT", "IN", "BETWEEN", "STARTS_WITH", "IS", "NULL", "TRUE", "FALSE", "ORDER", "GROUP", "BY", "ASC", "DESC", "LIMIT",
    };

    private static readonly Dictionary<string, ComparisonOperator> Operators = new(StringComparer.Ordinal)
    {
        ["="] = ComparisonOperator.Equal,
        ["!="] = ComparisonOperator.NotEqual,
        ["<>"] = ComparisonOperator.NotEqual,
        ["<"] = ComparisonOperator.Less,
        ["<="] = ComparisonOperator.LessOrEqual,
        [">"] = ComparisonOperator.Greater,
        [">="] = ComparisonOperator.GreaterOrEqual,
    };

    private static readonly TokenListParser<QueryToken, string> Word =
        Token.EqualTo(QueryToken.Word).Select(token => token.ToStringValue()).Where(word => !Reserved.Contains(word), "a keyword must stand in backticks to be a name");

    private static readonly TokenListParser<QueryToken, string> Name =
        Word.Or(Token.EqualTo(QueryToken.QuotedName).Select(token => token.ToStringValue()[1..^1])).Named("name of a search attribute");

    private static readonly TokenListParser<QueryToken, Literal> Value =
        Token.EqualTo(QueryToken.Text).Select(token => (Literal)new TextLiteral(QueryTokens.Unquote(token.ToStringValue())))
            .Or(Token.EqualTo(QueryToken.Number).Select(token => (Literal)new NumberLiteral(token.ToStringValue())))
            .Or(Keyword("TRUE").Value((Literal)new BooleanLiteral(true)))
            .Or(Keyword("FALSE").Value((Literal)new BooleanLiteral(false)))
            .Or(Name.Select(word => (Literal)new BareWord(word)))
            .Named("value");

    private static readonly TokenListParser<QueryToken, IReadOnlyList<Literal>> Values =
        Value.AtLeastOnceDelimitedBy(Token.EqualTo(QueryToken.Comma))
            .Between(Token.EqualTo(QueryToken.Open), Token.EqualTo(QueryToken.Close))
            .Select(values => (IReadOnlyList<Literal>)values);

    private static readonly TokenListParser<QueryToken, IReadOnlyList<Literal>> Range =
        from low in Value
        from and in Keyword("AND")
        from high in Value
        select (IReadOnlyList<Literal>)[low, high];

    private static readonly TokenListParser<QueryToken, IReadOnlyList<Literal>> One = Value.Select(value => (IReadOnlyList<Literal>)[value]);

    /// <summary>What follows a name.</summary>
    private static readonly TokenListParser<QueryToken, Func<string, Condition>> Test =
        Token.EqualTo(QueryToken.Operator).Select(token => Operators[token.ToStringValue()]).Then(found => Compare(One, found))
            .Or(Worded("IN", Values, ComparisonOperator.In, ComparisonOperator.NotIn))
            .Or(Worded("BETWEEN", Range, ComparisonOperator.Between, ComparisonOperator.NotBetween))
            .Or(Worded("STARTS_WITH", One, ComparisonOperator.StartsWith, ComparisonOperator.NotStartsWith))
            .Or(
                from word in Keyword("IS")
                from not in Keyword("NOT").Optional()
                from tested in Keyword("NULL")
                select (Func<string, Condition>)(name => new NullTest(name, IsNull: not is null)))
            .Named("comparison");

    private static readonly TokenListParser<QueryToken, Condition> Single =
        Parse.Ref(() => Any!).Between(Token.EqualTo(QueryToken.Open), Token.EqualTo(QueryToken.Close))
            .Or(Name.Then(name => Test.Select(test => test(name))));

    private static readonly TokenListParser<QueryToken, Condition> Negatable =
        from nots in Keyword("NOT").Many()
        from condition in Single
        select nots.Length % 2 == 0 ? condition : new Not(condition);

    private static readonly TokenListParser<QueryToken, Condition> All =
        Negatable.AtLeastOnceDelimitedBy(Keyword("AND")).Select(conditions => conditions.Length == 1 ? conditions[0] : new AllOf(conditions));

    private static readonly TokenListParser<QueryToken, Condition> Any =
        All.AtLeastOnceDelimitedBy(Keyword("OR")).Select(conditions => conditions.Length == 1 ? conditions[0] : new AnyOf(conditions));

    private static readonly TokenListParser<QueryToken, OrderTerm> Term =
        from name in Name
        from direction in Keyword("ASC").Value(false).Or(Keyword("DESC").Value(true)).OptionalOrDefault()
        select new OrderTerm(name, direction);

    private static readonly TokenListParser<QueryToken, ListQuery> Whole =
        from condition in Any.AsNullable().OptionalOrDefault()
        from groups in Clause("GROUP", Name)
        from terms in Clause("ORDER", Term)
        select new ListQuery(condition, groups, terms);

    /// <exception cref="InvalidQueryException"/>
    public static ListQuery Read(string query)
    {
        if (query.Length > LongestQuery) throw InvalidQueryException.Malformed($"longer than {LongestQuery} characters");
        var tokens = QueryTokens.Tokenizer.TryTokenize(query);
        if (!tokens.HasValue) throw SyntaxError(query, tokens.ErrorPosition, "a name, a value or an operator expected; texts stand in quotes");
        CheckNesting(tokens.Value);
        var result = Whole.AtEnd().TryParse(tokens.Value);
        if (result.HasValue) return result.Value;
        if (!result.Remainder.IsAtEnd && result.Remainder.ConsumeToken().Value is { Kind: QueryToken.Word } word && Is(word, "LIMIT"))
            throw InvalidQueryException.NotSupported("'LIMIT' clause");
        throw SyntaxError(query, result.ErrorPosition, result.FormatErrorMessageFragment());
    }

    private static TokenListParser<QueryToken, Token<QueryToken>> Keyword(string keyword) => Token.EqualToValueIgnoreCase(QueryToken.Word, keyword).Named(keyword);

    private static TokenListParser<QueryToken, T[]> Clause<T>(string keyword, TokenListParser<QueryToken, T> item) =>
        Keyword(keyword).IgnoreThen(Keyword("BY")).IgnoreThen(item.AtLeastOnceDelimitedBy(Token.EqualTo(QueryToken.Comma))).OptionalOrDefault([]);

    private static TokenListParser<QueryToken, Func<string, Condition>> Worded(
        string keyword, TokenListParser<QueryToken, IReadOnlyList<Literal>> values, ComparisonOperator plain, ComparisonOperator negated) =>
        Keyword(keyword).IgnoreThen(Compare(values, plain)).Or(Keyword("NOT").IgnoreThen(Keyword(keyword)).Try().IgnoreThen(Compare(values, negated)));

    private static TokenListParser<QueryToken, Func<string, Condition>> Compare(TokenListParser<QueryToken, IReadOnlyList<Literal>> values, ComparisonOperator found) =>
        values.Select(list => (Func<string, Condition>)(name => new Comparison(name, found, list)));

    private static void CheckNesting(TokenList<QueryToken> tokens)
    {
        var depth = 0;
        foreach (var token in tokens)
        {
            if (token.Kind is QueryToken.Open && ++depth > DeepestNesting)
                throw InvalidQueryException.Malformed($"nested deeper than {DeepestNesting} parentheses at position {token.Position.Absolute + 1}");
            if (token.Kind is QueryToken.Close) depth--;
        }
    }

    private static bool Is(Token<QueryToken> token, string keyword) => token.ToStringValue().Equals(keyword, StringComparison.OrdinalIgnoreCase);

    private static InvalidQueryException SyntaxError(string query, Position position, string detail)
    {
        var at = position.HasValue ? position.Absolute : query.Length;
        var rest = query.AsSpan(Math.Min(at, query.Length)).TrimStart();
        var near = rest.IsEmpty ? "the end" : $"'{rest[..Math.Min(rest.Length, 20)]}'";
        return InvalidQueryException.Malformed($"syntax error at position {at + 1} near {near}: {detail}");
    }
}
