using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Tasks.Lifetime;

/// <summary>Ends tasks that no dispatcher claimed before their <c>expiresAt</c>.</summary>
internal sealed class TaskExpiry(NpgsqlDataSource database, TaskChanges changes, TimeProvider time)
{
    public const int AtOnce = 500;

    /// <summary>Answers how many it ended.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<Guid> expired = [];
        await using (var batch = database.CreateBatch())
        {
            batch.Add(LifetimeSql.Expired).With(time.GetUtcNow()).With(AtOnce);
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) expired.Add(rows.GetGuid(0));
        }

        if (expired.Count == 0) return 0;
        return await changes.OfTasksAsync(
            expired, skipBusy: true,
            locked =>
            {
                var ended = 0;
                foreach (var task in locked.Tasks)
                {
                    if (TaskMachine.Expire(task, locked.Moment) is not { } transition) continue;
                    locked.Take(transition);
                    ended++;
                }

                return ended;
            },
            cancellationToken);
    }
}
