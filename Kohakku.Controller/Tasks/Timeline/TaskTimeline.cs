using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using System.Text.Json;
using Npgsql;

namespace Kohakku.Controller.Tasks.Timeline;

/// <summary>Reads the entries of a task's timeline. Their ids have no gaps and are given under the task's lock, so what follows an id is complete.</summary>
internal sealed class TaskTimeline(NpgsqlDataSource database)
{
    // The state first: an entry that is written between the two statements is then seen with the next look, never missed.
    private const string StateSql = "SELECT status, event_sequence FROM tasks WHERE project_id = $1 AND id = $2";
    private const string EntriesSql = "SELECT id, at, type, attempt, data FROM task_events WHERE task_id = $1 AND id > $2 ORDER BY id LIMIT $3";

    /// <summary>Answers null when the project has no such task.</summary>
    public async Task<TimelinePart?> ReadAsync(Guid projectId, Guid taskId, long after, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StateSql)
        {
            Parameters = { new NpgsqlParameter<Guid> { TypedValue = projectId }, new NpgsqlParameter<Guid> { TypedValue = taskId } },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(EntriesSql)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = taskId }, new NpgsqlParameter<long> { TypedValue = after }, new NpgsqlParameter<int> { TypedValue = limit },
            },
        });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        var (status, newest) = (WireEnum<TaskState>.Parse(reader.GetString(0)), reader.GetInt64(1));
        await reader.NextResultAsync(cancellationToken);
        var entries = new List<TaskEventView>();
        while (await reader.ReadAsync(cancellationToken)) entries.Add(Read(reader));
        return new TimelinePart(entries, status, newest);
    }

    /// <summary>The same for <see cref="EventStream"/>.</summary>
    public async Task<StreamPart?> StreamAsync(Guid projectId, Guid taskId, long after, int limit, CancellationToken cancellationToken) =>
        await ReadAsync(projectId, taskId, after, limit, cancellationToken) is { } part
            ? new StreamPart(
                [.. part.Entries.Select(entry => new StreamEntry(entry.Id, entry.Type, JsonSerializer.SerializeToUtf8Bytes(entry, ContractsJson.Default.TaskEventView)))],
                part.EndsAt(part.Entries.Count > 0 ? part.Entries[^1].Id : after))
            : null;

    private static TaskEventView Read(NpgsqlDataReader reader) => new(
        reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetInt32(3),
        reader.IsDBNull(4) ? null : JsonElement.Parse(reader.GetString(4)));
}

/// <param name="Status">The task's state when its entries up to <paramref name="Newest"/> were there.</param>
internal sealed record TimelinePart(IReadOnlyList<TaskEventView> Entries, TaskState Status, long Newest)
{
    /// <summary>The task has ended, and all of its timeline is known to whoever knows it up to <paramref name="lastId"/>.</summary>
    public bool EndsAt(long lastId) => Status.IsFinal() && lastId >= Newest;
}
