using Kohakku.Contracts.Storage;
using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Lifetime;

/// <summary><c>RETENTION_DAYS</c>: how long finished work is kept.</summary>
internal sealed record RetentionOptions(TimeSpan Keep)
{
    public static RetentionOptions Read(SettingsReader settings) =>
        new(TimeSpan.FromDays(settings.Integer("RETENTION_DAYS", 30, 1, 36_500, "For how many days finished tasks and runs are kept, with their logs and artifacts.")));
}

/// <summary>What one round took away.</summary>
internal sealed record Removed(int Tasks, int Objects, int Runs, int Firings, int Deliveries)
{
    public bool Any => Tasks + Runs + Firings + Deliveries > 0;
}

/// <summary>
/// Takes away finished work that is old: first what lies in object storage, then the rows, while they are locked. Dying in between leaves rows whose objects are gone,
/// and the next round takes those too; the other way round objects would be left that nobody knows of.
/// </summary>
internal sealed class Retention(NpgsqlDataSource database, ObjectStorage storage, RetentionOptions options, TimeProvider time)
{
    public const int AtOnce = 100;
    private const int Parallel = 8;

    /// <exception cref="ObjectStorageException">It can't be reached; then nothing was taken away but objects.</exception>
    public async Task<Removed> RunOnceAsync(CancellationToken cancellationToken)
    {
        var before = time.GetColumnNow() - options.Keep;
        var (tasks, objects) = await RemoveTasksAsync(before, cancellationToken);
        await using var batch = database.CreateBatch();
        var runs = batch.Add(LifetimeSql.DeleteRuns).With(before).With(AtOnce);
        var firings = batch.Add(LifetimeSql.DeleteFirings).With(before).With(AtOnce * 10);
        var deliveries = batch.Add(LifetimeSql.DeleteDeliveries).With(before).With(AtOnce * 10);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return new Removed(tasks, objects, (int)runs.RecordsAffected, (int)firings.RecordsAffected, (int)deliveries.RecordsAffected);
    }

    private async Task<(int Tasks, int Objects)> RemoveTasksAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        List<Guid> tasks = [];
        await using (var take = new NpgsqlBatch(connection))
        {
            take.Add(LifetimeSql.OldTasks).With(before).With(AtOnce);
            await using var rows = await take.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) tasks.Add(rows.GetGuid(0));
        }

        if (tasks.Count == 0) return (0, 0);
        var objects = await RemoveObjectsAsync(await PrefixesAsync(connection, [.. tasks], cancellationToken), cancellationToken);
        await using var delete = new NpgsqlBatch(connection);
        delete.Add(LifetimeSql.DeleteTasks).With(tasks.ToArray());
        await delete.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (tasks.Count, objects);
    }

    private static async Task<List<string>> PrefixesAsync(NpgsqlConnection connection, Guid[] tasks, CancellationToken cancellationToken)
    {
        List<string> prefixes = [.. tasks.Select(ObjectKeys.Briefs)];
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(LifetimeSql.AttemptsOf).With(tasks);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            prefixes.Add(ObjectKeys.Logs(rows.GetGuid(0)));
            prefixes.Add(ObjectKeys.Artifacts(rows.GetGuid(1), rows.GetInt32(2)));
        }

        return prefixes;
    }

    private async Task<int> RemoveObjectsAsync(List<string> prefixes, CancellationToken cancellationToken)
    {
        var removed = 0;
        await System.Threading.Tasks.Parallel.ForEachAsync(
            prefixes, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken },
            async (prefix, token) =>
            {
                List<string> keys = [];
                await foreach (var found in storage.ListAsync(prefix, token)) keys.Add(found.Key);
                if (keys.Count > 0) await storage.DeleteAsync(keys, token);
                Interlocked.Add(ref removed, keys.Count);
            });
        return removed;
    }
}
