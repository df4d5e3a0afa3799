using Google.Protobuf;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Runs.Commands;

/// <summary>
/// Whether all that a completed workflow task asks for can be done, before any of it is: a task is applied as a whole or not at all. It follows
/// the commands in their order, as a later one may depend on an earlier one (a timer canceled and started again).
/// </summary>
internal sealed class CommandCheck
{
    private const int LongestId = 1000;
    private const int LargestPayload = 2 * 1024 * 1024;

    /// <summary>Of each kind: activities, children, signals and cancels under way.</summary>
    private const int MostPending = 2000;

    private readonly RunState state;
    private readonly SearchAttributeRegistry searchAttributes;
    private readonly HashSet<string> timers;
    private readonly HashSet<string> activityIds;
    private readonly HashSet<string> firedTimers;
    private readonly HashSet<string> newChildren = [];
    private readonly Dictionary<string, Message> messages;
    private int pendingActivities;
    private int pendingChildren;
    private int pendingSignals;
    private int pendingCancels;
    private int buffered;

    private CommandCheck(RunState state, RespondWorkflowTaskCompletedRequest request, SearchAttributeRegistry searchAttributes)
    {
        this.state = state;
        this.searchAttributes = searchAttributes;
        timers = [.. state.Timers.Keys];
        activityIds = [.. state.Activities.Values.Select(activity => activity.ActivityId)];
        firedTimers = [.. state.Buffered.Values.Where(waiting => waiting.EventType == EventType.TimerFired).Select(waiting => waiting.TimerFiredEventAttributes.TimerId)];
        messages = request.Messages.ToDictionary(message => message.Id);
        pendingActivities = state.Activities.Count;
        pendingChildren = state.Children.Count;
        pendingSignals = state.ExternalRequests.Values.Count(pending => pending.Signal);
        pendingCancels = state.ExternalRequests.Count - pendingSignals;
        buffered = state.Buffered.Count;
    }

    /// <returns>The first fault; null when there is none.</returns>
    public static CommandFault? Fault(RunState state, RespondWorkflowTaskCompletedRequest request, SearchAttributeRegistry searchAttributes)
    {
        var check = new CommandCheck(state, request, searchAttributes);
        foreach (var command in request.Commands)
        {
            if (check.Fault(command) is { } fault) return fault;
        }
        if (request.Commands.SkipLast(1).FirstOrDefault(command => IsClosing(command.CommandType)) is { } closing)
        {
            var sequence = string.Join(", ", request.Commands.Select(command => command.CommandType));
            return new(WorkflowTaskFailedCause.Unspecified, $"invalid command sequence: [{sequence}], command {closing.CommandType} must be the last command.");
        }
        return null;
    }

    public static bool IsClosing(CommandType type) => type is CommandType.CompleteWorkflowExecution or CommandType.FailWorkflowExecution
        or CommandType.CancelWorkflowExecution or CommandType.ContinueAsNewWorkflowExecution;

