using Google.Protobuf;
using Kohakku.Local.Temporal.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Tests.Local.Temporal.Storage;

/// <summary>Rows of runs and an opened store, as the tests of the storage and of the visibility need them.</summary>
internal static class TestRuns
{
    public static readonly DateTimeOffset Start = new(2026, 5, 1, 10, 0, 0, TimeSpan.Zero);

    public static RunStore Store(NpgsqlDataSource database, TimeProvider? time = null) => new(database, time ?? TimeProvider.System, NullLogger<RunStore>.Instance);

    public static async Task<RunStore> OpenAsync(NpgsqlDataSource database, TimeProvider? time = null)
    {
        var store = Store(database, time);
        await store.OpenAsync(TestContext.Current.CancellationToken);
        return store;
    }

    public static RunRow Row(string workflowId = "order-1", Guid? runId = null)
    {
        var id = runId ?? Guid.NewGuid();
        return new RunRow
        {
            Namespace = "default",
            RunId = id,
            WorkflowId = workflowId,
            WorkflowType = "Order",
            TaskQueue = "orders",
            Status = WorkflowExecutionStatus.Running,
            StartTime = Start,
            ExecutionTime = Start,
            FirstRunId = id,
            State = new byte[] { 1, 2, 3 },
        };
    }

    public static Change New(RunRow row, params PartWrite[] parts) => new() { Runs = [new RunWrite { Row = row, IsNew = true, Parts = parts }] };

    public static Change Update(RunRow row, params PartWrite[] parts) => new() { Runs = [new RunWrite { Row = row, Parts = parts }] };

    public static HistoryBatch History(long firstEventId, int count)
    {
        var history = new History();
        for (var id = firstEventId; id < firstEventId + count; id++) history.Events.Add(new HistoryEvent { EventId = id, EventType = EventType.TimerStarted });
        return new HistoryBatch(firstEventId, count, history.ToByteArray());
    }

    public static Payload Json(string json, string? type = null)
    {
        var payload = new Payload { Data = ByteString.CopyFromUtf8(json) };
        payload.Metadata["encoding"] = ByteString.CopyFromUtf8("json/plain");
        if (type is not null) payload.Metadata["type"] = ByteString.CopyFromUtf8(type);
        return payload;
    }
}
