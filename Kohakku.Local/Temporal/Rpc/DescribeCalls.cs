using Grpc.Core;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What a run is doing, and who asks a queue for work.</summary>
internal sealed class DescribeCalls(RunHost host, RunLookup lookup, TaskQueues queues, SearchAttributeRegistry searchAttributes, NamespaceCheck check)
{
    public void Map(GrpcMethods methods)
    {
        methods.Add<DescribeWorkflowExecutionRequest, DescribeWorkflowExecutionResponse>("DescribeWorkflowExecution", DescribeAsync);
        methods.Add<DescribeTaskQueueRequest, DescribeTaskQueueResponse>("DescribeTaskQueue", (request, _) => Task.FromResult(DescribeQueue(request)));
    }

    private async Task<DescribeWorkflowExecutionResponse> DescribeAsync(DescribeWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        var key = await lookup.FindAsync(request.Namespace, request.Execution, call.CancellationToken);
        return await host.ReadAsync(key, run => ValueTask.FromResult(Describe(run.State!)), call.CancellationToken);
    }

    private DescribeWorkflowExecutionResponse Describe(RunState state)
    {
        var answer = new DescribeWorkflowExecutionResponse
        {
            ExecutionConfig = new()
            {
                TaskQueue = WorkflowTasks.Normal(state),
                WorkflowExecutionTimeout = Limit(state.ExecutionTimeout),
                WorkflowRunTimeout = Limit(state.RunTimeout),
                DefaultWorkflowTaskTimeout = state.WorkflowTaskTimeout.ToDuration(),
                UserMetadata = state.UserMetadata,
            },
            WorkflowExecutionInfo = Info(state),
            WorkflowExtendedInfo = new()
            {
                ExecutionExpirationTime = state.ExecutionDeadline?.ToTimestamp(),
                RunExpirationTime = state.RunDeadline?.ToTimestamp(),
                OriginalStartTime = state.StartTime.ToTimestamp(),
                CancelRequested = state.CancelRequested,
                RequestIdInfos = { [state.StartRequestId] = new RequestIdInfo { EventType = EventType.WorkflowExecutionStarted, EventId = 1 } },
            },
            PendingWorkflowTask = Pending(state.Task),
        };
        answer.PendingActivities.Add(state.Activities.Values.Select(activity => Pending(activity, host.Time.GetUtcNow())));
        answer.PendingChildren.Add(state.Children.Values.Where(child => child.RunId is not null).Select(child => new PendingChildExecutionInfo
        {
            WorkflowId = child.WorkflowId,
            RunId = child.RunId.ToString(),
            WorkflowTypeName = child.WorkflowType,
            InitiatedId = child.InitiatedId,
            ParentClosePolicy = child.ParentClosePolicy,
        }));
        return answer;
    }

    private WorkflowExecutionInfo Info(RunState state)
    {
        var attributes = state.SearchAttributes.Clone();
        searchAttributes.SetTypes(state.Namespace, attributes);
        return new WorkflowExecutionInfo
        {
            Execution = state.Execution,
            Type = new() { Name = state.WorkflowType },
            StartTime = state.StartTime.ToTimestamp(),
            ExecutionTime = state.ExecutionTime.ToTimestamp(),
            CloseTime = state.CloseTime?.ToTimestamp(),
            ExecutionDuration = state.CloseTime is { } closed ? (closed - state.ExecutionTime).ToDuration() : null,
            Status = state.Status,
            HistoryLength = state.NextEventId - 1,
            HistorySizeBytes = state.HistoryBytes,
            TaskQueue = state.TaskQueue,
            RootExecution = state.Root,
            ParentExecution = state.Parent is { } parent ? new() { WorkflowId = parent.WorkflowId, RunId = parent.RunId.ToString() } : null,
            ParentNamespaceId = state.Parent is { } from ? host.NamespaceId(from.Namespace) : "",
            FirstRunId = state.FirstRunId.ToString(),
            MostRecentWorkerVersionStamp = state.LastWorkerVersion,
            Memo = state.Memo.Clone(),
            SearchAttributes = attributes,
            Priority = state.Priority,
        };
    }

    /// <summary>Left out where there is none, as clients show it so.</summary>
    private static Google.Protobuf.WellKnownTypes.Duration? Limit(TimeSpan limit) => limit > TimeSpan.Zero ? limit.ToDuration() : null;