    private CommandFault? Fault(Command command) => command.CommandType switch
    {
        CommandType.ScheduleActivityTask => Activity(command.ScheduleActivityTaskCommandAttributes),
        CommandType.RequestCancelActivityTask => CancelActivity(command.RequestCancelActivityTaskCommandAttributes),
        CommandType.StartTimer => StartTimer(command.StartTimerCommandAttributes),
        CommandType.CancelTimer => CancelTimer(command.CancelTimerCommandAttributes),
        CommandType.StartChildWorkflowExecution => StartChild(command.StartChildWorkflowExecutionCommandAttributes),
        CommandType.SignalExternalWorkflowExecution => Signal(command.SignalExternalWorkflowExecutionCommandAttributes),
        CommandType.RequestCancelExternalWorkflowExecution => Cancel(command.RequestCancelExternalWorkflowExecutionCommandAttributes),
        CommandType.RecordMarker => Marker(command.RecordMarkerCommandAttributes),
        CommandType.UpsertWorkflowSearchAttributes => Upsert(command.UpsertWorkflowSearchAttributesCommandAttributes),
        CommandType.ModifyWorkflowProperties => Modify(command.ModifyWorkflowPropertiesCommandAttributes),
        CommandType.ProtocolMessage => ProtocolMessage(command.ProtocolMessageCommandAttributes),
        CommandType.CompleteWorkflowExecution => Closing(
            command.CompleteWorkflowExecutionCommandAttributes, WorkflowTaskFailedCause.BadCompleteWorkflowExecutionAttributes, command.CompleteWorkflowExecutionCommandAttributes?.Result),
        CommandType.FailWorkflowExecution => Closing(
            command.FailWorkflowExecutionCommandAttributes?.Failure, WorkflowTaskFailedCause.BadFailWorkflowExecutionAttributes, command.FailWorkflowExecutionCommandAttributes?.Failure),
        CommandType.CancelWorkflowExecution => Closing(
            command.CancelWorkflowExecutionCommandAttributes, WorkflowTaskFailedCause.BadCancelWorkflowExecutionAttributes, command.CancelWorkflowExecutionCommandAttributes?.Details),
        CommandType.ContinueAsNewWorkflowExecution => ContinueAsNew(command.ContinueAsNewWorkflowExecutionCommandAttributes),
        CommandType.ScheduleNexusOperation => ScheduleNexus(command.ScheduleNexusOperationCommandAttributes),
        CommandType.RequestCancelNexusOperation => CancelNexus(command.RequestCancelNexusOperationCommandAttributes),
        _ => new CommandFault(WorkflowTaskFailedCause.Unspecified, $"Unknown command type: {command.CommandType}"),
    };

    private CommandFault? Activity(ScheduleActivityTaskCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadScheduleActivityAttributes;
        if (command is null) return new(Bad, "ScheduleActivityTaskCommandAttributes is not set on ScheduleActivityTaskCommand.");
        if (Id(command.ActivityId, "ActivityId", "ScheduleActivityTaskCommand") is { } id) return new(Bad, id);
        if (Id(command.ActivityType?.Name, "ActivityType", "ScheduleActivityTaskCommand") is { } type) return new(Bad, type);
        var timeouts = new[]
        {
            (command.ScheduleToCloseTimeout, "ScheduleToCloseTimeout"), (command.ScheduleToStartTimeout, "ScheduleToStartTimeout"),
            (command.StartToCloseTimeout, "StartToCloseTimeout"), (command.HeartbeatTimeout, "HeartbeatTimeout"),
        };
        foreach (var (timeout, name) in timeouts)
        {
            if (timeout.ToSpan() < TimeSpan.Zero) return new(Bad, $"invalid {name}: negative duration");
        }
        if (command.ScheduleToCloseTimeout.ToSpan() == TimeSpan.Zero && command.StartToCloseTimeout.ToSpan() == TimeSpan.Zero)
        {
            return new(Bad, $"a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId={command.ActivityId} ActivityType={command.ActivityType!.Name}");
        }
        if (command.RetryPolicy is { } given && Retries.Fault(Retries.WithDefaults(given)) is { } policy) return new(Bad, policy);
        if (TooLarge(command.Input)) return new(Bad, "ScheduleActivityTaskCommandAttributes.Input exceeds size limit.", TerminatesRun: true);
        if (++pendingActivities > MostPending)
        {
            return new(WorkflowTaskFailedCause.PendingActivitiesLimitExceeded, $"the number of pending activities, {MostPending}, has reached the per-workflow limit of {MostPending}");
        }
        return activityIds.Add(command.ActivityId) ? null : new(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, $"ActivityId already in use: {command.ActivityId}");
    }

