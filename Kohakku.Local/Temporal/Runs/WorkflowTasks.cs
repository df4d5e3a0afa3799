using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>The life of a workflow task: scheduled, started, and completed, failed or timed out.</summary>
internal static class WorkflowTasks
{
    /// <summary>From these on a worker is told that continuing as new would be good.</summary>
    private const long ManyEvents = 4 * 1024;
    private const long ManyBytes = 4 * 1024 * 1024;
    private const int ManyUpdates = 1800;

    /// <summary>From this attempt on the timeout grows, so that a worker that keeps failing is not asked ever again at once.</summary>
    private const int FirstSlowAttempt = 4;
    private static readonly TimeSpan LongestSlowdown = TimeSpan.FromMinutes(10);

    /// <summary>A speculative task that no worker takes becomes a stored one after this.</summary>
    private static readonly TimeSpan SpeculativeScheduleToStart = TimeSpan.FromSeconds(5);

    /// <param name="originalScheduledAt">Of the first heartbeat, when this task goes on with it.</param>
    /// <param name="inline">Its worker is at hand: it is not offered to the queue.</param>
    public static WorkflowTask ScheduleTask(this RunChange change, bool speculative = false, DateTimeOffset? originalScheduledAt = null, bool inline = false)
    {
        var state = change.State;
        if (state.Task is not null) throw new InvalidOperationException($"Run {state.RunId} has a workflow task already.");
        if (state.Buffered.Count > 0)
        {
            // What has come since gives the next attempt something new: it is a first attempt again, and its id follows those events.
            state.TaskAttempt = 1;
            speculative = false;
            change.FlushBuffered();
        }
        var sticky = state.StickyQueue;
        var timeout = Timeout(state);
        var written = !state.IsTransient && !speculative;
        if (written || !speculative) change.Touch();
        var scheduledId = written ? change.Add(ScheduledEvent(state, sticky, timeout, state.TaskAttempt)).EventId : state.NextEventId;
        change.OffersTask = !inline;
        // One that may leave no trace leaves the first task its time too.
        if (!speculative) state.FirstTaskAt = null;
        return state.Task = new WorkflowTask
        {
            ScheduledId = scheduledId,
            Attempt = state.TaskAttempt,
            ScheduledAt = change.Now,
            OriginalScheduledAt = originalScheduledAt ?? change.Now,
            Timeout = timeout,
            Speculative = speculative,
            StickyQueue = sticky,
        };
    }

    /// <summary>Schedules one if none is pending and the run may have one.</summary>
    public static void EnsureTask(this RunChange change)
    {
        if (change.State is { IsRunning: true, Task: null, WaitsForFirstTask: false }) change.ScheduleTask();
    }

    /// <param name="updates">Updates in flight and done, of which too many are a reason to continue as new.</param>
    public static void StartTask(this RunChange change, string queueName, string identity, string requestId, WorkerVersionStamp? workerVersion, int updates)
    {
        var state = change.State;
        var task = state.Task ?? throw new InvalidOperationException($"Run {state.RunId} has no workflow task to start.");
        var written = task.HasEvents;
        if (!written && task.ScheduledId != state.NextEventId)
        {
            // Events came while it waited: they make it a normal task.
            task.Attempt = 1;
            state.TaskAttempt = 1;
            task.Speculative = false;
            written = true;
            var normal = new HistoryEvent
            {
                WorkflowTaskScheduledEventAttributes = new()
                {
                    TaskQueue = queueName == state.TaskQueue ? Normal(state) : Sticky(state, queueName),
                    StartToCloseTimeout = task.Timeout.ToDuration(),
                    Attempt = 1,
                },
            };
            task.ScheduledId = change.Add(normal).EventId;
        }
        task.StartedAt = change.Now;
        task.RequestId = requestId;
        task.Identity = identity;
        task.WorkerVersion = workerVersion;
        task.HistoryBytes = change.HistoryBytes;
        task.SuggestReasons = [.. Reasons(state, updates)];
        task.SuggestContinueAsNew = task.SuggestReasons.Count > 0;
        task.StartedId = written ? change.Add(StartedEvent(task)).EventId : task.ScheduledId + 1;
        if (!task.Speculative) change.Touch();
    }

