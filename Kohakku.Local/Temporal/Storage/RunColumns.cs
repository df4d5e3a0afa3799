using Google.Protobuf;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>The columns of a run as every statement that reads runs names them, and the row that they make.</summary>
internal static class RunColumns
{
    /// <summary>All but the state.</summary>
    public const string Listed = """
        namespace, run_id, workflow_id, workflow_type, task_queue, status, start_time, execution_time, close_time, history_length, history_size_bytes, first_run_id,
        parent_workflow_id, parent_run_id, root_workflow_id, root_run_id, memo, search_attributes
        """;

    /// <summary>In one statement and so of one moment: the parts belong to the state.</summary>
    public const string WithParts = $"""
        select {Listed}, state, kinds, keys, datas from run left join lateral
            (select array_agg(kind) as kinds, array_agg(key) as keys, array_agg(data) as datas from part where part.run_id = run.run_id) as parts on true
        """;

    private const int StateColumn = 18;

    public static StoredRun ReadWithParts(NpgsqlDataReader reader)
    {
        var row = Read(reader, reader.GetFieldValue<byte[]>(StateColumn));
        if (reader.IsDBNull(StateColumn + 1)) return new StoredRun(row, []);
        var kinds = reader.GetFieldValue<short[]>(StateColumn + 1);
        var keys = reader.GetFieldValue<string[]>(StateColumn + 2);
        var datas = reader.GetFieldValue<byte[][]>(StateColumn + 3);
        return new StoredRun(row, [.. kinds.Select((kind, index) => new PartWrite(kind, keys[index], datas[index]))]);
    }

    /// <param name="state">Empty where only the columns are asked for.</param>
    public static RunRow Read(NpgsqlDataReader reader, ReadOnlyMemory<byte> state) => new()
    {
        Namespace = reader.GetString(0),
        RunId = reader.GetGuid(1),
        WorkflowId = reader.GetString(2),
        WorkflowType = reader.GetString(3),
        TaskQueue = reader.GetString(4),
        Status = (WorkflowExecutionStatus)reader.GetInt16(5),
        StartTime = reader.GetFieldValue<DateTimeOffset>(6),
        ExecutionTime = reader.GetFieldValue<DateTimeOffset>(7),
        CloseTime = reader.IsDBNull(8) ? null : reader.GetFieldValue<DateTimeOffset>(8),
        HistoryLength = reader.GetInt64(9),
        HistorySizeBytes = reader.GetInt64(10),
        FirstRunId = reader.GetGuid(11),
        Parent = Execution(reader, 12),
        Root = Execution(reader, 14),
        Memo = Message(reader, 16, Memo.Parser),
        SearchAttributes = Message(reader, 17, SearchAttributes.Parser),
        State = state,
    };

    private static WorkflowExecution? Execution(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : new WorkflowExecution { WorkflowId = reader.GetString(column), RunId = reader.GetString(column + 1) };

    private static T? Message<T>(NpgsqlDataReader reader, int column, MessageParser<T> parser) where T : class, IMessage<T> =>
        reader.IsDBNull(column) ? null : parser.ParseFrom(reader.GetFieldValue<byte[]>(column));
}
