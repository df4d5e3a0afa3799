using Npgsql;
using NpgsqlTypes;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// A group as statements of many rows each, sent at once. Without a transaction around it a batch is one transaction by
/// itself, so it takes one round trip and one flush to disk, however many changes it has.
/// </summary>
internal static class GroupStatements
{
    private const string AdvanceBatch = "select advance_batch($1, $2)";

    private const string UpsertRuns = """
        insert into run as old (run_id, namespace, workflow_id, workflow_type, task_queue, status, start_time, execution_time, close_time, history_length,
            history_size_bytes, first_run_id, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, memo, search_attributes, state, search)
        select run_id, namespace, workflow_id, workflow_type, task_queue, status, start_time, execution_time, close_time, history_length,
            history_size_bytes, first_run_id, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, memo, search_attributes, state, search::jsonb
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[],
            $10::bigint[], $11::bigint[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::text[], $17::bytea[], $18::bytea[], $19::bytea[], $20::text[])
            as new (run_id, namespace, workflow_id, workflow_type, task_queue, status, start_time, execution_time, close_time, history_length,
            history_size_bytes, first_run_id, parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, memo, search_attributes, state, search)
        on conflict (run_id) do update set workflow_type = excluded.workflow_type, task_queue = excluded.task_queue, status = excluded.status,
            start_time = excluded.start_time, execution_time = excluded.execution_time, close_time = excluded.close_time,
            history_length = excluded.history_length, history_size_bytes = excluded.history_size_bytes, first_run_id = excluded.first_run_id,
            parent_workflow_id = excluded.parent_workflow_id, parent_run_id = excluded.parent_run_id, root_workflow_id = excluded.root_workflow_id,
            root_run_id = excluded.root_run_id, memo = excluded.memo, search_attributes = excluded.search_attributes, state = excluded.state,
            search = excluded.search
        """;

    private const string InsertCurrentRuns = "insert into current_run (namespace, workflow_id, run_id) select * from unnest($1::text[], $2::text[], $3::uuid[])";

    private const string UpsertCurrentRuns = """
        insert into current_run (namespace, workflow_id, run_id) select * from unnest($1::text[], $2::text[], $3::uuid[])
        on conflict (namespace, workflow_id) do update set run_id = excluded.run_id
        """;

    private const string UpsertParts = """
        insert into part (run_id, kind, key, data) select * from unnest($1::uuid[], $2::smallint[], $3::text[], $4::bytea[])
        on conflict (run_id, kind, key) do update set data = excluded.data
        """;

    private const string DeleteParts = """
        delete from part using unnest($1::uuid[], $2::smallint[], $3::text[]) as gone (run_id, kind, key)
        where part.run_id = gone.run_id and part.kind = gone.kind and part.key = gone.key
        """;

    private const string InsertHistory = """
        insert into history (run_id, first_event_id, count, events) select * from unnest($1::uuid[], $2::bigint[], $3::integer[], $4::bytea[])
        """;

    private const string DeleteEffects = "delete from effect where id = any($1::uuid[])";

    private const string InsertEffects = "insert into effect (id, data) select * from unnest($1::uuid[], $2::bytea[])";

