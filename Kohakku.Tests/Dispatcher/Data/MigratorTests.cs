using Kohakku.Dispatcher.Data;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Dispatcher.Data;

public sealed class MigratorTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlConnection connection = null!;

    public async ValueTask InitializeAsync()
    {
        connection = new NpgsqlConnection(await postgres.CreateDatabaseAsync());
        await connection.OpenAsync();
        await Migrator.MigrateAsync(connection, default);
    }

    public ValueTask DisposeAsync() => connection.DisposeAsync();

    [Fact]
    public async Task Migrating_twice_changes_nothing() => Assert.Equal((0, Migrator.Newest), await Migrator.MigrateAsync(connection, default));

    [Fact]
    public async Task A_newer_programs_database_serves_unless_its_floor_is_above()
    {
        var newer = Migrator.Newest + 2;
        await ExecuteAsync($"INSERT INTO schema_version (version) VALUES ({newer}); INSERT INTO schema_floor (version) VALUES ({Migrator.Newest})");
        Assert.Equal((0, newer), await Migrator.MigrateAsync(connection, default));
        await ExecuteAsync($"UPDATE schema_floor SET version = {newer}");
        var refusal = await Assert.ThrowsAsync<ConfigurationException>(() => Migrator.MigrateAsync(connection, default));
        Assert.Contains($"at version {newer}, this program knows {Migrator.Newest}", refusal.Message, StringComparison.Ordinal);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
