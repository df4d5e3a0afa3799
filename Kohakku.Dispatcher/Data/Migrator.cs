using System.Globalization;
using System.Reflection;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>
/// Brings the database to this program's version: the embedded <c>Data/Migrations/NNNN_name.sql</c>, each once and in order, all in
/// one transaction. Who calls it holds the instance's lock. A newer program's database is left as it is, and serves this program too unless it stands below
/// the floor: the version that a program must at least know, which scripts that take away or change something raise
/// (<c>INSERT INTO schema_floor (version) VALUES (7) ON CONFLICT (only_row) DO UPDATE SET version = excluded.version</c>).
/// </summary>
internal static class Migrator
{
    private const string Folder = "Kohakku.Dispatcher.Data.Migrations.";

    // No row: nothing was ever taken away.
    private const string Tables =
        """
        CREATE TABLE IF NOT EXISTS schema_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
        CREATE TABLE IF NOT EXISTS schema_floor (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), version int NOT NULL)
        """;

    private static readonly List<(int Version, string Sql)> Migrations = Read();

    /// <summary>The version that this program brings a database to.</summary>
    public static int Newest => Migrations[^1].Version;

    /// <returns>How many were applied, and the database's version.</returns>
    /// <exception cref="ConfigurationException">The database is of a newer program, and this one below its floor.</exception>
    public static async Task<(int Applied, int Version)> MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, Tables, cancellationToken);
        var version = await IntegerAsync(connection, "SELECT coalesce(max(version), 0) FROM schema_version", cancellationToken);
        if (version > Newest && await IntegerAsync(connection, "SELECT coalesce(max(version), 0) FROM schema_floor", cancellationToken) > Newest)
            throw new ConfigurationException($"The dispatcher's database is at version {version}, this program knows {Newest}: start the newer program.");
        var missing = Migrations.Where(migration => migration.Version > version).ToList();
        foreach (var migration in missing)
        {
            await ExecuteAsync(connection, migration.Sql, cancellationToken);
            await using var done = new NpgsqlCommand("INSERT INTO schema_version (version) VALUES ($1)", connection) { Parameters = { new() { Value = migration.Version } } };
            await done.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return (missing.Count, Math.Max(version, Newest));
    }

    private static async Task<int> IntegerAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static List<(int Version, string Sql)> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return (int.Parse(name.AsSpan(Folder.Length, 4), CultureInfo.InvariantCulture), reader.ReadToEnd());
            })];
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
