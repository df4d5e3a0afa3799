using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.TaskQueue.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>
/// The life of an activity. Its started event is written only with the event that ends it, since attempts that are retried leave no trace in
/// the history.
/// </summary>
internal static class Activities
{
    /// <summary>Workers send a heartbeat after four fifths of its timeout, which leaves little of a short one for the way. (A real server looks at timeouts up to a second late.)</summary>
    private static readonly TimeSpan HeartbeatGrace = TimeSpan.FromMilliseconds(500);

    public static ActivityState ScheduleActivity(this RunChange change, ScheduleActivityTaskCommandAttributes command, HistoryEvent scheduled)
    {
        var attributes = scheduled.ActivityTaskScheduledEventAttributes;
        var activity = new ActivityState
        {
            ScheduledId = scheduled.EventId,
            ActivityId = attributes.ActivityId,
            ActivityType = attributes.ActivityType.Name,
            TaskQueue = attributes.TaskQueue.Name,
            FirstScheduledAt = change.Now,
            ScheduledAt = change.Now,
            ScheduleToClose = attributes.ScheduleToCloseTimeout.ToSpan(),
            ScheduleToStart = attributes.ScheduleToStartTimeout.ToSpan(),
            StartToClose = attributes.StartToCloseTimeout.ToSpan(),
            Heartbeat = attributes.HeartbeatTimeout.ToSpan(),
            RetryPolicy = attributes.RetryPolicy,
            Priority = command.Priority,
            Scheduled = attributes,
        };
        change.State.Activities.Add(activity.ScheduledId, activity);
        change.Touch(activity);
        change.OfferedActivities.Add(activity.ScheduledId);
        return activity;
    }

    public static ActivityTaskScheduledEventAttributes ScheduledAttributes(RunState state, ScheduleActivityTaskCommandAttributes command, long completedId)
    {
        var runTimeout = state.RunTimeout;
        var toClose = Capped(command.ScheduleToCloseTimeout.ToSpan(), runTimeout);
        var toStart = Capped(command.ScheduleToStartTimeout.ToSpan(), runTimeout);
        var startToClose = Capped(command.StartToCloseTimeout.ToSpan(), runTimeout);
        if (toClose > TimeSpan.Zero)
        {
            toStart = toStart > TimeSpan.Zero ? Min(toStart, toClose) : toClose;
            startToClose = startToClose > TimeSpan.Zero ? Min(startToClose, toClose) : toClose;
        }
        else
        {
            toClose = runTimeout;
            if (toStart == TimeSpan.Zero) toStart = runTimeout;
        }
        return new ActivityTaskScheduledEventAttributes
        {
            ActivityId = command.ActivityId,
            ActivityType = command.ActivityType,
            TaskQueue = new TaskQueue { Name = command.TaskQueue?.Name is { Length: > 0 } name ? name : state.TaskQueue, Kind = TaskQueueKind.Normal },
            Header = command.Header,
            Input = command.Input,
            ScheduleToCloseTimeout = toClose.ToDuration(),
            ScheduleToStartTimeout = toStart.ToDuration(),
            StartToCloseTimeout = startToClose.ToDuration(),
            HeartbeatTimeout = Min(command.HeartbeatTimeout.ToSpan(), startToClose).ToDuration(),
            WorkflowTaskCompletedEventId = completedId,
            RetryPolicy = Retries.WithDefaults(command.RetryPolicy),
            UseWorkflowBuildId = command.UseWorkflowBuildId,
            Priority = command.Priority,
        };
    }

    public static void StartActivity(this RunChange change, ActivityState activity, string identity, string requestId, WorkerVersionStamp? workerVersion)
    {
        activity.StartedAt = change.Now;
        activity.LastHeartbeatAt = null;
        activity.Identity = identity;
        activity.LastIdentity = identity;
        activity.StartRequestId = requestId;
        activity.WorkerVersion = workerVersion;
        change.Touch(activity);
    }

    public static void CompleteActivity(this RunChange change, ActivityState activity, Payloads? result, string identity)
    {
        change.WriteStarted(activity);
        change.Add(new HistoryEvent
        {
            ActivityTaskCompletedEventAttributes = new() { Result = result, ScheduledEventId = activity.ScheduledId, Identity = identity },
        });
        change.Remove(activity);
    }

    /// <summary>Retried if the policy says so, else failed.</summary>
    public static void FailActivity(this RunChange change, ActivityState activity, Failure? failure, Payloads? heartbeatDetails, string identity)
    {
        if (heartbeatDetails is { Payloads_.Count: > 0 }) activity.HeartbeatDetails = heartbeatDetails;
        if (change.TryRetry(activity, failure, out var retryState)) return;
        change.WriteStarted(activity);
        change.Add(new HistoryEvent
        {
            ActivityTaskFailedEventAttributes = new()
            {
                Failure = failure, ScheduledEventId = activity.ScheduledId, Identity = identity, RetryState = retryState,
            },
        });
        change.Remove(activity);
    }

    public static void CancelActivity(this RunChange change, ActivityState activity, Payloads? details, string identity)
    {
        change.WriteStarted(activity);
        change.Add(new HistoryEvent
        {
            ActivityTaskCanceledEventAttributes = new()
            {
                Details = details,
                LatestCancelRequestedEventId = activity.CancelRequestedEventId,
                ScheduledEventId = activity.ScheduledId,
                Identity = identity,
            },
        });
        change.Remove(activity);
    }

