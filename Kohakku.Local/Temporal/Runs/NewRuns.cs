using Google.Protobuf.WellKnownTypes;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>What a run begins with, beside the attributes of its first event.</summary>
/// <param name="RequestId">Of the request that starts it; the same request again finds the same run.</param>
internal sealed record NewRunOptions(string Namespace, Guid RunId, string RequestId)
{
    public ParentLink? Parent { get; init; }
    public UserMetadata? UserMetadata { get; init; }
    public IEnumerable<Link> Links { get; init; } = [];
}

/// <summary>Runs that begin: the first, and those that take over from one that ends.</summary>
internal static class NewRuns
{
    /// <summary>The change that begins a run: its first event, and its first workflow task unless that has to wait.</summary>
    /// <param name="attributes">Complete but for the run's own ids.</param>
    /// <param name="beforeFirstTask">Adds what comes with the start, such as a signal.</param>
    public static RunChange Begin(
        RunHost host, NewRunOptions options, WorkflowExecutionStartedEventAttributes attributes, DateTimeOffset now, Action<RunChange>? beforeFirstTask = null)
    {
        attributes.OriginalExecutionRunId = options.RunId.ToString();
        if (attributes.FirstExecutionRunId.Length == 0) attributes.FirstExecutionRunId = attributes.OriginalExecutionRunId;
        var backoff = attributes.FirstWorkflowTaskBackoff.ToSpan();
        attributes.FirstWorkflowTaskBackoff = backoff.ToDuration();
        var state = StateOf(options, attributes, now, backoff);
        var change = new RunChange(new Run(state.Key, host), state, now, isNew: true);
        var started = change.Add(new HistoryEvent { WorkflowExecutionStartedEventAttributes = attributes, UserMetadata = options.UserMetadata, Links = { options.Links } });
        System.Diagnostics.Debug.Assert(started.EventId == 1, "A run begins with its started event.");
        beforeFirstTask?.Invoke(change);
        change.EnsureTask();
        return change;
    }

    /// <summary>The attributes of a run that follows another after a failure or for its cron schedule: as the one before began.</summary>
    public static WorkflowExecutionStartedEventAttributes After(RunState previous, WorkflowExecutionStartedEventAttributes started)
    {
        var attributes = started.Clone();
        attributes.ContinuedExecutionRunId = previous.RunId.ToString();
        attributes.FirstExecutionRunId = previous.FirstRunId.ToString();
        attributes.Identity = "";
        attributes.LastCompletionResult = null;
        attributes.ContinuedFailure = null;
        return attributes;
    }

    private static RunState StateOf(NewRunOptions options, WorkflowExecutionStartedEventAttributes attributes, DateTimeOffset now, TimeSpan backoff)
    {
        var runTimeout = attributes.WorkflowRunTimeout.ToSpan();
        var executionDeadline = attributes.WorkflowExecutionExpirationTime?.ToDateTimeOffset();
        DateTimeOffset? runDeadline = runTimeout > TimeSpan.Zero ? now + backoff + runTimeout : null;
        if (executionDeadline < runDeadline) runDeadline = executionDeadline;
        return new RunState
        {
            Namespace = options.Namespace,
            RunId = options.RunId,
            WorkflowId = attributes.WorkflowId,
            WorkflowType = attributes.WorkflowType.Name,
            TaskQueue = attributes.TaskQueue.Name,
            StartTime = now,
            ExecutionTime = now + backoff,
            ExecutionTimeout = attributes.WorkflowExecutionTimeout.ToSpan(),
            RunTimeout = runTimeout,
            WorkflowTaskTimeout = attributes.WorkflowTaskTimeout.ToSpan(),
            ExecutionDeadline = executionDeadline,
            RunDeadline = runDeadline,
            FirstRunId = Guid.Parse(attributes.FirstExecutionRunId),
            Parent = options.Parent,
            Root = attributes.RootWorkflowExecution ?? new WorkflowExecution { WorkflowId = attributes.WorkflowId, RunId = attributes.FirstExecutionRunId },
            Attempt = attributes.Attempt,
            RetryPolicy = attributes.RetryPolicy,
            CronSchedule = attributes.CronSchedule,
            StartRequestId = options.RequestId,
            Memo = attributes.Memo?.Clone() ?? new(),
            SearchAttributes = attributes.SearchAttributes?.Clone() ?? new(),
            Priority = attributes.Priority,
            UserMetadata = options.UserMetadata,
            FirstTaskAt = backoff > TimeSpan.Zero ? now + backoff : null,
        };
    }
}
