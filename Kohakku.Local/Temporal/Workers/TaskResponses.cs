using Kohakku.Local.Temporal.Histories;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Updates;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Workers;

/// <summary>What a worker is given. Made under the run's gate, after the start of the task is written.</summary>
internal static class TaskResponses
{
    /// <param name="sticky">The worker knows the run: it gets only what is new.</param>
    public static async ValueTask<PollWorkflowTaskQueueResponse> WorkflowTaskAsync(Run run, bool sticky, CancellationToken cancellationToken)
    {
        var state = run.State!;
        var task = state.Task!;
        var response = Common(state);
        response.TaskToken = new TaskToken(state.Namespace, state.WorkflowId, state.RunId, task.ScheduledId, task.Attempt, task.StartedAt!.Value.UtcTicks).ToBytes();
        response.StartedEventId = task.StartedId;
        response.Attempt = task.Attempt;
        response.ScheduledTime = task.ScheduledAt.ToTimestamp();
        response.StartedTime = task.StartedAt.Value.ToTimestamp();
        response.Messages.Add(UpdateMessages.Outgoing(run));
        foreach (var query in run.Queries.All) response.Queries[query.Id] = query.Query;
        var first = sticky ? state.LastCompletedTaskStartedId + 1 : 1;
        (response.History, response.NextPageToken) = await HistoryPages.ForTaskAsync(run, first, cancellationToken);
        return response;
    }

    public static async ValueTask<PollWorkflowTaskQueueResponse> QueryAsync(Run run, QueryQueueTask query, bool sticky, CancellationToken cancellationToken)
    {
        var state = run.State!;
        var response = Common(state);
        response.TaskToken = new TaskToken(state.Namespace, state.WorkflowId, state.RunId, 0, 1, QueryId: query.Id).ToBytes();
        response.Attempt = 1;
        response.Query = query.Query;
        if (sticky) response.History = new();
        else (response.History, response.NextPageToken) = await HistoryPages.ForQueryAsync(run, cancellationToken);
        return response;
    }

    public static async ValueTask<PollActivityTaskQueueResponse> ActivityAsync(Run run, ActivityState activity, CancellationToken cancellationToken)
    {
        var state = run.State!;
        var scheduled = activity.Scheduled ??= (await run.ReadEventAsync(activity.ScheduledId, cancellationToken)).ActivityTaskScheduledEventAttributes;
        return new PollActivityTaskQueueResponse
        {
            TaskToken = new TaskToken(
                state.Namespace, state.WorkflowId, state.RunId, activity.ScheduledId, activity.Attempt, activity.StartedAt!.Value.UtcTicks, activity.ActivityId).ToBytes(),
            WorkflowNamespace = state.Namespace,
            WorkflowType = new() { Name = state.WorkflowType },
            WorkflowExecution = state.Execution,
            ActivityType = scheduled.ActivityType,
            ActivityId = activity.ActivityId,
            Header = scheduled.Header,
            Input = scheduled.Input,
            HeartbeatDetails = activity.HeartbeatDetails,
            ScheduledTime = activity.FirstScheduledAt.ToTimestamp(),
            CurrentAttemptScheduledTime = activity.ScheduledAt.ToTimestamp(),
            StartedTime = activity.StartedAt.Value.ToTimestamp(),
            Attempt = activity.Attempt,
            ScheduleToCloseTimeout = activity.ScheduleToClose.ToDuration(),
            StartToCloseTimeout = activity.StartToClose.ToDuration(),
            HeartbeatTimeout = activity.Heartbeat.ToDuration(),
            RetryPolicy = activity.RetryPolicy,
            Priority = activity.Priority,
        };
    }

    private static PollWorkflowTaskQueueResponse Common(RunState state) => new()
    {
        WorkflowExecution = state.Execution,
        WorkflowType = new() { Name = state.WorkflowType },
        PreviousStartedEventId = state.LastCompletedTaskStartedId,
        WorkflowExecutionTaskQueue = WorkflowTasks.Normal(state),
    };
}