    private static PendingWorkflowTaskInfo? Pending(WorkflowTask? task) => task is null ? null : new PendingWorkflowTaskInfo
    {
        State = task.IsStarted ? PendingWorkflowTaskState.Started : PendingWorkflowTaskState.Scheduled,
        ScheduledTime = task.ScheduledAt.ToTimestamp(),
        OriginalScheduledTime = task.OriginalScheduledAt.ToTimestamp(),
        StartedTime = task.StartedAt?.ToTimestamp(),
        Attempt = task.Attempt,
    };

    private static PendingActivityInfo Pending(ActivityState activity, DateTimeOffset now)
    {
        var waits = !activity.IsStarted && activity.ScheduledAt > now;
        return new PendingActivityInfo
        {
            ActivityId = activity.ActivityId,
            ActivityType = new() { Name = activity.ActivityType },
            State = (activity.CancelRequested, activity.Pause is not null, activity.IsStarted) switch
            {
                (true, _, _) => PendingActivityState.CancelRequested,
                (_, true, true) => PendingActivityState.PauseRequested,
                (_, true, false) => PendingActivityState.Paused,
                (_, _, true) => PendingActivityState.Started,
                _ => PendingActivityState.Scheduled,
            },
            Paused = activity.Pause is not null,
            PauseInfo = activity.Pause is not { } pause ? null : new PendingActivityInfo.Types.PauseInfo
            {
                PauseTime = pause.At.ToTimestamp(), Manual = new() { Identity = pause.Identity, Reason = pause.Reason },
            },
            HeartbeatDetails = activity.HeartbeatDetails,
            LastHeartbeatTime = activity.LastHeartbeatAt?.ToTimestamp(),
            LastStartedTime = activity.StartedAt?.ToTimestamp(),
            Attempt = activity.CountedAttempt,
            MaximumAttempts = activity.RetryPolicy.MaximumAttempts,
            ScheduledTime = activity.IsStarted ? null : activity.ScheduledAt.ToTimestamp(),
            ExpirationTime = activity.ScheduleToClose > TimeSpan.Zero ? (activity.FirstScheduledAt + activity.ScheduleToClose).ToTimestamp() : null,
            LastFailure = activity.LastFailure,
            LastWorkerIdentity = activity.LastIdentity,
            LastAttemptCompleteTime = activity.LastAttemptCompletedAt?.ToTimestamp(),
            NextAttemptScheduleTime = waits ? activity.ScheduledAt.ToTimestamp() : null,
            CurrentRetryInterval = waits && activity.LastAttemptCompletedAt is { } completed ? (activity.ScheduledAt - completed).ToDuration() : null,
            Priority = activity.Priority,
            ActivityOptions = new()
            {
                TaskQueue = new() { Name = activity.TaskQueue, Kind = TaskQueueKind.Normal },
                ScheduleToCloseTimeout = activity.ScheduleToClose.ToDuration(),
                ScheduleToStartTimeout = activity.ScheduleToStart.ToDuration(),
                StartToCloseTimeout = activity.StartToClose.ToDuration(),
                HeartbeatTimeout = activity.Heartbeat.ToDuration(),
                RetryPolicy = activity.RetryPolicy,
            },
        };
    }

    private DescribeTaskQueueResponse DescribeQueue(DescribeTaskQueueRequest request)
    {
        check.Check(request.Namespace);
        if (string.IsNullOrEmpty(request.TaskQueue?.Name)) throw RpcErrors.Invalid("TaskQueue is not set on request.");
        var kind = request.TaskQueueType == TaskQueueType.Activity ? QueueKind.Activity : QueueKind.Workflow;
        var answer = new DescribeTaskQueueResponse();
        if (queues.Find(new(request.Namespace, request.TaskQueue.Name, kind)) is not { } queue) return answer;
        answer.Pollers.Add(queue.Pollers.Select(poller => new PollerInfo { Identity = poller.Identity, LastAccessTime = poller.LastAccess.ToTimestamp() }));
        if (request.ReportStats)
        {
            answer.Stats = new()
            {
                ApproximateBacklogCount = queue.Backlog,
                ApproximateBacklogAge = (queue.OldestOfferedAt is { } oldest ? host.Time.GetUtcNow() - oldest : TimeSpan.Zero).ToDuration(),
            };
        }
        return answer;
    }
}
