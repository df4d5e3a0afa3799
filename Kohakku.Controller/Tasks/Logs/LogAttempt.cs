using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Npgsql;

namespace Kohakku.Controller.Tasks.Logs;

/// <summary>An attempt as far as its log needs it.</summary>
/// <param name="Dispatcher">Where the log is while the attempt runs; null where the dispatcher is forgotten.</param>
internal sealed record LogAttempt(Guid Id, int Number, bool HasEnded, Uri? Dispatcher);

/// <param name="IsFinal">No attempt will follow, unless a person retries the task.</param>
internal sealed record TaskWithLogs(bool IsFinal, IReadOnlyList<LogAttempt> Attempts)
{
    // The state first: an attempt that begins between the two statements is then seen with the next look.
    private const string StateSql = "SELECT status FROM tasks WHERE project_id = $1 AND id = $2";

    private const string AttemptsSql = """
        SELECT a.id, a.number, a.ended_at IS NOT NULL, d.url
        FROM attempts a LEFT JOIN dispatchers d ON d.id = a.dispatcher_id WHERE a.task_id = $1 ORDER BY a.number
        """;

    /// <summary>Answers null when the project has no such task.</summary>
    public static async Task<TaskWithLogs?> ReadAsync(NpgsqlDataSource database, Guid projectId, Guid taskId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StateSql)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = projectId }, new NpgsqlParameter<Guid> { TypedValue = taskId } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(AttemptsSql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = taskId } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        var isFinal = WireEnum<TaskState>.Parse(reader.GetString(0)).IsFinal();
        await reader.NextResultAsync(cancellationToken);
        var attempts = new List<LogAttempt>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var dispatcher = !reader.IsDBNull(3) && Uri.TryCreate(reader.GetString(3), UriKind.Absolute, out var url) ? url : null;
            attempts.Add(new LogAttempt(reader.GetGuid(0), reader.GetInt32(1), reader.GetBoolean(2), dispatcher));
        }

        return new TaskWithLogs(isFinal, attempts);
    }
}
