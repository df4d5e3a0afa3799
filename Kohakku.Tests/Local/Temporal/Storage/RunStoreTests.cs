using Kohakku.Local.Temporal.Storage;
using Kohakku.Tests.Fixtures;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Tests.Local.Temporal.Storage;

public sealed class RunStoreTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;
    private RunStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        _store = await TestRuns.OpenAsync(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_run_is_loaded_as_it_was_written()
    {
        var row = TestRuns.Row() with
        {
            Status = WorkflowExecutionStatus.Completed,
            CloseTime = TestRuns.Start.AddMinutes(1),
            ExecutionTime = TestRuns.Start.AddSeconds(5),
            HistoryLength = 11,
            HistorySizeBytes = 1234,
            Parent = new WorkflowExecution { WorkflowId = "parent", RunId = Guid.NewGuid().ToString() },
            Root = new WorkflowExecution { WorkflowId = "root", RunId = Guid.NewGuid().ToString() },
            Memo = new Memo { Fields = { ["note"] = TestRuns.Json("\"x\"") } },
            SearchAttributes = new SearchAttributes { IndexedFields = { ["Customer"] = TestRuns.Json("\"ada\"", "Keyword") } },
        };
        await _store.CommitAsync(TestRuns.New(row, new PartWrite(1, "a", new byte[] { 7 }), new PartWrite(2, "a", Array.Empty<byte>())));
        var stored = await _store.LoadAsync("default", row.RunId, Token);
        Assert.Equal(row with { State = default }, stored!.Row with { State = default });
        Assert.Equal(row.State.ToArray(), stored.Row.State.ToArray());
        Assert.Equal([(1, "a", "07"), (2, "a", "")], stored.Parts.OrderBy(part => part.Kind).Select(part => ((int)part.Kind, part.Key, Convert.ToHexString(part.Data!.Value.Span))));
        Assert.Null(await _store.LoadAsync("other", row.RunId, Token));
        Assert.Null(await _store.LoadAsync("default", Guid.NewGuid(), Token));
        Assert.Equal(row.RunId, await _store.CurrentRunAsync("default", "order-1", Token));
        Assert.Null(await _store.CurrentRunAsync("other", "order-1", Token));
    }

    [Fact]
    public async Task Of_writes_in_one_group_the_last_one_holds()
    {
        var first = TestRuns.Row();
        var second = TestRuns.Row();
        var commits = new List<Task>
        {
            _store.CommitAsync(TestRuns.New(first, new PartWrite(1, "kept", new byte[] { 1 }), new PartWrite(1, "gone", new byte[] { 1 }))),
        };
        for (byte number = 2; number < 200; number++)
            commits.Add(_store.CommitAsync(TestRuns.Update(first with { State = new[] { number } }, new PartWrite(1, "kept", new[] { number }))));
        commits.Add(_store.CommitAsync(TestRuns.Update(first with { State = new byte[] { 200 } }, new PartWrite(1, "gone", null))));
        commits.Add(_store.CommitAsync(TestRuns.New(second)));
        await Task.WhenAll(commits);
        var stored = await _store.LoadAsync("default", first.RunId, Token);
        Assert.Equal([200], stored!.Row.State.ToArray());
        Assert.Equal([199], Assert.Single(stored.Parts).Data!.Value.ToArray());
        Assert.Equal(second.RunId, await _store.CurrentRunAsync("default", "order-1", Token));
    }

    [Fact]
    public async Task Thousands_of_changes_at_once_are_all_written()
    {
        var rows = Enumerable.Range(0, 50).Select(number => TestRuns.Row($"order-{number}")).ToList();
        await Task.WhenAll(rows.Select(row => _store.CommitAsync(TestRuns.New(row))));
        await Task.WhenAll(rows.SelectMany(row => Enumerable.Range(0, 60).Select(number => _store.CommitAsync(new Change
        {
            Runs = [new RunWrite { Row = row with { HistoryLength = number + 1 }, History = [TestRuns.History(number + 1, 1)], Parts = [new PartWrite(1, $"{number}", new byte[] { 1 })] }],
        }))));
        foreach (var row in rows)
        {
            var stored = await _store.LoadAsync("default", row.RunId, Token);
            Assert.Equal(60, stored!.Row.HistoryLength);
            Assert.Equal(60, stored.Parts.Count);
            Assert.Equal(Enumerable.Range(1, 60).Select(id => (long)id), (await _store.ReadHistoryAsync(row.RunId, 1, long.MaxValue, 1000, Token)).Select(e => e.EventId));
        }
    }

    [Fact]
    public async Task A_change_that_the_database_refuses_fails_alone_and_is_not_written()
    {
        var row = TestRuns.Row();
        await _store.CommitAsync(new Change { Runs = [new RunWrite { Row = row, IsNew = true, History = [TestRuns.History(1, 3)] }] });
        // Its history is there already.
        var refused = TestRuns.Row("refused");
        var good = Enumerable.Range(0, 20).Select(number => TestRuns.Row($"good-{number}")).ToList();
        var before = good.Take(10).Select(each => _store.CommitAsync(TestRuns.New(each))).ToList();
        var fails = _store.CommitAsync(new Change { Runs = [new RunWrite { Row = row, History = [TestRuns.History(1, 3)] }, new RunWrite { Row = refused, IsNew = true }] });
        var after = good.Skip(10).Select(each => _store.CommitAsync(TestRuns.New(each))).ToList();
        Assert.Equal(PostgresErrorCodes.UniqueViolation, (await Assert.ThrowsAsync<PostgresException>(() => fails)).SqlState);
        await Task.WhenAll([.. before, .. after]);
        foreach (var each in good) Assert.NotNull(await _store.LoadAsync("default", each.RunId, Token));
        Assert.Null(await _store.LoadAsync("default", refused.RunId, Token));
        // What can't even be sent does no harm either.
        await Assert.ThrowsAnyAsync<Exception>(() => _store.CommitAsync(TestRuns.New(TestRuns.Row("\ud800"))));
        await Assert.ThrowsAsync<PostgresException>(() => _store.CommitAsync(TestRuns.New(TestRuns.Row("\0"))));
        await _store.CommitAsync(TestRuns.New(TestRuns.Row("again")));
    }

    [Fact]
    public async Task What_is_not_the_first_run_of_its_id_is_refused_and_what_is_written_with_it_is_not()
    {
        var taken = TestRuns.Row("taken");
        await _store.CommitAsync(First(taken));
        var good = Enumerable.Range(0, 20).Select(number => TestRuns.Row($"good-{number}")).ToList();
        var before = good.Take(10).Select(each => _store.CommitAsync(First(each))).ToList();
        var late = TestRuns.Row("taken");
        var fails = _store.CommitAsync(First(late));
        var after = good.Skip(10).Select(each => _store.CommitAsync(First(each))).ToList();
        await Assert.ThrowsAsync<WorkflowIdInUseException>(() => fails);
        await Task.WhenAll([.. before, .. after]);
        foreach (var each in good) Assert.Equal(each.RunId, await _store.CurrentRunAsync("default", each.WorkflowId, Token));
        Assert.Null(await _store.LoadAsync("default", late.RunId, Token));
        Assert.Equal(taken.RunId, await _store.CurrentRunAsync("default", "taken", Token));
        // In another namespace the id is free; and what follows the run is refused nowhere.
        await _store.CommitAsync(First(TestRuns.Row("taken") with { Namespace = "other" }));
        await _store.CommitAsync(TestRuns.New(late));
        Assert.Equal(late.RunId, await _store.CurrentRunAsync("default", "taken", Token));

        static Change First(RunRow row) => new() { Runs = [new RunWrite { Row = row, IsNew = true, IsFirst = true }] };
    }

    [Theory]
    [InlineData(1, 100, 1000, 1, 12)]
    [InlineData(4, 4, 1000, 4, 4)]
    [InlineData(2, 11, 3, 2, 4)]
    [InlineData(6, 12, 1000, 6, 12)]
    [InlineData(12, long.MaxValue, int.MaxValue, 12, 12)]
    public async Task History_is_read_by_event_ids(long first, long last, int limit, long expectedFirst, long expectedLast)
    {
        var row = TestRuns.Row();
        await _store.CommitAsync(new Change { Runs = [new RunWrite { Row = row, IsNew = true, History = [TestRuns.History(1, 3), TestRuns.History(4, 1)] }] });
        await _store.CommitAsync(new Change { Runs = [new RunWrite { Row = row, History = [TestRuns.History(5, 7), TestRuns.History(12, 1)] }] });
        var events = await _store.ReadHistoryAsync(row.RunId, first, last, limit, Token);
        Assert.Equal(expectedFirst, events[0].EventId);
        Assert.Equal(expectedLast, events[^1].EventId);
        Assert.Equal(expectedLast - expectedFirst + 1, events.Count);
        Assert.Empty(await _store.ReadHistoryAsync(row.RunId, 13, 20, 10, Token));
    }

    [Fact]
    public async Task Open_runs_are_all_streamed_with_their_parts()
    {
        var rows = Enumerable.Range(0, 450).Select(number => TestRuns.Row($"order-{number}") with { StartTime = TestRuns.Start.AddSeconds(number / 10) }).ToList();
        await Task.WhenAll(rows.Select(row => _store.CommitAsync(TestRuns.New(row, new PartWrite(1, row.WorkflowId, new byte[] { 1 })))));
        await _store.CommitAsync(TestRuns.Update(rows[7] with { Status = WorkflowExecutionStatus.Failed, CloseTime = TestRuns.Start.AddHours(1) }));
        var found = new List<StoredRun>();
        await foreach (var run in _store.OpenRunsAsync(Token)) found.Add(run);
        Assert.Equal(rows.Where(row => row != rows[7]).Select(row => row.RunId).Order(), found.Select(run => run.Row.RunId).Order());
        Assert.All(found, run => Assert.Equal(run.Row.WorkflowId, Assert.Single(run.Parts).Key));
    }

    [Fact]
    public async Task Effects_stay_until_they_are_done_and_keep_their_order()
    {
        var effects = Enumerable.Range(0, 100).Select(number => new EffectRow(Guid.NewGuid(), new[] { (byte)number })).ToList();
        await Task.WhenAll(effects.Select(effect => _store.CommitAsync(new Change { NewEffects = [effect] })));
        // In one group or in two: what is done is gone.
        var brief = new EffectRow(Guid.NewGuid(), new byte[] { 1 });
        await Task.WhenAll(_store.CommitAsync(new Change { NewEffects = [brief] }), _store.CommitAsync(new Change { DoneEffects = [brief.Id, effects[0].Id] }));
        Assert.Equal(effects.Skip(1).Select(effect => effect.Id), (await _store.EffectsAsync(Token)).Select(effect => effect.Id));
        Assert.Equal([1], (await _store.EffectsAsync(Token))[0].Data.ToArray());
    }

    [Fact]
    public async Task A_deleted_run_leaves_nothing_and_a_later_run_stays_current()
    {
        var first = TestRuns.Row();
        var second = TestRuns.Row();
        await _store.CommitAsync(new Change { Runs = [new RunWrite { Row = first, IsNew = true, History = [TestRuns.History(1, 3)], Parts = [new PartWrite(1, "a", new byte[] { 1 })] }] });
        await _store.CommitAsync(TestRuns.New(second));
        await _store.DeleteAsync("other", first.RunId, Token);
        Assert.NotNull(await _store.LoadAsync("default", first.RunId, Token));
        await _store.DeleteAsync("default", first.RunId, Token);
        Assert.Null(await _store.LoadAsync("default", first.RunId, Token));
        Assert.Empty(await _store.ReadHistoryAsync(first.RunId, 1, 10, 10, Token));
        Assert.Equal(second.RunId, await _store.CurrentRunAsync("default", "order-1", Token));
        await _store.DeleteAsync("default", second.RunId, Token);
        Assert.Null(await _store.CurrentRunAsync("default", "order-1", Token));
    }

    [Fact]
    public async Task Another_opening_of_the_database_finds_what_was_written()
    {
        var row = TestRuns.Row();
        await _store.CommitAsync(TestRuns.New(row));
        await _store.DisposeAsync();
        await Assert.ThrowsAsync<StorageException>(() => _store.CommitAsync(TestRuns.Update(row)));
        _store = await TestRuns.OpenAsync(_database);
        Assert.NotNull(await _store.LoadAsync("default", row.RunId, Token));
        await _store.CommitAsync(TestRuns.Update(row));
    }
}