    /// <returns>The completed event; null when the task was speculative and left no trace.</returns>
    public static HistoryEvent? CompleteTask(this RunChange change, RespondWorkflowTaskCompletedRequest request)
    {
        var state = change.State;
        var task = state.Task!;
        state.Task = null;
        state.TaskAttempt = 1;
        if (task.Speculative && CanDiscard(state, request)) return null;
        WriteMissingEvents(change, task);
        state.LastCompletedTaskStartedId = task.StartedId;
        state.FirstTaskAt = null;
        state.LastWorkerVersion = request.WorkerVersionStamp ?? state.LastWorkerVersion;
        return change.Add(new HistoryEvent
        {
            WorkflowTaskCompletedEventAttributes = new()
            {
                ScheduledEventId = task.ScheduledId,
                StartedEventId = task.StartedId,
                Identity = request.Identity,
                BinaryChecksum = request.BinaryChecksum,
                WorkerVersion = request.WorkerVersionStamp,
                SdkMetadata = request.SdkMetadata,
                MeteringMetadata = request.MeteringMetadata,
            },
        });
    }

    public static void FailTask(
        this RunChange change, WorkflowTaskFailedCause cause, Failure? failure, string identity, string binaryChecksum = "")
    {
        var state = change.State;
        var task = state.Task!;
        change.Touch();
        if (task.Speculative) WriteMissingEvents(change, task);
        if (!state.IsTransient)
        {
            change.Add(new HistoryEvent
            {
                WorkflowTaskFailedEventAttributes = new()
                {
                    ScheduledEventId = task.ScheduledId,
                    StartedEventId = task.StartedId,
                    Cause = cause,
                    Failure = failure,
                    Identity = identity,
                    BinaryChecksum = binaryChecksum,
                },
            });
        }
        EndAttempt(change, countsAsFailure: true);
    }

    /// <summary>A worker had it and did not answer.</summary>
    public static void TimeOutStartedTask(this RunChange change)
    {
        var task = change.State.Task!;
        change.Touch();
        if (task.Speculative) WriteMissingEvents(change, task);
        if (!change.State.IsTransient) change.Add(TimedOutEvent(task, TimeoutType.StartToClose));
        EndAttempt(change, countsAsFailure: true);
    }

    /// <summary>The worker that knows the run did not take it.</summary>
    public static void TimeOutWaitingTask(this RunChange change)
    {
        var state = change.State;
        var task = state.Task!;
        change.Touch();
        if (task.Speculative) task.ScheduledId = change.Add(ScheduledEvent(state, task.StickyQueue, task.Timeout, task.Attempt), task.ScheduledAt).EventId;
        change.Add(TimedOutEvent(task, TimeoutType.ScheduleToStart));
        EndAttempt(change, countsAsFailure: false);
    }

    /// <summary>When the pending task times out, in the state it is in; null if it may wait for ever.</summary>
    public static DateTimeOffset? TaskDeadline(RunState state)
    {
        if (state.Task is not { } task) return null;
        if (task.StartedAt is { } started) return started + task.Timeout;
        if (task.StickyQueue.Length > 0 && state.StickyQueue.Length > 0) return task.ScheduledAt + state.StickyScheduleToStart;
        return task.Speculative ? task.ScheduledAt + SpeculativeScheduleToStart : null;
    }

    /// <summary>The scheduled and, if it has begun, started event of a task whose events are not written yet.</summary>
    public static IEnumerable<HistoryEvent> UnwrittenEvents(RunState state)
    {
        if (state.Task is not { HasEvents: false } task) yield break;
        var scheduled = ScheduledEvent(state, task.StickyQueue, task.Timeout, task.Attempt);
        scheduled.EventId = task.ScheduledId;
        scheduled.EventTime = task.ScheduledAt.ToTimestamp();
        scheduled.EventType = EventType.WorkflowTaskScheduled;
        yield return scheduled;
        if (task.StartedAt is not { } startedAt) yield break;
        var started = StartedEvent(task);
        started.EventId = task.StartedId;
        started.EventTime = startedAt.ToTimestamp();
        started.EventType = EventType.WorkflowTaskStarted;
        yield return started;
    }

