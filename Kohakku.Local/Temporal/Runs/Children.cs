using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.TaskQueue.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>A parent's side of its children: what its history says of them.</summary>
internal static class Children
{
    public static readonly TimeSpan DefaultTaskTimeout = TimeSpan.FromSeconds(10);

    public static StartChildWorkflowExecutionInitiatedEventAttributes InitiatedAttributes(
        RunChange change, StartChildWorkflowExecutionCommandAttributes command, string target, long completedId)
    {
        var executionTimeout = command.WorkflowExecutionTimeout.ToSpan();
        var runTimeout = command.WorkflowRunTimeout.ToSpan();
        if (executionTimeout > TimeSpan.Zero && (runTimeout == TimeSpan.Zero || runTimeout > executionTimeout)) runTimeout = executionTimeout;
        var taskTimeout = command.WorkflowTaskTimeout.ToSpan() is { Ticks: > 0 } given ? given : DefaultTaskTimeout;
        return new StartChildWorkflowExecutionInitiatedEventAttributes
        {
            Namespace = target,
            NamespaceId = change.Run.Host.NamespaceId(target),
            WorkflowId = command.WorkflowId,
            WorkflowType = command.WorkflowType,
            TaskQueue = new TaskQueue { Name = command.TaskQueue?.Name is { Length: > 0 } name ? name : change.State.TaskQueue, Kind = TaskQueueKind.Normal },
            Input = command.Input,
            WorkflowExecutionTimeout = command.WorkflowExecutionTimeout,
            WorkflowRunTimeout = runTimeout.ToDuration(),
            WorkflowTaskTimeout = taskTimeout.ToDuration(),
            ParentClosePolicy = command.ParentClosePolicy == ParentClosePolicy.Unspecified ? ParentClosePolicy.Terminate : command.ParentClosePolicy,
            Control = command.Control,
            InheritBuildId = command.InheritBuildId,
            WorkflowTaskCompletedEventId = completedId,
            WorkflowIdReusePolicy = command.WorkflowIdReusePolicy == WorkflowIdReusePolicy.Unspecified ? WorkflowIdReusePolicy.AllowDuplicate : command.WorkflowIdReusePolicy,
            RetryPolicy = command.RetryPolicy is null ? null : Retries.WithDefaults(command.RetryPolicy),
            CronSchedule = command.CronSchedule,
            Header = command.Header,
            Memo = command.Memo,
            SearchAttributes = command.SearchAttributes,
            Priority = command.Priority,
        };
    }

