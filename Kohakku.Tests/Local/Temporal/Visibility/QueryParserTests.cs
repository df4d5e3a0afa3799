using CsCheck;
using Kohakku.Local.Temporal.Visibility;
using Kohakku.Local.Temporal.Visibility.Queries;
using Npgsql;

namespace Kohakku.Tests.Local.Temporal.Visibility;

public sealed class QueryParserTests
{
    [Fact]
    public void What_was_written_is_read_as_it_was_meant() =>
        QueryTexts.Conditions(3).Sample(
            condition =>
            {
                var text = QueryTexts.Write(condition);
                Assert.Equal(text, QueryTexts.Write(QueryParser.Read(text).Where!));
            },
            iter: 2_000);

    [Fact]
    public void Whatever_comes_is_understood_or_refused_with_a_reason()
    {
        using var database = NpgsqlDataSource.Create("Host=none");
        using var registry = new SearchAttributeRegistry(database, TimeProvider.System);
        var pieces = Gen.OneOf(
            "WorkflowId", "StartTime", "ExecutionStatus", "BuildIds", "CloseTime", "AND", "OR", "NOT", "(", ")", "=", "!=", "<", "IN", "BETWEEN", "STARTS_WITH", "IS", "NULL",
            "'x'", "\"Running\"", "'2026-01-01T00:00:00Z'", "1", "1.5", "true", ",", "ORDER BY", "GROUP BY", "DESC", "`", "'", "\\", "\0", "\ud800", "LIMIT", ";", "--");
        Gen.OneOf(pieces.List[0, 12].Select(list => string.Join(' ', list)), Gen.String).Sample(
            text =>
            {
                try
                {
                    var query = QueryParser.Read(text);
                    new QueryTranslator(registry, "default", new SqlText()).Write(query.Where);
                }
                catch (InvalidQueryException exception)
                {
                    Assert.Matches("^(malformed SQL query|invalid expression|operation is not supported): .", exception.Message);
                }
            },
            iter: 20_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n ")]
    public void Nothing_asks_for_all(string text) => Assert.Null(QueryParser.Read(text).Where);

    [Fact]
    public void And_binds_stronger_than_or_and_not_strongest()
    {
        var query = QueryParser.Read("not a = 1 or b = 2 and c = 3");
        var any = Assert.IsType<AnyOf>(query.Where);
        Assert.IsType<Not>(any.Conditions[0]);
        Assert.Equal(["b", "c"], Assert.IsType<AllOf>(any.Conditions[1]).Conditions.Cast<Comparison>().Select(comparison => comparison.Field));
    }

    [Fact]
    public void Order_and_groups_follow_the_conditions()
    {
        var query = QueryParser.Read("WorkflowId = 'a' group by ExecutionStatus order by StartTime desc, CloseTime");
        Assert.Equal(["ExecutionStatus"], query.GroupBy);
        Assert.Equal([new OrderTerm("StartTime", true), new OrderTerm("CloseTime", false)], query.OrderBy);
        Assert.Null(QueryParser.Read("ORDER BY StartTime ASC").Where);
        Assert.Single(QueryParser.Read("GROUP BY `ExecutionStatus`").GroupBy);
    }

    [Theory]
    [InlineData("WorkflowId =", "syntax error at position 13 near the end")]
    [InlineData("WorkflowId = 'a' b", "syntax error at position 18 near 'b'")]
    [InlineData("WorkflowId = 'a", "syntax error at position 14 near ''a'")]
    [InlineData("a = 1 AND", "syntax error at position 10 near the end")]
    [InlineData("a IN ()", "syntax error at position 7 near ')'")]
    [InlineData("a ! 1", "syntax error at position 3 near '! 1'")]
    [InlineData("In = 1", "syntax error at position 1 near 'In = 1'")]
    [InlineData("a = 1 LIMIT 5", "operation is not supported: 'LIMIT' clause")]
    public void What_is_malformed_is_refused_where_it_is(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidQueryException>(() => QueryParser.Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Long_queries_are_read_and_too_deep_ones_are_refused()
    {
        var many = string.Join(" OR ", Enumerable.Range(0, 5_000).Select(number => $"a = {number}"));
        Assert.Equal(5_000, Assert.IsType<AnyOf>(QueryParser.Read(many).Where).Conditions.Count);
        Assert.IsType<Comparison>(QueryParser.Read(string.Concat(Enumerable.Repeat("NOT ", 20_000)) + "a = 1").Where);
        Assert.IsType<Comparison>(QueryParser.Read(new string('(', 100) + "a = 1" + new string(')', 100)).Where);
        Assert.Throws<InvalidQueryException>(() => QueryParser.Read(new string('(', 60_000) + "a = 1"));
    }

    [Theory]
    [InlineData("90", 90L)]
    [InlineData("1.5h", 5_400_000_000_000)]
    [InlineData("-1m30s", -90_000_000_000)]
    [InlineData("1d", 86_400_000_000_000)]
    [InlineData("300ms", 300_000_000L)]
    [InlineData("01:02:03", 3_723_000_000_000)]
    [InlineData("1:60:00", null)]
    [InlineData("1x", null)]
    [InlineData("", null)]
    [InlineData("99999999999999999d", null)]
    public void Durations_are_read_in_each_of_their_forms(string text, long? expected) =>
        Assert.Equal(expected, QueryDuration.TryParse(text, out var nanoseconds) ? nanoseconds : null);
}
