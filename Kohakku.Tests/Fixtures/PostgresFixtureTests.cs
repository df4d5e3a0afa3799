using Npgsql;

namespace Kohakku.Tests.Fixtures;

public sealed class PostgresFixtureTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_server_is_durable_as_in_production()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var connection = new NpgsqlConnection(await postgres.CreateDatabaseAsync(cancellationToken));
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT current_setting('fsync') || current_setting('synchronous_commit')", connection);
        Assert.Equal("onon", await command.ExecuteScalarAsync(cancellationToken));
    }
}
