using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>
/// Writes tasks all or none, and those that depend on others: while the tasks they need and their concurrency keys are locked, so that nothing
/// ends between the look and the write. Locks are taken rows first, then keys, both in order, as whoever ends a task does.
/// </summary>
internal sealed class SubmitTransaction(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>In the order of <paramref name="tasks"/>; null when not all could be (a key is taken, an agent is gone), and then none was.</summary>
    /// <param name="prefixes">Where each task stands in the body, for <paramref name="faults"/>.</param>
    public async Task<MadeTask[]?> WriteAsync(
        IReadOnlyList<NewTask> tasks, IReadOnlyList<string> prefixes, Faults faults, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        tasks = await Needs.LockAsync(connection, tasks, prefixes, faults, cancellationToken);
        if (faults.Any) return null;
        var now = time.GetUtcNow();
        tasks = await ConcurrencyPlaces.TakeAsync(connection, tasks, now, cancellationToken);
        var made = await TaskInsert.ExecuteAsync(connection, tasks, now, cancellationToken);
        if (made.Contains(null)) return null;
        await transaction.CommitAsync(cancellationToken);
        return made!;
    }
}
