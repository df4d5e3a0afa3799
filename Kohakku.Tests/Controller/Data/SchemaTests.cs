using Kohakku.Tests.Fixtures;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Tests.Controller.Data;

public sealed class SchemaTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Cancel));

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task The_migrations_make_the_model_that_the_code_has()
    {
        await ControllerDatabases.Schema(_database).ApplyAsync(Cancel);
        await using var model = await ControllerDatabases.Of(_database).CreateDbContextAsync(Cancel);
        Assert.False(model.Database.HasPendingModelChanges(), "The model has changed: dotnet ef migrations add <Name> --project Kohakku.Controller -o Data/Migrations");
    }

    [Fact]
    public async Task Controllers_that_start_at_once_on_an_empty_database_all_find_it_ready()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            await ControllerDatabases.Schema(_database).ApplyAsync(Cancel);
            Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM tasks"));
        })));
        await using var model = await ControllerDatabases.Of(_database).CreateDbContextAsync(Cancel);
        Assert.Equal((long)model.Database.GetMigrations().Count(), await ScalarAsync("""SELECT count(*) FROM "__EFMigrationsHistory" """));
        Assert.Equal(0L, await ScalarAsync("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    private async Task<long> ScalarAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
