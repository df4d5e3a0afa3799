using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>Brings the database to this release's schema by the scripts in <c>Schema/</c>, each once and in the order of their numbers.</summary>
internal static class Schema
{
    private const string Prefix = "temporal/";
    private static readonly TimeSpan LongestScript = TimeSpan.FromMinutes(10);

    /// <summary>Called by the owner of the database alone.</summary>
    /// <exception cref="StorageException">The database is of a newer release.</exception>
    public static async Task ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, "create table if not exists schema_version (version integer primary key)", cancellationToken);
        var applied = await VersionAsync(connection, cancellationToken);
        var scripts = Scripts();
        if (applied > scripts[^1].Version)
            throw new StorageException($"the database has schema version {applied}, newer than this server's {scripts[^1].Version}");
        foreach (var (version, resource) in scripts.Where(script => script.Version > applied))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, await ReadAsync(resource, cancellationToken), cancellationToken);
            await ExecuteAsync(connection, $"insert into schema_version values ({version})", cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
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

    private static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select coalesce(max(version), 0) from schema_version", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = (int)LongestScript.TotalSeconds };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
