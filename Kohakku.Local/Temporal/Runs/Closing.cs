using Google.Protobuf;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>How a run ends, and what follows: a run that takes over, word to the parent, the end of its children.</summary>
internal static class Closing
{
    public static async ValueTask<HistoryEvent> CompleteAsync(RunChange change, CompleteWorkflowExecutionCommandAttributes command, long completedId)
    {
        var successor = CronDelay(change) is { } delay
            ? await SucceedAsync(change, ContinueAsNewInitiator.CronSchedule, delay, attributes => attributes.LastCompletionResult = command.Result)
            : null;
        return Close(change, WorkflowExecutionStatus.Completed, successor, new HistoryEvent
        {
            WorkflowExecutionCompletedEventAttributes = new()
            {
                Result = command.Result, WorkflowTaskCompletedEventId = completedId, NewExecutionRunId = IdOf(successor),
            },
        });
    }

    public static async ValueTask<HistoryEvent> FailAsync(RunChange change, Failure failure, long completedId)
    {
        var (successor, retryState) = await RetryOrCronAsync(change, failure);
        return Close(change, WorkflowExecutionStatus.Failed, successor, new HistoryEvent
        {
            WorkflowExecutionFailedEventAttributes = new()
            {
                Failure = failure, RetryState = retryState, WorkflowTaskCompletedEventId = completedId, NewExecutionRunId = IdOf(successor),
            },
        });
    }

    public static HistoryEvent Cancel(RunChange change, Payloads? details, long completedId) =>
        Close(change, WorkflowExecutionStatus.Canceled, null, new HistoryEvent
        {
            WorkflowExecutionCanceledEventAttributes = new() { Details = details, WorkflowTaskCompletedEventId = completedId },
        });

