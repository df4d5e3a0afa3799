using System.Reflection;
using System.Security.Cryptography;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Workflows.Inbox;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Backup;

/// <summary>
/// Makes a backup while everything runs, and restores one into an empty installation. First the database, in one snapshot, then the objects: all that the
/// snapshot speaks of is among them, but for what retention takes away in between. Restored in the other order.
/// </summary>
internal sealed class BackupRun(
    PostgresPrograms programs, ObjectCopies objects, NpgsqlDataSource database, DatabaseSchema schema, Reconciliation reconciliation, ControllerOptions options, TimeProvider time)
{
    private const string NewestMigration = """SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY 1 DESC LIMIT 1""";
    private const string TablesExist = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";

    /// <param name="keep">How many backups stay in the folder; null: all.</param>
    /// <param name="dump">What <c>pg_dump --format=custom</c> made of the database just before, to be moved into the backup; null: it is made now.</param>
    public async Task BackUpAsync(string path, int? keep, string? dump, TextWriter output, CancellationToken cancellationToken)
    {
        var folder = new BackupFolder(path);
        var begun = folder.Begin();
        var createdAt = time.GetUtcNow();
        var migration = (string?)await ScalarAsync(NewestMigration, cancellationToken)
            ?? throw new ConfigurationException("There is nothing to back up: the database has no schema yet.");
        var file = BackupFolder.DatabaseFile(begun);
        if (dump is null) await programs.DumpAsync(file, cancellationToken);
        else File.Move(dump, file);
        var size = new FileInfo(file).Length;
        await output.WriteLineAsync($"database: {Words(size)}");
        var (count, bytes, copied) = await objects.SaveAsync(folder, begun, cancellationToken);
        await output.WriteLineAsync($"objects:  {count:N0}, {Words(bytes)}; {copied:N0} of them new since the last backup");
        var name = folder.Complete(begun, new BackupManifest(BackupManifest.CurrentFormat, Release, createdAt, migration, Fingerprint(), size, count, bytes));
        if (keep is { } most && folder.Prune(most) is > 0 and var gone) await output.WriteLineAsync($"{gone} older backups were taken away.");
        await output.WriteLineAsync($"{folder.Of(name)} is whole. Not in it: KOHAKKU_SECRET_KEY.");
    }

    /// <param name="name">Which backup of the folder; null: the newest.</param>
    /// <param name="withDatabase">False: pg_restore has just done that, by somebody else's hand.</param>
    /// <param name="otherKey">Secrets that were sealed with another <c>KOHAKKU_SECRET_KEY</c> are given up.</param>
    public async Task RestoreAsync(string path, string? name, bool withDatabase, bool otherKey, TextWriter output, CancellationToken cancellationToken)
    {
        var folder = new BackupFolder(path);
        name ??= folder.Names is [.., var newest] ? newest : throw new ConfigurationException($"There is no backup in {folder.Path}.");
        var manifest = folder.Read(name);
        if (manifest.SecretKey != Fingerprint() && !otherKey)
        {
            throw new ConfigurationException(
                "KOHAKKU_SECRET_KEY is not the one of this backup: secrets, triggers and webhooks in it could not be opened. Set that key, or give --other-key and enter them anew.");
        }

        if (!schema.Knows(manifest.Migration)) throw new ConfigurationException($"The backup was made by release {manifest.Release}, which is newer than this one; restore it with that release.");
        if (withDatabase && await ScalarAsync(TablesExist, cancellationToken) is not 0L)
        {
            throw new ConfigurationException(
                "The database is not empty, and a backup is restored into an empty one only. (If a restore was broken off after 'database: restored', 'reconcile' does the rest.)");
        }

        await output.WriteLineAsync($"{folder.Of(name)}, of {manifest.CreatedAt.UtcDateTime:u}, made by release {manifest.Release}");
        await output.WriteLineAsync($"objects:  {await objects.RestoreAsync(folder, name, cancellationToken):N0} restored");
        if (withDatabase) await programs.RestoreAsync(BackupFolder.DatabaseFile(folder.Of(name)), cancellationToken);
        await output.WriteLineAsync("database: restored");
        await ReconcileAsync(output, cancellationToken);
    }

    /// <summary>Has the runs that are open given to Temporal anew, as soon as a controller serves.</summary>
    public async Task ReconcileAsync(TextWriter output, CancellationToken cancellationToken)
    {
        await schema.ApplyAsync(cancellationToken);
        var runs = await reconciliation.MarkAsync(cancellationToken);
        await output.WriteLineAsync(runs == 1 ? "runs:     1 goes on from where the database has it" : $"runs:     {runs:N0} go on from where the database has them");
    }

    private string Fingerprint() => Convert.ToHexStringLower(HMACSHA256.HashData(options.SecretKey, "kohakku backup"u8))[..16];

    private async Task<object?> ScalarAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        try
        {
            return await command.ExecuteScalarAsync(cancellationToken);
        }
        catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return null;
        }
    }

    private static string Release => typeof(BackupRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private static string Words(long bytes) => bytes switch
    {
        < 1_000 => $"{bytes} bytes",
        < 1_000_000 => $"{bytes / 1e3:N1} kB",
        < 1_000_000_000 => $"{bytes / 1e6:N1} MB",
        _ => $"{bytes / 1e9:N1} GB",
    };
}
