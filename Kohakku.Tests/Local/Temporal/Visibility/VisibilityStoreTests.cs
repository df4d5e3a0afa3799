using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Visibility;
using Kohakku.Tests.Fixtures;
using Kohakku.Tests.Local.Temporal.Storage;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Tests.Local.Temporal.Visibility;

public sealed class VisibilityStoreTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;
    private RunStore _store = null!;
    private SearchAttributeRegistry _registry = null!;
    private VisibilityStore _visibility = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        _store = await TestRuns.OpenAsync(_database);
        _registry = new SearchAttributeRegistry(_database, TimeProvider.System);
        _visibility = new VisibilityStore(_database, _registry, TimeProvider.System);
        await _registry.AddAsync(
            "default",
            new Dictionary<string, IndexedValueType>
            {
                ["Customer"] = IndexedValueType.Keyword,
                ["Amount"] = IndexedValueType.Int,
                ["Weight"] = IndexedValueType.Double,
                ["Paid"] = IndexedValueType.Bool,
                ["Due"] = IndexedValueType.Datetime,
                ["Tags"] = IndexedValueType.KeywordList,
                ["Note"] = IndexedValueType.Text,
            },
            Token);
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Dispose();
        await _store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData("", "c b a")]
    [InlineData("WorkflowId = 'a'", "a")]
    [InlineData("WorkflowId != \"a\"", "c b")]
    [InlineData("WorkflowId IN ('a', 'c', 'x')", "c a")]
    [InlineData("workflowid_x IS NULL", null)]
    [InlineData("WorkflowId NOT IN ('a', 'c')", "b")]
    [InlineData("WorkflowId STARTS_WITH 'b' OR WorkflowId starts_with '%'", "b")]
    [InlineData("WorkflowId NOT STARTS_WITH 'b'", "c a")]
    [InlineData("WorkflowId >= 'b'", "c b")]
    [InlineData("ScheduleId = 'a'", "a")]
    [InlineData("WorkflowType = 'Order' AND TaskQueue = 'orders'", "c b a")]
    [InlineData("ExecutionStatus = 'Running'", "b a")]
    [InlineData("NOT ExecutionStatus = 'Running'", "c")]
    [InlineData("ExecutionStatus IN ('Completed', 'Failed')", "c")]
    [InlineData("ExecutionStatus = 2", "c")]
    [InlineData("ExecutionStatus = 'WORKFLOW_EXECUTION_STATUS_COMPLETED'", "c")]
    [InlineData("StartTime > '2026-05-01T10:00:30Z'", "c b")]
    [InlineData("StartTime BETWEEN '2026-05-01T10:00:30Z' AND '2026-05-01T12:01:00.000000001+02:00'", "b")]
    [InlineData("StartTime NOT BETWEEN '2026-05-01T10:00:30Z' AND '2026-05-01T10:01:30Z'", "c a")]
    [InlineData("StartTime = 1777629600000000000", "a")]
    [InlineData("CloseTime IS NULL", "b a")]
    [InlineData("CloseTime is not null and CloseTime < '2027-01-01T00:00:00Z'", "c")]
    [InlineData("ExecutionDuration >= '1h'", "c")]
    [InlineData("ExecutionDuration > 3600000000000", "")]
    [InlineData("HistoryLength > 10", "c")]
    [InlineData("HistoryLength IN (12, 12.5)", "c")]
    [InlineData("HistorySizeBytes <= 0", "b a")]
    [InlineData("ParentWorkflowId = 'p'", "b")]
    [InlineData("ParentWorkflowId IS NULL", "c a")]
    [InlineData("RootWorkflowId = 'r'", "b")]
    [InlineData("RootWorkflowId = 'a'", "a")]
    [InlineData("Customer = 'ada' AND `Customer` IS NOT NULL", "a")]
    [InlineData("Customer != 'ada'", "b")]
    [InlineData("Customer IS NULL", "c")]
    [InlineData("Customer STARTS_WITH 'gr'", "b")]
    [InlineData("Amount > 5", "b")]
    [InlineData("Amount = 5 OR Amount BETWEEN 6 AND 7.5", "b a")]
    [InlineData("Weight < 1.5", "a")]
    [InlineData("Weight IN (1.25, 2)", "b a")]
    [InlineData("Paid = true", "a")]
    [InlineData("Paid != true", "b")]
    [InlineData("Due <= '2026-06-01T12:00:00+02:00'", "a")]
    [InlineData("Due IN ('2026-06-01T10:00:00Z', '2026-06-02T00:00:00Z')", "a")]
    [InlineData("Tags = 'red'", "b a")]
    [InlineData("Tags != 'blue'", "b")]
    [InlineData("Tags IN ('blue', 'x')", "a")]
    [InlineData("Tags NOT IN ('blue', 'x')", "b")]
    [InlineData("Tags IS NULL", "c")]
    [InlineData("Note = 'fox missing'", "a")]
    [InlineData("Note != 'fox'", "b")]
    [InlineData("BuildIds = 'unversioned'", "b")]
    [InlineData("TemporalNamespaceDivision = 'own'", "own")]
    [InlineData("TemporalNamespaceDivision IS NULL OR NamespaceDivision IS NOT NULL", "own c b a")]
    [InlineData("ORDER BY StartTime ASC", "a b c")]
    [InlineData("ORDER BY CloseTime", "c a b")]
    [InlineData("Amount > 0 ORDER BY ExecutionTime DESC", "b a")]
    public async Task Queries_find_the_runs_that_they_describe(string query, string? expected)
    {
        await WriteRunsAsync();
        if (expected is null)
        {
            await Assert.ThrowsAsync<InvalidQueryException>(() => ListAsync(query));
            return;
        }
        Assert.Equal(expected, await ListAsync(query));
        if (query.Contains("ORDER BY", StringComparison.Ordinal)) return;
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, (await _visibility.CountAsync("default", query, Token)).Count);
    }

    [Theory]
    [InlineData("Missing = 1", "invalid expression: column name 'Missing' is not a valid search attribute")]
    [InlineData("Amount = 'x'", "invalid expression: invalid value type for search attribute Amount of type Int: 'x'")]
    [InlineData("Customer = 1", "invalid expression: invalid value type for search attribute Customer of type Keyword: 1")]
    [InlineData("Customer = ada", "operation is not supported: column name on the right side of comparison expression (did you forget to quote \"ada\"?)")]
    [InlineData("ExecutionStatus = 'Sleeping'", "invalid expression: invalid ExecutionStatus value 'Sleeping'")]
    [InlineData("ExecutionStatus = 'Running,Completed'", "invalid expression: invalid ExecutionStatus value 'Running,Completed'")]
    [InlineData("StartTime > 'yesterday'", "invalid expression: unable to parse datetime 'yesterday'")]
    [InlineData("ExecutionDuration > 'long'", "invalid expression: invalid duration value for search attribute ExecutionDuration: 'long'")]
    [InlineData("Tags > 'a'", "operation is not supported: operator '>' not supported for KeywordList type search attribute 'Tags'")]
    [InlineData("Note STARTS_WITH 'a'", "operation is not supported: operator 'STARTS_WITH' not supported for Text type search attribute 'Note'")]
    [InlineData("Paid BETWEEN true AND false", "invalid expression: cannot do range condition on search attribute 'Paid' of type Bool")]
    [InlineData("StateTransitionCount > 1", "operation is not supported: this server does not count state transitions, so 'StateTransitionCount' can't be used")]
    [InlineData("ORDER BY Amount", "operation is not supported: 'ORDER BY' search attribute Amount; runs can be ordered by StartTime, ExecutionTime or CloseTime")]
    [InlineData("GROUP BY ExecutionStatus", "operation is not supported: 'GROUP BY' clause")]
    public async Task What_can_not_be_asked_is_refused_with_its_reason(string query, string expected) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<InvalidQueryException>(() => ListAsync(query))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("ORDER BY StartTime ASC")]
    [InlineData("ORDER BY CloseTime DESC")]
    public async Task Pages_hold_every_run_once(string query)
    {
        // Several of the same time, so that it is the id that pages go on from.
        var rows = Enumerable.Range(0, 57).Select(number => TestRuns.Row($"w{number}") with { StartTime = TestRuns.Start.AddTicks(number / 9 * 10) }).ToList();
        await Task.WhenAll(rows.Select((row, number) => _store.CommitAsync(TestRuns.New(
            number % 3 == 0 ? row with { Status = WorkflowExecutionStatus.Failed, CloseTime = TestRuns.Start.AddMinutes(number % 7) } : row))));
        var found = new List<string>();
        var token = Array.Empty<byte>();
        do
        {
            var page = await _visibility.ListAsync("default", query, 10, token, Token);
            Assert.InRange(page.Executions.Count, 1, 10);
            found.AddRange(page.Executions.Select(info => info.Execution.WorkflowId));
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        Assert.Equal(57, found.Count);
        Assert.Equal(rows.Select(row => row.WorkflowId).Order(), found.Order());
        await Assert.ThrowsAsync<InvalidQueryException>(() => _visibility.ListAsync("default", query, 10, new byte[] { 1 }, Token));
    }

    [Fact]
    public async Task Counts_are_grouped_by_status()
    {
        await WriteRunsAsync();
        var counts = await _visibility.CountAsync("default", "WorkflowId != 'x' GROUP BY ExecutionStatus", Token);
        Assert.Equal(3, counts.Count);
        Assert.Equal([("\"Running\"", 2), ("\"Completed\"", 1)], counts.Groups.Select(group => (group.GroupValues[0].Data.ToStringUtf8(), (int)group.Count)));
        Assert.Equal("Keyword", counts.Groups[0].GroupValues[0].Metadata["type"].ToStringUtf8());
        await Assert.ThrowsAsync<InvalidQueryException>(() => _visibility.CountAsync("default", "GROUP BY WorkflowType", Token));
    }

    [Fact]
    public async Task Runs_are_listed_with_all_that_is_known_of_them()
    {
        await WriteRunsAsync();
        var page = await _visibility.ListAsync("default", "", 0, default, Token);
        Assert.Empty(page.NextPageToken);
        var (closed, child, root) = (page.Executions[0], page.Executions[1], page.Executions[2]);
        Assert.Equal(12, closed.HistoryLength);
        Assert.Equal(TimeSpan.FromHours(1), closed.ExecutionDuration.ToTimeSpan());
        Assert.Equal(TestRuns.Start.AddMinutes(2).AddHours(1), closed.CloseTime.ToDateTimeOffset());
        Assert.Equal(("p", "r"), (child.ParentExecution.WorkflowId, child.RootExecution.WorkflowId));
        Assert.Null(child.CloseTime);
        Assert.Equal(root.Execution, root.RootExecution);
        Assert.Equal(root.Execution.RunId, root.FirstRunId);
        Assert.Equal(("Order", "orders", WorkflowExecutionStatus.Running), (root.Type.Name, root.TaskQueue, root.Status));
        Assert.Equal("Int", root.SearchAttributes.IndexedFields["Amount"].Metadata["type"].ToStringUtf8());
        Assert.Equal("\"n\"", root.Memo.Fields["note"].Data.ToStringUtf8());
        Assert.Equal("a", await ListAsync($"RunId = '{root.Execution.RunId}'"));
        Assert.Equal("b a", await ListAsync($"RunId IN ('{root.Execution.RunId}', \"{child.Execution.RunId}\")"));
        Assert.Empty((await _visibility.ListAsync("other", "", 0, default, Token)).Executions);
    }

    private async Task<string> ListAsync(string query) =>
        string.Join(' ', (await _visibility.ListAsync("default", query, 100, default, Token)).Executions.Select(info => info.Execution.WorkflowId));

    private async Task WriteRunsAsync()
    {
        // Where times are the same the ids decide: they grow with the letters.
        var a = TestRuns.Row("a", Guid.CreateVersion7(TestRuns.Start)) with
        {
            Memo = new Memo { Fields = { ["note"] = TestRuns.Json("\"n\"") } },
            SearchAttributes = Attributes("\"ada\"", "5", "1.25", "true", "\"2026-06-01T11:00:00+01:00\"", """["red","blue"]""", "\"The quick brown fox\""),
        };
        var b = TestRuns.Row("b", Guid.CreateVersion7(TestRuns.Start.AddMinutes(1))) with
        {
            StartTime = TestRuns.Start.AddMinutes(1),
            ExecutionTime = TestRuns.Start.AddMinutes(1),
            Parent = new WorkflowExecution { WorkflowId = "p", RunId = Guid.NewGuid().ToString() },
            Root = new WorkflowExecution { WorkflowId = "r", RunId = Guid.NewGuid().ToString() },
            SearchAttributes = Attributes("\"grace\"", "7", "2", "false", "\"2026-07-01T00:00:00Z\"", """["red"]""", "\"lazy dog\""),
        };
        b.SearchAttributes.IndexedFields["BuildIds"] = TestRuns.Json("""["unversioned"]""");
        var c = TestRuns.Row("c", Guid.CreateVersion7(TestRuns.Start.AddMinutes(2))) with
        {
            StartTime = TestRuns.Start.AddMinutes(2),
            ExecutionTime = TestRuns.Start.AddMinutes(2),
            CloseTime = TestRuns.Start.AddMinutes(2).AddHours(1),
            Status = WorkflowExecutionStatus.Completed,
            HistoryLength = 12,
            HistorySizeBytes = 1000,
        };
        var own = TestRuns.Row("own", Guid.CreateVersion7(TestRuns.Start.AddMinutes(3))) with
        {
            StartTime = TestRuns.Start.AddMinutes(3),
            SearchAttributes = new SearchAttributes { IndexedFields = { ["TemporalNamespaceDivision"] = TestRuns.Json("\"own\"") } },
        };
        foreach (var row in new[] { a, b, c, own })
        {
            _registry.Validate("default", row.SearchAttributes);
            await _store.CommitAsync(TestRuns.New(row));
        }
    }

    private static SearchAttributes Attributes(string customer, string amount, string weight, string paid, string due, string tags, string note) => new()
    {
        IndexedFields =
        {
            ["Customer"] = TestRuns.Json(customer),
            ["Amount"] = TestRuns.Json(amount),
            ["Weight"] = TestRuns.Json(weight),
            ["Paid"] = TestRuns.Json(paid),
            ["Due"] = TestRuns.Json(due),
            ["Tags"] = TestRuns.Json(tags),
            ["Note"] = TestRuns.Json(note),
        },
    };
}
