using Npgsql;

namespace Kohakku.Tests.Upgrades;

/// <summary>What the release after this one might do to the controllers' database: it adds, to every table, and takes nothing away.</summary>
internal static class NextRelease
{
    public const string Migration = "29991231235959_NextRelease";

    public static async Task MigrateAsync(NpgsqlDataSource database)
    {
        var token = TestContext.Current.CancellationToken;
        await using var session = await database.OpenConnectionAsync(token);
        foreach (var table in await TablesAsync(session))
            await ExecuteAsync(session, $"ALTER TABLE {table} ADD COLUMN next_note text, ADD COLUMN next_flag boolean NOT NULL DEFAULT false");
        await ExecuteAsync(session, "CREATE TABLE next_things (id uuid PRIMARY KEY, task_id uuid NOT NULL REFERENCES tasks)");
        await ExecuteAsync(session, "CREATE INDEX ix_tasks_next_note ON tasks (next_note)");
        await ExecuteAsync(session, $"""INSERT INTO "__EFMigrationsHistory" VALUES ('{Migration}', '99.0')""");
    }

    private static async Task<List<string>> TablesAsync(NpgsqlConnection session)
    {
        await using var command = new NpgsqlCommand("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('__EFMigrationsHistory', 'schema_floor')", session);
        await using var rows = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var tables = new List<string>();
        while (await rows.ReadAsync(TestContext.Current.CancellationToken)) tables.Add(rows.GetString(0));
        return tables;
    }

    /// <summary>As <c>DatabaseSchema</c> does it: who waits for a table must not hold up others.</summary>
    private static async Task ExecuteAsync(NpgsqlConnection session, string sql)
    {
        while (true)
        {
            try
            {
                await using var command = new NpgsqlCommand($"SET lock_timeout = '1s'; {sql}", session);
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                return;
            }
            catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                // Somebody works on it; again.
            }
        }
    }
}