    private CommandFault? CancelActivity(RequestCancelActivityTaskCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadRequestCancelActivityAttributes;
        if (command is null) return new(Bad, "RequestCancelActivityTaskCommandAttributes is not set on RequestCancelActivityTaskCommand.");
        if (command.ScheduledEventId <= 0) return new(Bad, "ScheduledEventId is not set on RequestCancelActivityTaskCommand.");
        if (state.Activities.TryGetValue(command.ScheduledEventId, out var activity))
        {
            if (!activity.IsStarted && activityIds.Remove(activity.ActivityId)) pendingActivities--;
            return null;
        }
        // Its end may be among the events that wait.
        return state.Buffered.Values.Any(waiting => EndedActivity(waiting) == command.ScheduledEventId)
            ? null
            : new(Bad, $"unknown activity with schedule event id {command.ScheduledEventId}");
    }

    private static long EndedActivity(Temporalio.Api.History.V1.HistoryEvent waiting) => waiting.EventType switch
    {
        EventType.ActivityTaskCompleted => waiting.ActivityTaskCompletedEventAttributes.ScheduledEventId,
        EventType.ActivityTaskFailed => waiting.ActivityTaskFailedEventAttributes.ScheduledEventId,
        EventType.ActivityTaskTimedOut => waiting.ActivityTaskTimedOutEventAttributes.ScheduledEventId,
        EventType.ActivityTaskCanceled => waiting.ActivityTaskCanceledEventAttributes.ScheduledEventId,
        _ => 0,
    };

    private CommandFault? StartTimer(StartTimerCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadStartTimerAttributes;
        if (command is null) return new(Bad, "StartTimerCommandAttributes is not set on StartTimerCommand.");
        if (Id(command.TimerId, "TimerId", "StartTimerCommand") is { } id) return new(Bad, id);
        if (command.StartToFireTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, $"An invalid StartToFireTimeout is set on StartTimerCommand: negative duration. TimerId={command.TimerId}");
        return timers.Add(command.TimerId) ? null : new(WorkflowTaskFailedCause.StartTimerDuplicateId, $"TimerId already in use: {command.TimerId}");
    }

    private CommandFault? CancelTimer(CancelTimerCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadCancelTimerAttributes;
        if (command is null) return new(Bad, "CancelTimerCommandAttributes is not set on CancelTimerCommand.");
        if (Id(command.TimerId, "TimerId", "CancelTimerCommand") is { } id) return new(Bad, id);
        if (timers.Remove(command.TimerId)) return null;
        // It has fired, but no worker knows of it: it counts as canceled.
        if (!firedTimers.Remove(command.TimerId)) return new(Bad, $"unknown timer {command.TimerId}");
        buffered--;
        return null;
    }

    private CommandFault? StartChild(StartChildWorkflowExecutionCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadStartChildExecutionAttributes;
        if (command is null) return new(Bad, "StartChildWorkflowExecutionCommandAttributes is not set on StartChildWorkflowExecutionCommand.");
        if (Id(command.WorkflowId, "WorkflowId", "StartChildWorkflowExecutionCommand") is { } id) return new(Bad, id);
        if (Id(command.WorkflowType?.Name, "WorkflowType", "StartChildWorkflowExecutionCommand") is { } type) return new(Bad, type);
        if (command.WorkflowExecutionTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, $"Invalid WorkflowExecutionTimeout on StartChildWorkflowExecutionCommand: negative duration. WorkflowId={command.WorkflowId}");
        if (command.WorkflowRunTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, $"Invalid WorkflowRunTimeout on StartChildWorkflowExecutionCommand: negative duration. WorkflowId={command.WorkflowId}");
        if (command.WorkflowTaskTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, $"Invalid WorkflowTaskTimeout on StartChildWorkflowExecutionCommand: negative duration. WorkflowId={command.WorkflowId}");
        if (command.RetryPolicy is { } given && Retries.Fault(Retries.WithDefaults(given)) is { } policy) return new(Bad, $"invalid WorkflowRetryPolicy on StartChildWorkflowExecutionCommand: {policy} WorkflowId={command.WorkflowId}");
        if (command.CronSchedule.Length > 0 && Cron.TryParse(command.CronSchedule) is null) return new(Bad, $"invalid CronSchedule on StartChildWorkflowExecutionCommand: invalid CronSchedule. WorkflowId={command.WorkflowId}");
        if (SearchAttributes(command.SearchAttributes) is { } attributes) return attributes;
        if (TooLarge(command.Input)) return new(Bad, "StartChildWorkflowExecutionCommandAttributes. Input exceeds size limit.", TerminatesRun: true);
        if (TooLarge(command.Memo)) return new(Bad, "StartChildWorkflowExecutionCommandAttributes.Memo exceeds size limit.", TerminatesRun: true);
        if (++pendingChildren > MostPending)
        {
            return new(WorkflowTaskFailedCause.PendingChildWorkflowsLimitExceeded, $"the number of pending child workflow executions, {MostPending}, has reached the per-workflow limit of {MostPending}");
        }
        newChildren.Add(command.WorkflowId);
        return null;
    }

