using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Kohakku.Controller.Data;

/// <summary>Brings the database to this release's schema by the migrations in <c>Data/Migrations</c>. Several controllers may do it at once: one does, the others wait.</summary>
internal sealed partial class DatabaseSchema(IDbContextFactory<ControllerDb> databases, NpgsqlDataSource connections, ILogger<DatabaseSchema> logger)
{
    // Any number that no other user of the database takes: "Kohakku" in ASCII. EF's own lock is a table that the first migration has yet to make.
    private const long LockKey = 0x4b_6f_68_61_6b_6b_75;
    private static readonly TimeSpan LongestMigration = TimeSpan.FromMinutes(10);

    /// <summary>Whether this release has the migration, and so can work with a database that has it.</summary>
    public bool Knows(string migration)
    {
        using var database = databases.CreateDbContext();
        return database.Database.GetMigrations().Contains(migration, StringComparer.Ordinal);
    }

    /// <exception cref="ServiceDefaults.ConfigurationException">The database is of a newer release.</exception>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        // Held by its session, so that it is free again when this process dies.
        await using var session = await connections.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(session, "SELECT pg_advisory_lock($1)", cancellationToken);
        try
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            // Asked for what is applied, an empty database would answer with an error in the log.
            await database.GetService<IHistoryRepository>().CreateIfNotExistsAsync(cancellationToken);
            var known = database.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
            var applied = (await database.Database.GetAppliedMigrationsAsync(cancellationToken)).ToHashSet(StringComparer.Ordinal);
            if (applied.FirstOrDefault(migration => !known.Contains(migration)) is { } newer)
                throw new ServiceDefaults.ConfigurationException($"The database was brought to {newer} by a newer release; start that release, or restore a backup made before it.");
            if (applied.Count == known.Count) return;
            database.Database.SetCommandTimeout(LongestMigration);
            await database.Database.MigrateAsync(cancellationToken);
            LogMigrated(logger, known.Count - applied.Count);
        }
        finally
        {
            await ExecuteAsync(session, "SELECT pg_advisory_unlock($1)", CancellationToken.None);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session) { CommandTimeout = (int)LongestMigration.TotalSeconds };
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(2301, LogLevel.Information, "The database's schema was brought up by {Count} migrations.")]
    private static partial void LogMigrated(ILogger logger, int count);
}
