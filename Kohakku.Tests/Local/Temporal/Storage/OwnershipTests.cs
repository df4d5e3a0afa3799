using Kohakku.Local.Temporal.Storage;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Local.Temporal.Storage;

public sealed class OwnershipTests(PostgresFixture postgres)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_server_is_refused_while_the_first_lives()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await using var first = await TestRuns.OpenAsync(database);
        await using var second = TestRuns.Store(database);
        var refused = await Assert.ThrowsAsync<StorageException>(() => second.OpenAsync(Token));
        Assert.Equal("another server owns this database", refused.Message);
        await first.CommitAsync(TestRuns.New(TestRuns.Row()));
    }

    [Fact]
    public async Task A_second_server_waits_for_the_first_ones_end()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        var first = await TestRuns.OpenAsync(database);
        await using var second = TestRuns.Store(database);
        var opening = second.OpenAsync(Token);
        await first.DisposeAsync();
        await opening;
        await second.CommitAsync(TestRuns.New(TestRuns.Row()));
    }

    [Fact]
    public async Task Who_lost_the_database_to_another_writes_nothing_more()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await using var first = await TestRuns.OpenAsync(database);
        var row = TestRuns.Row();
        await first.CommitAsync(TestRuns.New(row));
        // Its session ends without its knowing, as by a fault of the network; the other takes over.
        await ExecuteAsync(database, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())");
        await using var second = await TestRuns.OpenAsync(database);
        await Assert.ThrowsAsync<SupersededException>(() => first.CommitAsync(TestRuns.Update(row with { State = new byte[] { 9 } })));
        await first.Superseded;
        await Assert.ThrowsAsync<SupersededException>(() => first.CommitAsync(TestRuns.Update(row)));
        await Assert.ThrowsAsync<SupersededException>(() => first.DeleteAsync("default", row.RunId, Token));
        Assert.Equal([1, 2, 3], (await second.LoadAsync("default", row.RunId, Token))!.Row.State.ToArray());
        await second.CommitAsync(TestRuns.Update(row with { State = new byte[] { 4 } }));
    }

    [Fact]
    public async Task A_group_that_is_sent_after_the_takeover_is_fenced()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await using var first = await TestRuns.OpenAsync(database);
        // The lock is still the first one's: only the epoch tells.
        await ExecuteAsync(database, "update owner set epoch = epoch + 1");
        await Assert.ThrowsAsync<SupersededException>(() => first.CommitAsync(TestRuns.New(TestRuns.Row())));
        await first.Superseded;
        await ExecuteAsync(database, "do $$ begin assert (select count(*) from run) = 0; end $$");
    }

    [Fact]
    public async Task A_database_of_a_newer_release_serves_unless_its_floor_is_above()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await (await TestRuns.OpenAsync(database)).DisposeAsync();
        await ExecuteAsync(database, "insert into schema_version values (900)");
        await (await TestRuns.OpenAsync(database)).DisposeAsync();
        await ExecuteAsync(database, "insert into schema_floor (version) values (900)");
        await using var store = TestRuns.Store(database);
        var refused = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(Token));
        Assert.Contains("version 900", refused.Message, StringComparison.Ordinal);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}
