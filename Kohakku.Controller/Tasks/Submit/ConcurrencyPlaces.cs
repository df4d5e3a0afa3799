using Kohakku.Contracts.Tasks;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>Decides which tasks with a concurrency key may be claimed at once and which wait for a place, under the keys' locks.</summary>
internal static class ConcurrencyPlaces
{
    private const string LockSql = """
        SELECT pg_advisory_xact_lock(hashtextextended('kohakku:concurrency:' || $1::text || key, 0)) FROM unnest($2) AS key
        """;

    // A statement of its own: it must see what was committed while the locks were waited for.
    private const string CountSql = """
        SELECT concurrency_key, count(*) FROM tasks
        WHERE project_id = $1 AND concurrency_key = ANY($2)
          AND (status IN ('running', 'waiting') OR (status = 'queued' AND claimable))
        GROUP BY concurrency_key
        """;

    public static async Task<IReadOnlyList<NewTask>> TakeAsync(
        NpgsqlConnection connection, IReadOnlyList<NewTask> tasks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // The locks are taken in this order by everyone.
        string[] keys = [.. tasks.Select(task => task.Request.ConcurrencyKey).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (keys.Length == 0) return tasks;
        await using (var locking = Command(connection, LockSql, tasks[0].ProjectId, keys)) await locking.ExecuteNonQueryAsync(cancellationToken);

        var taken = keys.ToDictionary(key => key, _ => 0L);
        await using (var counting = Command(connection, CountSql, tasks[0].ProjectId, keys))
        await using (var reader = await counting.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) taken[reader.GetString(0)] = reader.GetInt64(1);
        }

        return [.. tasks.Select(Place)];

        NewTask Place(NewTask task)
        {
            if (task.Request.ConcurrencyKey is not { } key || task.StateAt(now) != TaskState.Queued) return task;
            return taken[key] < task.ConcurrencyLimit ? Counted(task, key) : task with { HasPlace = false };
        }

        NewTask Counted(NewTask task, string key)
        {
            taken[key]++;
            return task;
        }
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, Guid projectId, string[] keys)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = keys });
        return command;
    }
}
