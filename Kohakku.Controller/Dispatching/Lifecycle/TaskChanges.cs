using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Lifecycle;

/// <summary>
/// The one way a task changes after its submit, but for the claim: locks in one roundtrip, decides by pure functions, writes and commits in a
/// second one, then tells the world. A deadlock or a crash leaves nothing behind; the first is tried again. Any thread may call.
/// </summary>
internal sealed class TaskChanges(NpgsqlDataSource database, ChangeFeed feed, LoopSignals signals, DispatchingMetrics metrics, TimeProvider time)
{
    private const int MostTries = 4;

    /// <summary>Locks tasks with their current attempts (and open questions).</summary>
    /// <param name="skipBusy">Leaves out what another transaction holds, rather than wait for it.</param>
    /// <param name="decide">Looks and calls <see cref="LockedTasks.Take"/>. It may be called again after a deadlock.</param>
    public Task<T> OfTasksAsync<T>(
        IReadOnlyCollection<Guid> taskIds, bool skipBusy, Func<LockedTasks, T> decide, CancellationToken cancellationToken) =>
        RetryAsync(
            batch =>
            {
                var ids = taskIds.ToArray();
                batch.Add(skipBusy ? LifecycleSql.LockFreeTasks : LifecycleSql.LockTasks).With(ids);
                batch.Add(LifecycleSql.LockCurrentAttempts).With(ids);
                batch.Add(LifecycleSql.OpenQuestions).With(ids);
            },
            (locked, row) => locked.Add(LifecycleRows.Question(row)), decide, cancellationToken);

    /// <summary>Locks attempts with their tasks, for what the dispatcher of a session reports.</summary>
    public Task<T> OfAttemptsAsync<T>(
        IReadOnlyCollection<Guid> attemptIds, Guid session, Func<LockedTasks, T> decide, CancellationToken cancellationToken) =>
        RetryAsync(
            batch =>
            {
                var ids = attemptIds.ToArray();
                batch.Add(LifecycleSql.LockTasksOfAttempts).With(ids);
                batch.Add(LifecycleSql.LockAttempts).With(ids);
                batch.Add(LifecycleSql.DispatcherOfSession).With(session);
            },
            (locked, row) => locked.Reporter = row.GetGuid(0), decide, cancellationToken);

    private async Task<T> RetryAsync<T>(
        Action<NpgsqlBatch> addLocks, Action<LockedTasks, NpgsqlDataReader> readMore, Func<LockedTasks, T> decide, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await ChangeAsync(addLocks, readMore, decide, cancellationToken);
            }
            catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.DeadlockDetected && tries < MostTries)
            {
                // It was rolled back whole.
            }
        }
    }

    private async Task<T> ChangeAsync<T>(
        Action<NpgsqlBatch> addLocks, Action<LockedTasks, NpgsqlDataReader> readMore, Func<LockedTasks, T> decide, CancellationToken cancellationToken)
    {
        // Should anything throw, the pool rolls back what the returned connection has open.
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var locked = await LockAsync(connection, addLocks, readMore, cancellationToken);
        var result = decide(locked);

        // From here on to the end: a caller that goes away must not leave it unknown what was done.
        await using var batch = new NpgsqlBatch(connection);
        batch.Write(locked);
        var outbox = batch.WriteOutbox(locked);
        batch.Add("COMMIT");
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
        if (!locked.AnyChanged) return result;

        if (outbox.Any(command => command.RecordsAffected > 0)) signals.WakeOutbox();
        Publish(locked);
        return result;
    }

    private async Task<LockedTasks> LockAsync(
        NpgsqlConnection connection, Action<NpgsqlBatch> addLocks, Action<LockedTasks, NpgsqlDataReader> readMore, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        // Sent along with what follows, not for itself.
        batch.Add("BEGIN");
        addLocks(batch);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        // The clock is read under the lock, so that the timeline of a task never runs backwards within this process.
        var locked = new LockedTasks(time.GetUtcNow());
        while (await rows.ReadAsync(cancellationToken)) locked.Add(LifecycleRows.Task(rows));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) locked.Add(LifecycleRows.Attempt(rows));
        await rows.NextResultAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) readMore(locked, rows);
        return locked;
    }

    private void Publish(LockedTasks locked)
    {
        var (queued, anyScheduled) = (0, false);
        List<Guid> changed = [];
        foreach (var task in locked.ChangedTasks)
        {
            changed.Add(task.Id);
            if (task is { Status: TaskState.Queued, Claimable: true }) queued++;
            anyScheduled |= task.Status == TaskState.Scheduled;
        }

        if (anyScheduled) signals.WakePromotion();

        feed.PublishQueued(queued);
        feed.PublishTasks(changed);
        metrics.Count(locked);
    }
}
