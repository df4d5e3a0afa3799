using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Kohakku.Controller.Data;

/// <summary>
/// Brings the database to this release's schema by the migrations in <c>Data/Migrations</c>. Several controllers may do it at once: one does, the others wait. The
/// database of a newer release is left alone, and serves this one too where it knows the <see cref="SchemaFloor"/>.
/// </summary>
internal sealed partial class DatabaseSchema(IDbContextFactory<ControllerDb> databases, NpgsqlDataSource connections, TimeProvider time, ILogger<DatabaseSchema> logger)
{
    // Any number that no other user of the database takes: "Kohakku" in ASCII. EF's own lock is a table that the first migration has yet to make.
    private const long LockKey = 0x4b_6f_68_61_6b_6b_75;
    private static readonly TimeSpan LongestMigration = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    // Whoever comes to a table after a migration that waits for it waits as well, behind whoever holds it: so it waits this long, lets them by, and tries again.
    private const string LockPatience = "SET lock_timeout = '1s'";

    /// <summary>Whether this release has the migration, and so can work with a database that has it.</summary>
    public bool Knows(string migration)
    {
        using var database = databases.CreateDbContext();
        return database.Database.GetMigrations().Contains(migration, StringComparer.Ordinal);
    }

    /// <summary>The newest migration that the database has; null: it has none.</summary>
    public async Task<string?> NewestAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return (await database.Database.GetAppliedMigrationsAsync(cancellationToken)).LastOrDefault();
    }

    /// <exception cref="ServiceDefaults.ConfigurationException">The database is of a newer release that this one can't work with.</exception>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        // Held by its session, so that it is free again when this process dies.
        await using var session = await connections.OpenConnectionAsync(cancellationToken);
        await LockAsync(session, "SELECT pg_advisory_lock($1)", cancellationToken);
        try
        {
            var missing = await MissingAsync(session, cancellationToken);
            if (missing.Count == 0) return;
            await MigrateAsync(cancellationToken);
            LogMigrated(logger, missing.Count);
        }
        finally
        {
            await LockAsync(session, "SELECT pg_advisory_unlock($1)", CancellationToken.None);
        }
    }

    /// <summary>For a program that works on the database but leaves its schema to controllers: waits until it is there.</summary>
    /// <exception cref="ServiceDefaults.ConfigurationException">As <see cref="ApplyAsync"/>.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        var told = "";
        while (true)
        {
            string lacking;
            try
            {
                await using var session = await connections.OpenConnectionAsync(cancellationToken);
                var missing = await MissingAsync(session, cancellationToken);
                if (missing.Count == 0) return;
                lacking = $"it lacks {string.Join(", ", missing)}";
            }
            catch (NpgsqlException fault)
            {
                lacking = fault.Message;
            }
            if (lacking != told) LogWaiting(logger, lacking);
            told = lacking;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>The migrations that this release knows and the database does not have.</summary>
    private async Task<IReadOnlyList<string>> MissingAsync(NpgsqlConnection session, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var known = database.Database.GetMigrations().ToList();
        var applied = await TextsAsync(session, "\"__EFMigrationsHistory\"", "SELECT migration_id FROM \"__EFMigrationsHistory\" ORDER BY 1", cancellationToken);
        var newer = applied.Except(known, StringComparer.Ordinal).ToList();
        var missing = known.Except(applied, StringComparer.Ordinal).ToList();
        if (newer.Count == 0) return missing;
        var floor = await TextsAsync(session, "schema_floor", SchemaFloor.Read, cancellationToken);
        if (floor is not [var least] || !known.Contains(least))
            throw new ServiceDefaults.ConfigurationException($"The database was brought to {newer[^1]} by a newer release; start that release, or restore a backup made before it.");
        if (missing.Count > 0)
            throw new ServiceDefaults.ConfigurationException($"The database was brought to {newer[^1]} by a release that does not know {missing[0]}, as this one does; start a release that knows both.");
        LogNewer(logger, string.Join(", ", newer), least);
        return [];
    }

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            database.Database.SetCommandTimeout(LongestMigration);
            // Asked for what is applied, an empty database would answer with an error in the log.
            await database.GetService<IHistoryRepository>().CreateIfNotExistsAsync(cancellationToken);
            await database.Database.OpenConnectionAsync(cancellationToken);
            await database.Database.ExecuteSqlRawAsync(LockPatience, cancellationToken);
            try
            {
                await database.Database.MigrateAsync(cancellationToken);
                return;
            }
            // EF wraps what is worth another try.
            catch (Exception fault) when (fault.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable } && time.GetElapsedTime(started) < LongestMigration)
            {
                LogBusy(logger, fault.GetBaseException().Message);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private static async Task<List<string>> TextsAsync(NpgsqlConnection session, string table, string sql, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", session);
        exists.Parameters.Add(new NpgsqlParameter<string> { TypedValue = table });
        if (await exists.ExecuteScalarAsync(cancellationToken) is not true) return [];
        await using var command = new NpgsqlCommand(sql, session);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var texts = new List<string>();
        while (await rows.ReadAsync(cancellationToken)) texts.Add(rows.GetString(0));
        return texts;
    }

    private static async Task LockAsync(NpgsqlConnection session, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, session) { CommandTimeout = (int)LongestMigration.TotalSeconds };
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(2301, LogLevel.Information, "The database's schema was brought up by {Count} migrations.")]
    private static partial void LogMigrated(ILogger logger, int count);

    [LoggerMessage(2302, LogLevel.Warning, "The database is of a newer release ({Migrations}), which this one works with (it knows {Floor}). Its schema is left as it is.")]
    private static partial void LogNewer(ILogger logger, string migrations, string floor);

    [LoggerMessage(2303, LogLevel.Warning, "A migration waits for a table that is in use, and lets others by meanwhile: {Fault}")]
    private static partial void LogBusy(ILogger logger, string fault);

    [LoggerMessage(2304, LogLevel.Warning, "Waiting for the database's schema, which controllers bring up: {Lacking}")]
    private static partial void LogWaiting(ILogger logger, string lacking);
}
