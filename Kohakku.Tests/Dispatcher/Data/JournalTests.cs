using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Data;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kohakku.Tests.Dispatcher.Data;

public sealed class JournalTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource database = null!;
    private Journal journal = null!;

    public async ValueTask InitializeAsync()
    {
        database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await using var connection = await database.OpenConnectionAsync();
        await Migrator.MigrateAsync(connection, default);
        journal = new Journal(database, TimeProvider.System, NullLogger<Journal>.Instance);
        journal.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await journal.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task What_is_awaited_is_there_and_commits_are_told_in_the_order_of_the_writes()
    {
        var id = Guid.CreateVersion7();
        var committed = new List<int>();
        await journal.Write(new JournalEntry { Claimed = [Claimed(id)] });
        await Task.WhenAll(Enumerable.Range(1, 500).Select(i => journal.Write(new JournalEntry
        {
            Events = [Event(id, i)], Progress = [new ProgressRow(id, "running", $"run {i}")], Committed = () => committed.Add(i),
        })));
        Assert.Equal(Enumerable.Range(1, 500), committed);
        var attempt = Assert.Single(await new StoredAttempts(database).LoadAsync(default));
        Assert.Equal((500, 0, "run 500"), ((int)attempt.LastSequence, (int)attempt.AcknowledgedSequence, attempt.Progress.RuntimeId));
    }

    [Fact]
    public async Task Acknowledged_events_go_and_the_sequence_stays()
    {
        var id = Guid.CreateVersion7();
        await journal.Write(new JournalEntry { Claimed = [Claimed(id)], Events = [Event(id, 1), Event(id, 2), Event(id, 3)] });
        await journal.Write(new JournalEntry { Acknowledged = [(id, 2)] });
        var stored = new StoredAttempts(database);
        Assert.Equal([3L], (await stored.LoadEventsAsync(id, 0, 10, default)).Select(each => each.Sequence));
        await journal.Write(new JournalEntry { Acknowledged = [(id, 3)] });
        Assert.Equal((3L, 3L), (await stored.LoadAsync(default)).Select(each => (each.AcknowledgedSequence, each.LastSequence)).Single());
        await journal.Write(new JournalEntry { Forgotten = [id] });
        Assert.Empty(await stored.LoadAsync(default));
    }

    [Fact]
    public async Task Broken_connections_lose_nothing()
    {
        var id = Guid.CreateVersion7();
        await journal.Write(new JournalEntry { Claimed = [Claimed(id)] });
        var writes = new List<Task>();
        for (var i = 1; i <= 200; i++)
        {
            writes.Add(journal.Write(new JournalEntry { Events = [Event(id, i)] }));
            if (i % 50 != 0) continue;
            await using var kill = database.CreateCommand(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
            await kill.ExecuteNonQueryAsync();
        }
        await Task.WhenAll(writes);
        var events = await new StoredAttempts(database).LoadEventsAsync(id, 0, 1000, default);
        Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), events.Select(each => each.Sequence));
    }

    [Fact]
    public async Task An_entry_the_database_refuses_fails_alone()
    {
        var id = Guid.CreateVersion7();
        await journal.Write(new JournalEntry { Claimed = [Claimed(id)] });
        var good = journal.Write(new JournalEntry { Events = [Event(id, 1)] });
        var bad = journal.Write(new JournalEntry { Progress = [new ProgressRow(id, "zero \0 byte")] });
        var alsoGood = journal.Write(new JournalEntry { Events = [Event(id, 2)] });
        await good;
        await alsoGood;
        await Assert.ThrowsAsync<PostgresException>(() => bad);
        Assert.Equal(2, (await new StoredAttempts(database).LoadEventsAsync(id, 0, 10, default)).Count);
    }

    [Fact]
    public async Task One_process_at_a_time_holds_the_database()
    {
        await using var first = new InstanceLock(database, TimeProvider.System, NullLogger<InstanceLock>.Instance);
        await first.AcquireAsync(TimeSpan.Zero, default);
        await using var second = new InstanceLock(database, TimeProvider.System, NullLogger<InstanceLock>.Instance);
        await Assert.ThrowsAsync<InstanceLockedException>(() => second.AcquireAsync(TimeSpan.Zero, default));
        var waiting = second.AcquireAsync(TimeSpan.FromSeconds(30), default);
        await first.DisposeAsync();
        await waiting;
    }

    private static ClaimedRow Claimed(Guid id) => new(id, Guid.CreateVersion7(), new byte[32], "{}", null, TimeProvider.System.GetUtcNow());

    private static AttemptEvent Event(Guid id, long sequence) => new(id, sequence, TimeProvider.System.GetUtcNow(), "progress", null);
}