    private CommandFault? Signal(SignalExternalWorkflowExecutionCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadSignalWorkflowExecutionAttributes;
        if (command?.Execution is null) return new(Bad, "Execution is not set on SignalExternalWorkflowExecutionCommand.");
        if (Id(command.Execution.WorkflowId, "WorkflowId", "SignalExternalWorkflowExecutionCommand") is { } id) return new(Bad, id);
        if (command.Execution.RunId.Length > 0 && !Guid.TryParse(command.Execution.RunId, out _)) return new(Bad, $"Invalid RunId set on SignalExternalWorkflowExecutionCommand. WorkflowId={command.Execution.WorkflowId}");
        if (command.SignalName.Length == 0) return new(Bad, $"SignalName is not set on SignalExternalWorkflowExecutionCommand. WorkflowId={command.Execution.WorkflowId}");
        if (TooLarge(command.Input)) return new(Bad, "SignalExternalWorkflowExecutionCommandAttributes.Input exceeds size limit.", TerminatesRun: true);
        return ++pendingSignals > MostPending
            ? new(WorkflowTaskFailedCause.PendingSignalsLimitExceeded, $"the number of pending signals to external workflows, {MostPending}, has reached the per-workflow limit of {MostPending}")
            : null;
    }

    private CommandFault? Cancel(RequestCancelExternalWorkflowExecutionCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadRequestCancelExternalWorkflowExecutionAttributes;
        if (command is null) return new(Bad, "RequestCancelExternalWorkflowExecutionCommandAttributes is not set on RequestCancelExternalWorkflowExecutionCommand.");
        if (Id(command.WorkflowId, "WorkflowId", "RequestCancelExternalWorkflowExecutionCommand") is { } id) return new(Bad, id);
        if (command.RunId.Length > 0 && !Guid.TryParse(command.RunId, out _)) return new(Bad, $"Invalid RunId set on RequestCancelExternalWorkflowExecutionCommand. WorkflowId={command.WorkflowId}");
        if (newChildren.Contains(command.WorkflowId))
        {
            return new(Bad, $"Start and RequestCancel for child workflow is not allowed in same workflow task. WorkflowId={command.WorkflowId} RunId={command.RunId} Namespace={command.Namespace}");
        }
        return ++pendingCancels > MostPending
            ? new(WorkflowTaskFailedCause.PendingRequestCancelLimitExceeded, $"the number of pending requests to cancel external workflows, {MostPending}, has reached the per-workflow limit of {MostPending}")
            : null;
    }

    private static CommandFault? Marker(RecordMarkerCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadRecordMarkerAttributes;
        if (command is null) return new(Bad, "RecordMarkerCommandAttributes is not set on RecordMarkerCommand.");
        if (Id(command.MarkerName, "MarkerName", "RecordMarkerCommand") is { } id) return new(Bad, id);
        return command.Details.Values.Sum(details => (long)details.CalculateSize()) > LargestPayload
            ? new(Bad, "RecordMarkerCommandAttributes.Details exceeds size limit.", TerminatesRun: true)
            : null;
    }

    private CommandFault? Upsert(UpsertWorkflowSearchAttributesCommandAttributes? command) =>
        command?.SearchAttributes is null or { IndexedFields.Count: 0 }
            ? new(WorkflowTaskFailedCause.BadSearchAttributes, "IndexedFields is not set on UpsertWorkflowSearchAttributesCommand.")
            : SearchAttributes(command.SearchAttributes);

