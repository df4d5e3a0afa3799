using Kohakku.Tests.Fixtures;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Kohakku.Tests.Fixtures;

/// <summary>
/// A real PostgreSQL server of the test run's own, with durability as in production, on a free loopback port. Each test
/// (class) makes itself a database. Started on first use; gone, with its data, at the end.
/// </summary>
public sealed class PostgresFixture : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private PostgresServer? _server;

    /// <summary>Makes an empty database and answers its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken = default)
    {
        var admin = await StartAsync(cancellationToken);
        var name = $"test_{Guid.NewGuid():N}";
        await using var connection = new NpgsqlConnection(admin);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(admin) { Database = name, Pooling = true, MaxPoolSize = 20 }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _starting.Dispose();
    }

    private async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            _server ??= await PostgresServer.StartNewAsync(cancellationToken);
            return _server.ConnectionString;
        }
        finally
        {
            _starting.Release();
        }
    }
}
