using Kohakku.Local.Temporal.Storage;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Local.Temporal.Storage;

/// <summary>The database goes away under load and comes back; callers only notice that it took longer.</summary>
public sealed class OutageTests
{
    private const int Runs = 40;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_restart_of_the_database_loses_and_doubles_nothing()
    {
        await using var server = await PostgresServer.StartNewAsync(Token);
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = true }.ConnectionString);
        await using var store = await TestRuns.OpenAsync(database);
        using var stop = new CancellationTokenSource();
        var committed = new int[Runs];
        var runIds = Enumerable.Range(0, Runs).Select(_ => Guid.NewGuid()).ToArray();
        var callers = Enumerable.Range(0, Runs).Select(index => Task.Run(
            async () =>
            {
                for (var number = 1; !stop.IsCancellationRequested; number++)
                {
                    // A history that were written twice would be refused, one that was lost would leave a gap.
                    var row = TestRuns.Row($"order-{index}", runIds[index]) with { HistoryLength = number };
                    await store.CommitAsync(new Change { Runs = [new RunWrite { Row = row, IsNew = number == 1, History = [TestRuns.History(number, 1)] }] });
                    committed[index] = number;
                }
            },
            Token)).ToArray();
        for (var outage = 0; outage < 3; outage++)
        {
            await ProgressAsync(committed);
            await (outage == 1 ? server.StopAsync(Token) : server.KillAsync(Token));
            var reading = store.LoadAsync("default", runIds[0], Token);
            await server.StartAsync(Token);
            Assert.NotNull(await reading);
        }
        await ProgressAsync(committed);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        for (var index = 0; index < Runs; index++)
        {
            var events = await store.ReadHistoryAsync(runIds[index], 1, long.MaxValue, int.MaxValue, Token);
            Assert.Equal(Enumerable.Range(1, committed[index]).Select(id => (long)id), events.Select(e => e.EventId));
            Assert.Equal(committed[index], (await store.LoadAsync("default", runIds[index], Token))!.Row.HistoryLength);
        }
    }

    [Fact]
    public async Task A_session_that_is_ended_again_and_again_loses_and_doubles_nothing()
    {
        await using var server = await PostgresServer.StartNewAsync(Token);
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = true }.ConnectionString);
        await using var store = await TestRuns.OpenAsync(database);
        var row = TestRuns.Row();
        var commits = new List<Task>();
        for (var number = 1; number <= 400; number++)
        {
            commits.Add(store.CommitAsync(new Change { Runs = [new RunWrite { Row = row with { HistoryLength = number }, IsNew = number == 1, History = [TestRuns.History(number, 1)] }] }));
            if (number % 20 != 0) continue;
            await using var connection = new NpgsqlConnection(server.ConnectionString);
            await connection.OpenAsync(Token);
            await using var end = new NpgsqlCommand("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'", connection);
            await end.ExecuteNonQueryAsync(Token);
        }
        await Task.WhenAll(commits);
        Assert.Equal(400, (await store.ReadHistoryAsync(row.RunId, 1, 1000, 1000, Token)).Count);
        Assert.Equal(400, (await store.LoadAsync("default", row.RunId, Token))!.Row.HistoryLength);
        Assert.False(store.Superseded.IsCompleted);
    }

    private static async Task ProgressAsync(int[] committed)
    {
        var before = committed.ToArray();
        await Eventually.Async(() => committed.Zip(before).All(pair => pair.First > pair.Second + 5));
    }
}