    /// <summary>What the child begins with.</summary>
    public static WorkflowExecutionStartedEventAttributes StartedAttributes(
        StartChildWorkflowExecutionInitiatedEventAttributes initiated, RunHost host, RunState parent, long initiatedId, DateTimeOffset now)
    {
        var executionTimeout = initiated.WorkflowExecutionTimeout.ToSpan();
        var backoff = initiated.CronSchedule.Length > 0 ? Cron.TryParse(initiated.CronSchedule)?.Delay(now, now) ?? TimeSpan.Zero : TimeSpan.Zero;
        return new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = initiated.WorkflowId,
            WorkflowType = initiated.WorkflowType,
            ParentWorkflowNamespace = parent.Namespace,
            ParentWorkflowNamespaceId = host.NamespaceId(parent.Namespace),
            ParentWorkflowExecution = parent.Execution,
            ParentInitiatedEventId = initiatedId,
            RootWorkflowExecution = parent.Root,
            TaskQueue = initiated.TaskQueue,
            Input = initiated.Input,
            Header = initiated.Header,
            WorkflowExecutionTimeout = initiated.WorkflowExecutionTimeout,
            WorkflowExecutionExpirationTime = executionTimeout > TimeSpan.Zero ? (now + executionTimeout + backoff).ToTimestamp() : null,
            WorkflowRunTimeout = initiated.WorkflowRunTimeout,
            WorkflowTaskTimeout = initiated.WorkflowTaskTimeout,
            RetryPolicy = initiated.RetryPolicy,
            CronSchedule = initiated.CronSchedule,
            Memo = initiated.Memo,
            SearchAttributes = initiated.SearchAttributes,
            Attempt = 1,
            FirstWorkflowTaskBackoff = backoff.ToDuration(),
            Initiator = initiated.CronSchedule.Length > 0 ? ContinueAsNewInitiator.CronSchedule : ContinueAsNewInitiator.Unspecified,
            Priority = initiated.Priority ?? parent.Priority,
        };
    }

    public static void ChildStarted(this RunChange change, ChildState child, Guid runId, Header? header)
    {
        child.RunId = runId;
        change.Touch(child);
        change.Add(new HistoryEvent
        {
            ChildWorkflowExecutionStartedEventAttributes = new()
            {
                Namespace = child.Namespace,
                NamespaceId = change.Run.Host.NamespaceId(child.Namespace),
                InitiatedEventId = child.InitiatedId,
                WorkflowExecution = new() { WorkflowId = child.WorkflowId, RunId = runId.ToString() },
                WorkflowType = new() { Name = child.WorkflowType },
                Header = header,
            },
        });
        change.EnsureTask();
    }

    public static void ChildStartFailed(this RunChange change, ChildState child, StartChildWorkflowExecutionFailedCause cause, StartChildWorkflowExecutionInitiatedEventAttributes initiated)
    {
        Remove(change, child);
        change.Add(new HistoryEvent
        {
            StartChildWorkflowExecutionFailedEventAttributes = new()
            {
                Namespace = child.Namespace,
                NamespaceId = change.Run.Host.NamespaceId(child.Namespace),
                WorkflowId = child.WorkflowId,
                WorkflowType = new() { Name = child.WorkflowType },
                Cause = cause,
                Control = initiated.Control,
                InitiatedEventId = child.InitiatedId,
                WorkflowTaskCompletedEventId = initiated.WorkflowTaskCompletedEventId,
            },
        });
        change.EnsureTask();
    }

    /// <param name="runId">The run that ended, which is a later one than began when the child continued as new.</param>
    public static void ChildEnded(this RunChange change, ChildState child, Guid runId, HistoryEvent close)
    {
        Remove(change, child);
        var execution = new WorkflowExecution { WorkflowId = child.WorkflowId, RunId = runId.ToString() };
        var type = new WorkflowType { Name = child.WorkflowType };
        var namespaceId = change.Run.Host.NamespaceId(child.Namespace);
        change.Add(close.EventType switch
        {
            EventType.WorkflowExecutionCompleted => new HistoryEvent
            {
                ChildWorkflowExecutionCompletedEventAttributes = new()
                {
                    Result = close.WorkflowExecutionCompletedEventAttributes.Result,
                    Namespace = child.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution, WorkflowType = type,
                    InitiatedEventId = child.InitiatedId, StartedEventId = child.StartedId,
                },
            },
            EventType.WorkflowExecutionFailed => new HistoryEvent
            {
                ChildWorkflowExecutionFailedEventAttributes = new()
                {
                    Failure = close.WorkflowExecutionFailedEventAttributes.Failure,
                    RetryState = close.WorkflowExecutionFailedEventAttributes.RetryState,
                    Namespace = child.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution, WorkflowType = type,
                    InitiatedEventId = child.InitiatedId, StartedEventId = child.StartedId,
                },
            },
            EventType.WorkflowExecutionCanceled => new HistoryEvent
            {
                ChildWorkflowExecutionCanceledEventAttributes = new()
                {
                    Details = close.WorkflowExecutionCanceledEventAttributes.Details,
                    Namespace = child.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution, WorkflowType = type,
                    InitiatedEventId = child.InitiatedId, StartedEventId = child.StartedId,
                },
            },
            EventType.WorkflowExecutionTimedOut => new HistoryEvent
            {
                ChildWorkflowExecutionTimedOutEventAttributes = new()
                {
                    RetryState = close.WorkflowExecutionTimedOutEventAttributes.RetryState,
                    Namespace = child.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution, WorkflowType = type,
                    InitiatedEventId = child.InitiatedId, StartedEventId = child.StartedId,
                },
            },
            EventType.WorkflowExecutionTerminated => new HistoryEvent
            {
                ChildWorkflowExecutionTerminatedEventAttributes = new()
                {
                    Namespace = child.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution, WorkflowType = type,
                    InitiatedEventId = child.InitiatedId, StartedEventId = child.StartedId,
                },
            },
            _ => throw new InvalidOperationException($"A child does not end by {close.EventType}."),
        });
        change.EnsureTask();
    }

    private static void Remove(RunChange change, ChildState child)
    {
        change.State.Children.Remove(child.InitiatedId);
        change.Touch(child);
    }
}
