using Kohakku.Controller.Data;
using Kohakku.Controller.Data.Migrations;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.Tests.Controller.Data;

/// <summary>Programs on the database of a newer release, and while it is brought up.</summary>
public sealed class SchemaFloorTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Future = "29991231235959_FromTheFuture";
    private readonly Lines _log = new();
    private NpgsqlDataSource _database = null!;
    private DatabaseSchema _schema = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Cancel));
        _schema = ControllerDatabases.Schema(_database, _log);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_newer_releases_database_serves_who_knows_its_floor_and_is_named_in_one_line()
    {
        await MakeNewerAsync();
        var before = await SchemaAsync();
        await _schema.ApplyAsync(Cancel);
        await _schema.WaitAsync(Cancel);
        Assert.Equal(before, await SchemaAsync());
        Assert.Equal(2, _log.Warnings.Count(line => line.Contains(Future, StringComparison.Ordinal)));
        Assert.Equal(2, _log.Warnings.Count);
    }

    [Fact]
    public async Task Who_does_not_know_the_floor_is_refused_and_the_database_left_alone()
    {
        await MakeNewerAsync();
        var builder = new MigrationBuilder("Npgsql");
        builder.RaiseSchemaFloor(Future);
        builder.RaiseSchemaFloor("20000101000000_NeverSinks");
        foreach (var raise in builder.Operations) await ExecuteAsync(((SqlOperation)raise).Sql);
        var before = await SchemaAsync();
        foreach (var start in (Func<CancellationToken, Task>[])[_schema.ApplyAsync, _schema.WaitAsync])
        {
            var refusal = await Assert.ThrowsAsync<ConfigurationException>(() => start(Cancel));
            Assert.Contains($"brought to {Future} by a newer release", refusal.Message, StringComparison.Ordinal);
        }
        Assert.Equal(before, await SchemaAsync());
    }

    [Fact]
    public async Task Nothing_is_added_to_a_newer_releases_database()
    {
        await MakeNewerAsync();
        await ExecuteAsync("""DELETE FROM "__EFMigrationsHistory" WHERE migration_id LIKE '%\_Triggers'""");
        var refusal = await Assert.ThrowsAsync<ConfigurationException>(() => _schema.ApplyAsync(Cancel));
        Assert.Contains("does not know 20261128044810_Triggers", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_leaves_the_schema_to_others_waits_for_it()
    {
        var waiting = _schema.WaitAsync(Cancel);
        await Eventually.Async(() => _log.Warnings.Any(line => line.Contains("_Initial", StringComparison.Ordinal)));
        Assert.False(waiting.IsCompleted);
        await ControllerDatabases.Schema(_database).ApplyAsync(Cancel);
        await waiting;
    }

    [Fact]
    public async Task A_migration_that_waits_for_a_table_lets_others_by()
    {
        await using (var model = await ControllerDatabases.Of(_database).CreateDbContextAsync(Cancel)) await model.GetService<IMigrator>().MigrateAsync("Webhooks", Cancel);
        await using var holder = await _database.OpenConnectionAsync(Cancel);
        await using var transaction = await holder.BeginTransactionAsync(Cancel);
        await using (var hold = new NpgsqlCommand("LOCK TABLE projects IN ROW EXCLUSIVE MODE", holder)) await hold.ExecuteNonQueryAsync(Cancel);

        var applying = _schema.ApplyAsync(Cancel);
        await Eventually.Async(() => applying.IsCompleted || _log.Warnings.Any(line => line.Contains("waits for a table", StringComparison.Ordinal)));
        // Queues behind the migration at most once; without its patience running out, until the transaction ends.
        await ExecuteAsync("INSERT INTO projects (id, name, created_at) VALUES (gen_random_uuid(), 'let-by', now())");
        Assert.False(applying.IsCompleted);
        await transaction.CommitAsync(Cancel);
        await applying;
        Assert.Empty(await MissingAsync());
    }

    /// <summary>What they take away or change, programs of the release before may use: docs/upgrade.md.</summary>
    [Fact]
    public async Task Migrations_that_contract_raise_the_floor()
    {
        await using var model = await ControllerDatabases.Of(_database).CreateDbContextAsync(Cancel);
        var assembly = model.GetService<IMigrationsAssembly>();
        foreach (var (id, type) in assembly.Migrations.Where(migration => string.CompareOrdinal(migration.Key, Floor) > 0))
        {
            var operations = assembly.CreateMigration(type, model.Database.ProviderName!).UpOperations;
            var contracting = operations.Where(Contracts).Select(operation => operation.GetType().Name).ToList();
            var raises = operations.OfType<SqlOperation>().Any(operation => operation.Sql.Contains("schema_floor", StringComparison.Ordinal));
            Assert.True(contracting.Count == 0 || raises, $"{id} contracts ({string.Join(", ", contracting)}) and does not call RaiseSchemaFloor: programs of the release before would break.");
        }
    }

    [Fact]
    public async Task The_floor_begins_where_it_was_made()
    {
        await _schema.ApplyAsync(Cancel);
        await using var command = _database.CreateCommand("SELECT string_agg(migration, ',') FROM schema_floor");
        Assert.Equal(Floor, await command.ExecuteScalarAsync(Cancel));
    }

    private static string Floor { get; } =
        ((MigrationAttribute)Attribute.GetCustomAttribute(typeof(Kohakku.Controller.Data.Migrations.SchemaFloor), typeof(MigrationAttribute))!).Id;

    private static bool Contracts(MigrationOperation operation) => operation switch
    {
        DropTableOperation or DropColumnOperation or RenameTableOperation or RenameColumnOperation or AlterColumnOperation => true,
        AddColumnOperation { IsNullable: false, DefaultValue: null, DefaultValueSql: null, ComputedColumnSql: null } => true,
        AddCheckConstraintOperation or AddUniqueConstraintOperation or CreateIndexOperation { IsUnique: true } => true,
        _ => false,
    };

    private async Task MakeNewerAsync()
    {
        await ControllerDatabases.Schema(_database).ApplyAsync(Cancel);
        await ExecuteAsync($"""ALTER TABLE tasks ADD COLUMN from_the_future text; INSERT INTO "__EFMigrationsHistory" VALUES ('{Future}', '99.0')""");
    }

    private async Task<string> SchemaAsync()
    {
        await using var command = _database.CreateCommand(
            """
            SELECT (SELECT string_agg(c.relname || '.' || a.attname, ',' ORDER BY 1) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0)
                || (SELECT string_agg(migration_id, ',' ORDER BY 1) FROM "__EFMigrationsHistory") || (SELECT migration FROM schema_floor)
            """);
        return (string)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private async Task<IEnumerable<string>> MissingAsync()
    {
        await using var model = await ControllerDatabases.Of(_database).CreateDbContextAsync(Cancel);
        return await model.Database.GetPendingMigrationsAsync(Cancel);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private sealed class Lines : ILogger<DatabaseSchema>
    {
        private readonly Lock _gate = new();
        private readonly List<string> _warnings = [];

        public IReadOnlyList<string> Warnings
        {
            get
            {
                lock (_gate) return [.. _warnings];
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_gate)
            {
                if (IsEnabled(logLevel)) _warnings.Add(formatter(state, exception));
            }
        }
    }
}
