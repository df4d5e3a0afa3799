using Google.Protobuf.WellKnownTypes;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Workflow.V1;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>A run as it is listed.</summary>
internal static class ExecutionInfos
{
    public static WorkflowExecutionInfo Of(RunRow row, SearchAttributeRegistry registry)
    {
        var execution = new WorkflowExecution { WorkflowId = row.WorkflowId, RunId = row.RunId.ToString() };
        if (row.SearchAttributes is not null) registry.SetTypes(row.Namespace, row.SearchAttributes);
        var info = new WorkflowExecutionInfo
        {
            Execution = execution,
            Type = new WorkflowType { Name = row.WorkflowType },
            StartTime = Timestamp.FromDateTimeOffset(row.StartTime),
            ExecutionTime = Timestamp.FromDateTimeOffset(row.ExecutionTime),
            Status = row.Status,
            Memo = row.Memo ?? new Memo(),
            SearchAttributes = row.SearchAttributes ?? new SearchAttributes(),
            TaskQueue = row.TaskQueue,
            ParentExecution = row.Parent,
            RootExecution = row.Root ?? execution,
            FirstRunId = row.FirstRunId.ToString(),
        };
        if (row.CloseTime is not { } closed) return info;
        // Only the last word on it is listed; of an open run they change with every event.
        info.CloseTime = Timestamp.FromDateTimeOffset(closed);
        info.ExecutionDuration = Duration.FromTimeSpan(closed - row.ExecutionTime);
        info.HistoryLength = row.HistoryLength;
        info.HistorySizeBytes = row.HistorySizeBytes;
        return info;
    }
}
