using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// Brings the database to this release's schema by the scripts in <c>Schema/</c>, each once and in the order of their numbers. A newer server's database is left
/// as it is, and serves this one too unless it stands below the floor: the version that a server must at least know, which scripts that take away or
/// change something, be it only what is in the bytes of a column, raise
/// (<c>insert into schema_floor (version) values (7) on conflict (only_row) do update set version = excluded.version</c>).
/// </summary>
internal static class Schema
{
    private const string Prefix = "temporal/";
    private static readonly TimeSpan LongestScript = TimeSpan.FromMinutes(10);

    // No row: nothing was ever taken away.
    private const string Tables =
        """
        create table if not exists schema_version (version integer primary key);
        create table if not exists schema_floor (only_row boolean primary key default true check (only_row), version integer not null)
        """;

    /// <summary>Called by the owner of the database alone.</summary>
    /// <returns>The version that the database has, and the one that this server knows.</returns>
    /// <exception cref="StorageException">The database is of a newer release, and this server below its floor.</exception>
    public static async Task<(int Database, int Known)> ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, Tables, cancellationToken);
        var applied = await VersionAsync(connection, "schema_version", cancellationToken);
        var scripts = Scripts();
        var known = scripts[^1].Version;
        if (applied > known && await VersionAsync(connection, "schema_floor", cancellationToken) > known)
            throw new StorageException($"the database has schema version {applied}, newer than this server's {known}");
        foreach (var (version, resource) in scripts.Where(script => script.Version > applied))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, await ReadAsync(resource, cancellationToken), cancellationToken);
            await ExecuteAsync(connection, $"insert into schema_version values ({version})", cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        return (Math.Max(applied, known), known);
    }

    private static List<(int Version, string Resource)> Scripts() =>
        [.. typeof(Schema).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name => (int.Parse(name.AsSpan(Prefix.Length, 3), provider: null), name))
            .Order()];

    private static async Task<string> ReadAsync(string resource, CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(typeof(Schema).Assembly.GetManifestResourceStream(resource)!);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    private static async Task<int> VersionAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select coalesce(max(version), 0) from {table}", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)LongestScript.TotalSeconds };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
