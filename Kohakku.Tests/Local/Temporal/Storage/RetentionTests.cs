using Kohakku.Local.Temporal.Storage;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Namespace.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Tests.Local.Temporal.Storage;

public sealed class RetentionTests(PostgresFixture postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_closed_before_the_retention_are_deleted_and_no_others()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await using var store = await TestRuns.OpenAsync(database);
        var old = Enumerable.Range(0, 250).Select(number => Closed($"old-{number}", TestRuns.Start)).ToList();
        var recent = Closed("recent", TestRuns.Start.AddDays(2));
        var open = TestRuns.Row("open");
        await Task.WhenAll(old.Append(recent).Append(open).Select(row => store.CommitAsync(
            new Change { Runs = [new RunWrite { Row = row, IsNew = true, History = [TestRuns.History(1, 1)] }] })));
        var time = new FakeTimeProvider(TestRuns.Start.AddDays(8));
        using var retention = new Retention(store, Options.Create(new RetentionOptions()), time, NullLogger<Retention>.Instance);
        Assert.Equal(250, await retention.RunOnceAsync(Token));
        Assert.Equal(0, await retention.RunOnceAsync(Token));
        Assert.Null(await store.LoadAsync("default", old[0].RunId, Token));
        Assert.Null(await store.CurrentRunAsync("default", "old-249", Token));
        Assert.Empty(await store.ReadHistoryAsync(old[0].RunId, 1, 10, 10, Token));
        Assert.NotNull(await store.LoadAsync("default", recent.RunId, Token));
        Assert.Single(await store.ReadHistoryAsync(recent.RunId, 1, 10, 10, Token));
        Assert.Equal(open.RunId, await store.CurrentRunAsync("default", "open", Token));
    }

    [Fact]
    public async Task Namespaces_are_kept_and_their_names_are_unique()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await using var store = await TestRuns.OpenAsync(database);
        var namespaces = new NamespaceStore(database, TimeProvider.System);
        await namespaces.LoadAsync(Token);
        var row = Namespace("default", "first");
        Assert.True(await namespaces.AddAsync(row, Token));
        Assert.False(await namespaces.AddAsync(Namespace("default", "other"), Token));
        Assert.True(await namespaces.UpdateAsync(row with { Description = Namespace("default", "changed").Description }, Token));
        Assert.False(await namespaces.UpdateAsync(Namespace("missing", ""), Token));

        var again = new NamespaceStore(database, TimeProvider.System);
        await again.LoadAsync(Token);
        Assert.Equal("changed", again.Find("default")!.Description.NamespaceInfo.Description);
        Assert.Equal("default", again.Find(row.Id)!.Name);
        Assert.Single(again.All);
        Assert.Null(again.Find("missing"));
    }

    private static RunRow Closed(string workflowId, DateTimeOffset closed) =>
        TestRuns.Row(workflowId) with { Status = WorkflowExecutionStatus.Completed, CloseTime = closed };

    private static NamespaceRow Namespace(string name, string description) =>
        new(Guid.NewGuid(), name, new DescribeNamespaceResponse { NamespaceInfo = new NamespaceInfo { Name = name, Description = description } });
}