    private static CommandFault? Modify(ModifyWorkflowPropertiesCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadModifyWorkflowPropertiesAttributes;
        if (command?.UpsertedMemo is null or { Fields.Count: 0 }) return new(Bad, "UpsertedMemo.Fields is not set on ModifyWorkflowPropertiesCommand.");
        return TooLarge(command.UpsertedMemo) ? new(Bad, "ModifyWorkflowPropertiesCommandAttributes exceeds size limit.", TerminatesRun: true) : null;
    }

    private CommandFault? ProtocolMessage(ProtocolMessageCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage;
        if (command is null) return new(Bad, "ProtocolMessageCommandAttributes is not set on ProtocolMessageCommand.");
        if (command.MessageId.Length == 0) return new(Bad, "MessageID is not set on ProtocolMessageCommand.");
        return messages.Remove(command.MessageId) ? null : new(Bad, $"ProtocolMessageCommand referenced absent message ID {command.MessageId}");
    }

    private CommandFault? ContinueAsNew(ContinueAsNewWorkflowExecutionCommandAttributes? command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadContinueAsNewAttributes;
        if (Closing(command, Bad, command?.Input) is { } closing) return closing;
        if (command!.WorkflowRunTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, "Invalid WorkflowRunTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration.");
        if (command.WorkflowTaskTimeout.ToSpan() < TimeSpan.Zero) return new(Bad, "Invalid WorkflowTaskTimeout on ContinueAsNewWorkflowExecutionCommand: negative duration.");
        if (command.BackoffStartInterval.ToSpan() < TimeSpan.Zero) return new(Bad, "Invalid BackoffStartInterval on ContinueAsNewWorkflowExecutionCommand: negative duration.");
        if (command.RetryPolicy is { } given && Retries.Fault(Retries.WithDefaults(given)) is { } policy) return new(Bad, $"invalid WorkflowRetryPolicy on ContinueAsNewWorkflowExecutionCommand: {policy}");
        return SearchAttributes(command.SearchAttributes);
    }

    /// <summary>There is no endpoint here, which the workflow's author shall read, rather than that the worker is wrong.</summary>
    private static CommandFault ScheduleNexus(ScheduleNexusOperationCommandAttributes? command) => new(
        WorkflowTaskFailedCause.BadScheduleNexusOperationAttributes,
        command is null ? "empty ScheduleNexusOperationCommandAttributes" : $"endpoint \"{command.Endpoint}\" not found");

    private static CommandFault CancelNexus(RequestCancelNexusOperationCommandAttributes? command) => new(
        WorkflowTaskFailedCause.BadRequestCancelNexusOperationAttributes,
        command is null
            ? "empty CancelNexusOperationCommandAttributes"
            : $"requested cancelation for a non-existing or already completed operation with scheduled event ID of {command.ScheduledEventId}");

    private CommandFault? Closing(object? attributes, WorkflowTaskFailedCause bad, IMessage? payload)
    {
        if (buffered > 0) return new(WorkflowTaskFailedCause.UnhandledCommand, null);
        if (attributes is null) return new(bad, "The attributes of the command are not set.");
        return TooLarge(payload) ? new(bad, "The payload of the command exceeds size limit.", TerminatesRun: true) : null;
    }

    private CommandFault? SearchAttributes(SearchAttributes? attributes) =>
        attributes is not null && searchAttributes.Fault(state.Namespace, attributes) is { } fault ? new(WorkflowTaskFailedCause.BadSearchAttributes, fault) : null;

    private static string? Id(string? value, string field, string command)
    {
        if (string.IsNullOrEmpty(value)) return $"{field} is not set on {command}.";
        return value.Length > LongestId ? $"{field} on {command} exceeds length limit. {field}={value} Length={value.Length} Limit={LongestId}" : null;
    }

    private static bool TooLarge(IMessage? payload) => payload is not null && payload.CalculateSize() > LargestPayload;
}
