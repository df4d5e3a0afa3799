using System.Globalization;
using System.Reflection;
using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>
/// Brings the database to this program's version: the embedded <c>Data/Migrations/NNNN_name.sql</c>, each once and in order, all in
/// one transaction. Who calls it holds the instance's lock.
/// </summary>
internal static class Migrator
{
    private const string Folder = "Kohakku.Dispatcher.Data.Migrations.";

    /// <returns>How many were applied.</returns>
    /// <exception cref="InvalidOperationException">The database is of a newer program.</exception>
    public static async Task<int> MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var migrations = Read();
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(connection, "CREATE TABLE IF NOT EXISTS schema_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())", cancellationToken);
        await using var current = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM schema_version", connection);
        var version = (int)(await current.ExecuteScalarAsync(cancellationToken))!;
        if (version > migrations[^1].Version)
            throw new InvalidOperationException($"The dispatcher's database is at version {version}, this program knows {migrations[^1].Version}: start the newer program.");
        var missing = migrations.Where(migration => migration.Version > version).ToList();
        foreach (var migration in missing)
        {
            await ExecuteAsync(connection, migration.Sql, cancellationToken);
            await using var done = new NpgsqlCommand("INSERT INTO schema_version (version) VALUES ($1)", connection) { Parameters = { new() { Value = migration.Version } } };
            await done.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return missing.Count;
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