    /// <summary>A first run was not the first of its workflow id.</summary>
    public static bool IsIdInUse(Exception exception) => exception is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "current_run_pkey" };

    public static NpgsqlBatch Batch(NpgsqlConnection connection, long epoch, long number, CommitGroup group)
    {
        var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(Command(AdvanceBatch, new NpgsqlParameter<long> { TypedValue = epoch }, new NpgsqlParameter<long> { TypedValue = number }));
        if (group.Runs.Count > 0) batch.BatchCommands.Add(RunsCommand(group.Runs));
        if (group.FirstRuns.Count > 0)
        {
            var first = group.FirstRuns;
            batch.BatchCommands.Add(Command(InsertCurrentRuns, Column(first, r => r.Namespace), Column(first, r => r.WorkflowId), Column(first, r => r.RunId)));
        }
        if (group.CurrentRuns.Count > 0)
        {
            var current = group.CurrentRuns;
            batch.BatchCommands.Add(Command(UpsertCurrentRuns, Column(current, c => c.Key.Namespace), Column(current, c => c.Key.WorkflowId), Column(current, c => c.Value)));
        }
        AddParts(batch, group.Parts);
        if (group.History.Count > 0)
        {
            var history = group.History;
            batch.BatchCommands.Add(Command(
                InsertHistory, Column(history, h => h.RunId), Column(history, h => h.Batch.FirstEventId), Column(history, h => h.Batch.Count), Column(history, h => h.Batch.Events)));
        }
        if (group.DoneEffects.Count > 0) batch.BatchCommands.Add(Command(DeleteEffects, Column(group.DoneEffects, id => id)));
        if (group.NewEffects.Count > 0)
            batch.BatchCommands.Add(Command(InsertEffects, Column(group.NewEffects, e => e.Id), Column(group.NewEffects, e => e.Data)));
        return batch;
    }

    private static NpgsqlBatchCommand RunsCommand(IReadOnlyCollection<EncodedRun> runs) => Command(
        UpsertRuns,
        Column(runs, r => r.Row.RunId),
        Column(runs, r => r.Row.Namespace),
        Column(runs, r => r.Row.WorkflowId),
        Column(runs, r => r.Row.WorkflowType),
        Column(runs, r => r.Row.TaskQueue),
        Column(runs, r => (short)r.Row.Status),
        Times(runs, r => r.Row.StartTime.UtcDateTime),
        Times(runs, r => r.Row.ExecutionTime.UtcDateTime),
        Times(runs, r => r.Row.CloseTime?.UtcDateTime),
        Column(runs, r => r.Row.HistoryLength),
        Column(runs, r => r.Row.HistorySizeBytes),
        Column(runs, r => r.Row.FirstRunId),
        Column(runs, r => r.Row.Parent?.WorkflowId),
        Column(runs, r => r.Row.Parent?.RunId),
        Column(runs, r => r.Row.Root?.WorkflowId),
        Column(runs, r => r.Row.Root?.RunId),
        Column(runs, r => r.Memo),
        Column(runs, r => r.SearchAttributes),
        Column(runs, r => r.Row.State),
        Column(runs, r => r.Search));

    private static void AddParts(NpgsqlBatch batch, IReadOnlyCollection<KeyValuePair<(Guid RunId, short Kind, string Key), ReadOnlyMemory<byte>?>> parts)
    {
        var written = parts.Where(part => part.Value is not null).ToList();
        if (written.Count > 0)
        {
            batch.BatchCommands.Add(Command(
                UpsertParts, Column(written, p => p.Key.RunId), Column(written, p => p.Key.Kind), Column(written, p => p.Key.Key), Column(written, p => p.Value!.Value)));
        }
        if (written.Count == parts.Count) return;
        var deleted = parts.Where(part => part.Value is null).ToList();
        batch.BatchCommands.Add(Command(DeleteParts, Column(deleted, p => p.Key.RunId), Column(deleted, p => p.Key.Kind), Column(deleted, p => p.Key.Key)));
    }

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }

    private static NpgsqlParameter<TValue[]> Column<TRow, TValue>(IReadOnlyCollection<TRow> rows, Func<TRow, TValue> value) =>
        new() { TypedValue = Values(rows, value) };

    private static NpgsqlParameter<TValue[]> Times<TRow, TValue>(IReadOnlyCollection<TRow> rows, Func<TRow, TValue> value) =>
        new() { TypedValue = Values(rows, value), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };

    private static TValue[] Values<TRow, TValue>(IReadOnlyCollection<TRow> rows, Func<TRow, TValue> value)
    {
        var values = new TValue[rows.Count];
        var index = 0;
        foreach (var row in rows) values[index++] = value(row);
        return values;
    }
}
