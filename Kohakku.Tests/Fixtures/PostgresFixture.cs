using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
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
    private string? _folder;
    private string? _adminConnectionString;

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
        if (_folder is not null)
        {
            await RunAsync("pg_ctl", ["-D", $"{_folder}/data", "-m", "immediate", "-w", "stop"], CancellationToken.None);
            Directory.Delete(_folder, recursive: true);
        }

        _starting.Dispose();
    }

    private async Task<string> StartAsync(CancellationToken cancellationToken)
    {
        await _starting.WaitAsync(cancellationToken);
        try
        {
            if (_adminConnectionString is not null) return _adminConnectionString;
            Requirement.Program("initdb", nameof(PostgresFixture));
            var folder = Directory.CreateTempSubdirectory("kohakku-pg-").FullName;
            _folder = folder;
            // The server refuses root: its user must be able to enter the folder.
            if (Environment.IsPrivilegedProcess) await ExecuteAsync("chown", ["postgres", folder], cancellationToken);
            await RunAsync("initdb", ["-D", $"{folder}/data", "-U", "kohakku", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"], cancellationToken);
            var port = Ports.Next();
            await RunAsync(
                "pg_ctl",
                ["-D", $"{folder}/data", "-l", $"{folder}/log", "-w", "-t", "60", "-o", $"-p {port} -h 127.0.0.1 -k {folder} -c max_connections=200", "start"],
                cancellationToken);
            return _adminConnectionString = $"Host=127.0.0.1;Port={port};Username=kohakku;Database=postgres;Pooling=false";
        }
        finally
        {
            _starting.Release();
        }
    }

    private static Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var path = Requirement.Find(program) ?? throw new InvalidOperationException($"{program} is not installed.");
        return Environment.IsPrivilegedProcess
            ? ExecuteAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", path, .. arguments], cancellationToken)
            : ExecuteAsync(path, arguments, cancellationToken);
    }

    private static async Task ExecuteAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        // The server keeps what it inherits open, so its output goes nowhere rather than into a pipe that never ends.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null", "sh", program, .. arguments])
        {
            RedirectStandardError = false,
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