    public static TaskQueue Normal(RunState state) => new() { Name = state.TaskQueue, Kind = TaskQueueKind.Normal };

    private static TaskQueue Sticky(RunState state, string name) => new() { Name = name, Kind = TaskQueueKind.Sticky, NormalName = state.TaskQueue };

    private static HistoryEvent ScheduledEvent(RunState state, string sticky, TimeSpan timeout, int attempt) => new()
    {
        WorkflowTaskScheduledEventAttributes = new()
        {
            TaskQueue = sticky.Length > 0 ? Sticky(state, sticky) : Normal(state),
            StartToCloseTimeout = timeout.ToDuration(),
            Attempt = attempt,
        },
    };

    private static HistoryEvent StartedEvent(WorkflowTask task) => new()
    {
        WorkflowTaskStartedEventAttributes = new()
        {
            ScheduledEventId = task.ScheduledId,
            Identity = task.Identity,
            RequestId = task.RequestId,
            SuggestContinueAsNew = task.SuggestContinueAsNew,
            SuggestContinueAsNewReasons = { task.SuggestReasons },
            HistorySizeBytes = task.HistoryBytes,
            WorkerVersion = task.WorkerVersion,
        },
    };

    private static HistoryEvent TimedOutEvent(WorkflowTask task, TimeoutType type) => new()
    {
        WorkflowTaskTimedOutEventAttributes = new() { ScheduledEventId = task.ScheduledId, StartedEventId = task.StartedId, TimeoutType = type },
    };

    private static void WriteMissingEvents(RunChange change, WorkflowTask task)
    {
        if (task.HasEvents) return;
        task.ScheduledId = change.Add(ScheduledEvent(change.State, task.StickyQueue, task.Timeout, task.Attempt), task.ScheduledAt).EventId;
        task.StartedId = change.Add(StartedEvent(task), task.StartedAt).EventId;
    }

    private static void EndAttempt(RunChange change, bool countsAsFailure)
    {
        var state = change.State;
        if (state.StickyQueue.Length > 0)
        {
            // The cache of the worker may be at fault: the whole history is tried first, as a first attempt.
            state.StickyQueue = "";
            countsAsFailure = false;
        }
        state.TaskAttempt = countsAsFailure ? state.TaskAttempt + 1 : 1;
        state.Task = null;
    }

    /// <summary>Nothing came of it but rejected updates, and the worker has seen no event with it.</summary>
    private static bool CanDiscard(RunState state, RespondWorkflowTaskCompletedRequest request)
    {
        const int MostEventsShownAgain = 10;
        if (request.Commands.Count > 0 || request.ForceCreateNewWorkflowTask) return false;
        var shown = state.NextEventId - (state.LastCompletedTaskStartedId + 2);
        if (shown > (request.Capabilities?.DiscardSpeculativeWorkflowTaskWithEvents == true ? MostEventsShownAgain : 0)) return false;
        return request.Messages.All(message => message.Body.Is(Temporalio.Api.Update.V1.Rejection.Descriptor));
    }

    private static IEnumerable<SuggestContinueAsNewReason> Reasons(RunState state, int updates)
    {
        if (state.HistoryBytes >= ManyBytes) yield return SuggestContinueAsNewReason.HistorySizeTooLarge;
        if (state.NextEventId - 1 >= ManyEvents) yield return SuggestContinueAsNewReason.TooManyHistoryEvents;
        if (updates >= ManyUpdates) yield return SuggestContinueAsNewReason.TooManyUpdates;
    }

    private static TimeSpan Timeout(RunState state)
    {
        if (state.TaskAttempt < FirstSlowAttempt) return state.WorkflowTaskTimeout;
        var slowdown = TimeSpan.FromSeconds(5 * Math.Pow(2, Math.Min(state.TaskAttempt - FirstSlowAttempt, 10)));
        return state.WorkflowTaskTimeout + (slowdown < LongestSlowdown ? slowdown : LongestSlowdown);
    }
}