    /// <summary>An operator lets it go on, or begin anew.</summary>
    /// <param name="delay">Before the next attempt, if none runs.</param>
    public static void OfferAgain(this RunChange change, ActivityState activity, TimeSpan delay)
    {
        change.Touch(activity);
        if (activity.IsStarted || activity.Pause is not null) return;
        activity.ScheduledAt = change.Now + delay;
        activity.Offered = false;
        if (delay == TimeSpan.Zero) change.OfferedActivities.Add(activity.ScheduledId);
    }

    /// <returns>True when it ended by it; false when it is tried again.</returns>
    public static bool TimeOutActivity(this RunChange change, ActivityState activity, TimeoutType type)
    {
        var failure = TimeoutFailure($"activity {type} timeout", type);
        if (change.TryRetry(activity, failure, out var retryState)) return false;
        if (retryState == RetryState.Timeout && type is not TimeoutType.ScheduleToStart)
        {
            failure = TimeoutFailure("Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying", TimeoutType.ScheduleToClose);
        }
        failure.TimeoutFailureInfo.LastHeartbeatDetails = activity.HeartbeatDetails;
        change.WriteStarted(activity);
        change.Add(new HistoryEvent
        {
            ActivityTaskTimedOutEventAttributes = new() { Failure = failure, ScheduledEventId = activity.ScheduledId, RetryState = retryState },
        });
        change.Remove(activity);
        return true;
    }

    /// <summary>When it times out next, and how; null if it can wait for ever.</summary>
    public static (DateTimeOffset At, TimeoutType Type)? NextTimeout(ActivityState activity)
    {
        (DateTimeOffset At, TimeoutType Type)? next = null;
        void Consider(DateTimeOffset since, TimeSpan limit, TimeoutType type)
        {
            if (limit > TimeSpan.Zero && (next is null || since + limit < next.Value.At)) next = (since + limit, type);
        }
        Consider(activity.FirstScheduledAt, activity.ScheduleToClose, TimeoutType.ScheduleToClose);
        if (activity.StartedAt is { } started)
        {
            Consider(started, activity.StartToClose, TimeoutType.StartToClose);
            if (activity.Heartbeat > TimeSpan.Zero) Consider(activity.LastHeartbeatAt ?? started, activity.Heartbeat + HeartbeatGrace, TimeoutType.Heartbeat);
        }
        else if (activity.Pause is null)
        {
            Consider(activity.ScheduledAt, activity.ScheduleToStart, TimeoutType.ScheduleToStart);
        }
        return next;
    }

    public static Failure TimeoutFailure(string message, TimeoutType type) =>
        new() { Message = message, Source = "Server", TimeoutFailureInfo = new() { TimeoutType = type } };

    /// <summary>The started event of the attempt that ends, at the time it began; none when no worker had it.</summary>
    private static void WriteStarted(this RunChange change, ActivityState activity)
    {
        if (activity.StartedAt is not { } startedAt) return;
        change.Add(
            new HistoryEvent
            {
                ActivityTaskStartedEventAttributes = new()
                {
                    ScheduledEventId = activity.ScheduledId,
                    Identity = activity.Identity,
                    RequestId = activity.StartRequestId,
                    Attempt = activity.CountedAttempt,
                    LastFailure = activity.LastFailure,
                    WorkerVersion = activity.WorkerVersion,
                },
            },
            startedAt);
    }

    private static bool TryRetry(this RunChange change, ActivityState activity, Failure? failure, out RetryState state)
    {
        if (activity.CancelRequested)
        {
            state = RetryState.CancelRequested;
            return false;
        }
        DateTimeOffset? deadline = activity.ScheduleToClose > TimeSpan.Zero ? activity.FirstScheduledAt + activity.ScheduleToClose : null;
        // One that is held back has not used up its attempts: it goes on when it is let go.
        (var delay, state) = activity.Pause is not null && Retries.IsRetryable(failure, activity.RetryPolicy)
            ? (TimeSpan.Zero, RetryState.InProgress)
            : Retries.Next(activity.RetryPolicy, activity.CountedAttempt, failure, change.Now, deadline);
        if (delay is not { } wait) return false;
        activity.Attempt = activity.CountedAttempt + 1;
        if (activity.ResetsHeartbeat) activity.HeartbeatDetails = null;
        activity.ResetRequested = false;
        activity.ResetsHeartbeat = false;
        activity.Offered = false;
        activity.ScheduledAt = change.Now + wait;
        activity.StartedAt = null;
        activity.StartRequestId = "";
        activity.Identity = "";
        activity.LastAttemptCompletedAt = change.Now;
        activity.LastFailure = failure;
        change.Touch(activity);
        if (wait == TimeSpan.Zero && activity.Pause is null) change.OfferedActivities.Add(activity.ScheduledId);
        return true;
    }

    private static void Remove(this RunChange change, ActivityState activity)
    {
        change.State.Activities.Remove(activity.ScheduledId);
        change.OfferedActivities.Remove(activity.ScheduledId);
        change.Touch(activity);
    }

    private static TimeSpan Capped(TimeSpan timeout, TimeSpan runTimeout) => runTimeout > TimeSpan.Zero && timeout > TimeSpan.Zero ? Min(timeout, runTimeout) : timeout;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