    public static HistoryEvent ContinueAsNew(RunChange change, ContinueAsNewWorkflowExecutionCommandAttributes command, long completedId)
    {
        var state = change.State;
        var type = command.WorkflowType?.Name is { Length: > 0 } ? command.WorkflowType : new WorkflowType { Name = state.WorkflowType };
        var queue = WorkflowTasks.Normal(state);
        if (command.TaskQueue?.Name is { Length: > 0 } name) queue.Name = name;
        var runTimeout = command.WorkflowRunTimeout.ToSpan() is { Ticks: > 0 } given ? given : state.RunTimeout;
        if (state.ExecutionTimeout > TimeSpan.Zero && (runTimeout == TimeSpan.Zero || runTimeout > state.ExecutionTimeout)) runTimeout = state.ExecutionTimeout;
        var taskTimeout = command.WorkflowTaskTimeout.ToSpan() is { Ticks: > 0 } givenTask ? givenTask : state.WorkflowTaskTimeout;
        var initiator = command.Initiator == ContinueAsNewInitiator.Unspecified ? ContinueAsNewInitiator.Workflow : command.Initiator;
        var backoff = command.BackoffStartInterval.ToSpan();
        var attributes = new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = state.WorkflowId,
            WorkflowType = type,
            TaskQueue = queue,
            Input = command.Input,
            Header = command.Header,
            WorkflowExecutionTimeout = state.ExecutionTimeout.ToDuration(),
            WorkflowExecutionExpirationTime = state.ExecutionDeadline?.ToTimestamp(),
            WorkflowRunTimeout = runTimeout.ToDuration(),
            WorkflowTaskTimeout = taskTimeout.ToDuration(),
            RetryPolicy = command.RetryPolicy is null ? null : Retries.WithDefaults(command.RetryPolicy),
            CronSchedule = command.CronSchedule,
            Memo = command.Memo,
            SearchAttributes = command.SearchAttributes,
            Attempt = initiator == ContinueAsNewInitiator.Retry ? state.Attempt + 1 : 1,
            FirstWorkflowTaskBackoff = backoff.ToDuration(),
            ContinuedExecutionRunId = state.RunId.ToString(),
            FirstExecutionRunId = state.FirstRunId.ToString(),
            ContinuedFailure = command.Failure,
            LastCompletionResult = command.LastCompletionResult,
            Initiator = initiator,
            Priority = state.Priority,
        };
        SetParent(attributes, change);
        var successor = NewRuns.Begin(change.Run.Host, Options(change), attributes, change.Now);
        return Close(change, WorkflowExecutionStatus.ContinuedAsNew, successor, new HistoryEvent
        {
            WorkflowExecutionContinuedAsNewEventAttributes = new()
            {
                NewExecutionRunId = IdOf(successor),
                WorkflowType = type,
                TaskQueue = queue,
                Input = command.Input,
                Header = command.Header,
                WorkflowRunTimeout = runTimeout.ToDuration(),
                WorkflowTaskTimeout = taskTimeout.ToDuration(),
                WorkflowTaskCompletedEventId = completedId,
                BackoffStartInterval = backoff.ToDuration(),
                Initiator = initiator,
                Failure = command.Failure,
                LastCompletionResult = command.LastCompletionResult,
                Memo = command.Memo,
                SearchAttributes = command.SearchAttributes,
                InheritBuildId = command.InheritBuildId,
            },
        });
    }

    public static void Terminate(RunChange change, string reason, Payloads? details, string identity, IEnumerable<Link>? links = null)
    {
        FailStartedTask(change);
        Close(change, WorkflowExecutionStatus.Terminated, null, new HistoryEvent
        {
            WorkflowExecutionTerminatedEventAttributes = new() { Reason = reason, Details = details, Identity = identity },
            Links = { links ?? [] },
        });
    }

    /// <summary>Its run or execution timeout is over.</summary>
    public static async ValueTask TimeOutAsync(RunChange change)
    {
        FailStartedTask(change);
        var failure = Activities.TimeoutFailure("workflow timeout", TimeoutType.StartToClose);
        var (successor, retryState) = change.Now >= change.State.ExecutionDeadline
            ? (null, RetryState.Timeout)
            : await RetryOrCronAsync(change, failure);
        Close(change, WorkflowExecutionStatus.TimedOut, successor, new HistoryEvent
        {
            WorkflowExecutionTimedOutEventAttributes = new() { RetryState = retryState, NewExecutionRunId = IdOf(successor) },
        });
    }

    private static void FailStartedTask(RunChange change)
    {
        if (change.State.Task is { IsStarted: true }) change.FailTask(WorkflowTaskFailedCause.ForceCloseCommand, null, RunHost.Identity);
        change.FlushBuffered();
    }

    private static HistoryEvent Close(RunChange change, WorkflowExecutionStatus status, RunChange? successor, HistoryEvent closing)
    {
        var state = change.State;
        change.Add(closing);
        state.Status = status;
        state.CloseTime = change.Now;
        state.Task = null;
        state.FirstTaskAt = null;
        change.OffersTask = false;
        change.OfferedActivities.Clear();
        change.FlushBuffered();
        change.Successor = successor;
        if (successor is null && state.Parent is { } parent)
        {
            change.Owe(new ChildEnded(state.Key, state.WorkflowId, parent.InitiatedEventId, parent.Namespace, parent.WorkflowId, parent.RunId, closing.ToByteArray()));
        }
        foreach (var child in state.Children.Values)
        {
            if (child.ParentClosePolicy is ParentClosePolicy.Terminate or ParentClosePolicy.RequestCancel)
            {
                change.Owe(new ParentEnded(state.Key, state.WorkflowId, child.InitiatedId, child.Namespace, child.WorkflowId, child.RunId, child.ParentClosePolicy));
            }
        }
        DropParts(change);
        return closing;
    }

    /// <summary>What was pending is over; updates and requests stay, as they may be asked for.</summary>
    private static void DropParts(RunChange change)
    {
        var state = change.State;
        foreach (var activity in state.Activities.Values) change.Touch(activity);
        foreach (var timer in state.Timers.Values) change.Touch(timer);
        foreach (var child in state.Children.Values) change.Touch(child);
        foreach (var request in state.ExternalRequests.Values) change.Touch(request);
        state.Activities.Clear();
        state.Timers.Clear();
        state.Children.Clear();
        state.ExternalRequests.Clear();
    }

    private static async ValueTask<(RunChange? Successor, RetryState State)> RetryOrCronAsync(RunChange change, Failure failure)
    {
        var state = change.State;
        var (delay, retryState) = Retries.Next(state.RetryPolicy, state.Attempt, failure, change.Now, state.ExecutionDeadline);
        if (delay is { } wait) return (await SucceedAsync(change, ContinueAsNewInitiator.Retry, wait, attributes => attributes.ContinuedFailure = failure), retryState);
        if (CronDelay(change) is not { } cron) return (null, retryState);
        var last = (await change.Run.StartedAttributesAsync()).LastCompletionResult;
        return (
            await SucceedAsync(change, ContinueAsNewInitiator.CronSchedule, cron, attributes =>
            {
                attributes.ContinuedFailure = failure;
                attributes.LastCompletionResult = last;
            }),
            retryState);
    }


    private static async ValueTask<RunChange> SucceedAsync(
        RunChange change, ContinueAsNewInitiator initiator, TimeSpan delay, Action<WorkflowExecutionStartedEventAttributes> with)
    {
        var attributes = NewRuns.After(change.State, await change.Run.StartedAttributesAsync());
        attributes.Initiator = initiator;
        attributes.Attempt = initiator == ContinueAsNewInitiator.Retry ? change.State.Attempt + 1 : 1;
        attributes.FirstWorkflowTaskBackoff = delay.ToDuration();
        with(attributes);
        return NewRuns.Begin(change.Run.Host, Options(change), attributes, change.Now);
    }

    private static TimeSpan? CronDelay(RunChange change) =>
        change.State.CronSchedule.Length == 0 ? null : Cron.TryParse(change.State.CronSchedule)?.Delay(change.State.ExecutionTime, change.Now);

    private static NewRunOptions Options(RunChange change) => new(change.State.Namespace, Guid.CreateVersion7(), Guid.NewGuid().ToString())
    {
        Parent = change.State.Parent,
        UserMetadata = change.State.UserMetadata,
    };

    private static void SetParent(WorkflowExecutionStartedEventAttributes attributes, RunChange change)
    {
        if (change.State.Parent is not { } parent) return;
        attributes.ParentWorkflowNamespace = parent.Namespace;
        attributes.ParentWorkflowNamespaceId = change.Run.Host.NamespaceId(parent.Namespace);
        attributes.ParentWorkflowExecution = new() { WorkflowId = parent.WorkflowId, RunId = parent.RunId.ToString() };
        attributes.ParentInitiatedEventId = parent.InitiatedEventId;
        attributes.RootWorkflowExecution = change.State.Root;
    }

    private static string IdOf(RunChange? successor) => successor?.State.RunId.ToString() ?? "";
}
