using Google.Protobuf.Collections;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;

namespace Kohakku.Local.Temporal.Runs.Commands;

/// <summary>Does what the commands of a completed workflow task ask for. All of them were checked before.</summary>
/// <param name="completedId">The event of the task; 0 when it was discarded, and then there is no command.</param>
internal sealed class CommandApply(RunChange change, long completedId, string identity)
{
    private readonly RunState state = change.State;

    /// <summary>An activity that no worker had was canceled: the run is told of it by a task.</summary>
    public bool CanceledWaitingActivity { get; private set; }

    /// <summary>Activities that the worker would like to run itself, at once.</summary>
    public List<ActivityState> Eager { get; } = [];

    public async ValueTask ApplyAsync(Command command, Func<string, Message> takeMessage, Action<Message> handleMessage)
    {
        if (command.CommandType == CommandType.ProtocolMessage)
        {
            handleMessage(takeMessage(command.ProtocolMessageCommandAttributes.MessageId));
            return;
        }
        var written = CommandCheck.IsClosing(command.CommandType) ? await CloseAsync(command) : Apply(command);
        if (written is not null && command.UserMetadata is not null) written.UserMetadata = command.UserMetadata;
    }

    private HistoryEvent Apply(Command command) => command.CommandType switch
    {
        CommandType.ScheduleActivityTask => ScheduleActivity(command.ScheduleActivityTaskCommandAttributes),
        CommandType.RequestCancelActivityTask => CancelActivity(command.RequestCancelActivityTaskCommandAttributes),
        CommandType.StartTimer => StartTimer(command.StartTimerCommandAttributes),
        CommandType.CancelTimer => CancelTimer(command.CancelTimerCommandAttributes),
        CommandType.StartChildWorkflowExecution => StartChild(command.StartChildWorkflowExecutionCommandAttributes),
        CommandType.SignalExternalWorkflowExecution => Signal(command.SignalExternalWorkflowExecutionCommandAttributes),
        CommandType.RequestCancelExternalWorkflowExecution => Cancel(command.RequestCancelExternalWorkflowExecutionCommandAttributes),
        CommandType.RecordMarker => RecordMarker(command.RecordMarkerCommandAttributes),
        CommandType.UpsertWorkflowSearchAttributes => Upsert(command.UpsertWorkflowSearchAttributesCommandAttributes),
        CommandType.ModifyWorkflowProperties => Modify(command.ModifyWorkflowPropertiesCommandAttributes),
        _ => throw new InvalidOperationException($"The command {command.CommandType} was not checked."),
    };

    private async ValueTask<HistoryEvent?> CloseAsync(Command command)
    {
        if (!state.IsRunning) return null;
        return command.CommandType switch
        {
            CommandType.CompleteWorkflowExecution => await Closing.CompleteAsync(change, command.CompleteWorkflowExecutionCommandAttributes, completedId),
            CommandType.FailWorkflowExecution => await Closing.FailAsync(change, command.FailWorkflowExecutionCommandAttributes.Failure, completedId),
            CommandType.CancelWorkflowExecution => Closing.Cancel(change, command.CancelWorkflowExecutionCommandAttributes.Details, completedId),
            _ => Closing.ContinueAsNew(change, command.ContinueAsNewWorkflowExecutionCommandAttributes, completedId),
        };
    }

    private HistoryEvent ScheduleActivity(ScheduleActivityTaskCommandAttributes command)
    {
        var scheduled = change.Add(new HistoryEvent
        {
            ActivityTaskScheduledEventAttributes = Activities.ScheduledAttributes(state, command, completedId),
        });
        var activity = change.ScheduleActivity(command, scheduled);
        if (command.RequestEagerExecution) Eager.Add(activity);
        return scheduled;
    }

    private HistoryEvent CancelActivity(RequestCancelActivityTaskCommandAttributes command)
    {
        var requested = change.Add(new HistoryEvent
        {
            ActivityTaskCancelRequestedEventAttributes = new() { ScheduledEventId = command.ScheduledEventId, WorkflowTaskCompletedEventId = completedId },
        });
        if (!state.Activities.TryGetValue(command.ScheduledEventId, out var activity)) return requested;
        activity.CancelRequested = true;
        activity.CancelRequestedEventId = requested.EventId;
        change.Touch(activity);
        if (!activity.IsStarted)
        {
            change.CancelActivity(activity, JsonPayload.Text("ACTIVITY_ID_NOT_STARTED"), identity);
            CanceledWaitingActivity = true;
        }
        return requested;
    }

    private HistoryEvent StartTimer(StartTimerCommandAttributes command)
    {
        var started = change.Add(new HistoryEvent
        {
            TimerStartedEventAttributes = new() { TimerId = command.TimerId, StartToFireTimeout = command.StartToFireTimeout, WorkflowTaskCompletedEventId = completedId },
        });
        var timer = new TimerState(command.TimerId, started.EventId, change.Now + command.StartToFireTimeout.ToSpan());
        state.Timers.Add(timer.TimerId, timer);
        change.Touch(timer);
        return started;
    }

    private HistoryEvent CancelTimer(CancelTimerCommandAttributes command)
    {
        long startedId;
        if (state.Timers.Remove(command.TimerId, out var timer))
        {
            startedId = timer.StartedId;
            change.Touch(timer);
        }
        else
        {
            var (sequence, fired) = state.Buffered.First(waiting => waiting.Value.TimerFiredEventAttributes?.TimerId == command.TimerId);
            startedId = fired.TimerFiredEventAttributes.StartedEventId;
            state.Buffered.Remove(sequence);
        }
        return change.Add(new HistoryEvent
        {
            TimerCanceledEventAttributes = new() { TimerId = command.TimerId, StartedEventId = startedId, WorkflowTaskCompletedEventId = completedId, Identity = identity },
        });
    }

    private HistoryEvent StartChild(StartChildWorkflowExecutionCommandAttributes command)
    {
        var target = command.Namespace.Length > 0 ? command.Namespace : state.Namespace;
        var initiated = change.Add(new HistoryEvent { StartChildWorkflowExecutionInitiatedEventAttributes = Children.InitiatedAttributes(change, command, target, completedId) });
        var attributes = initiated.StartChildWorkflowExecutionInitiatedEventAttributes;
        var child = new ChildState
        {
            InitiatedId = initiated.EventId,
            Namespace = target,
            WorkflowId = command.WorkflowId,
            WorkflowType = command.WorkflowType.Name,
            ParentClosePolicy = attributes.ParentClosePolicy,
        };
        state.Children.Add(child.InitiatedId, child);
        change.Touch(child);
        change.Owe(new StartChild(state.Key, state.WorkflowId, initiated.EventId, target, command.WorkflowId));
        return initiated;
    }

    private HistoryEvent Signal(SignalExternalWorkflowExecutionCommandAttributes command)
    {
        var target = command.Namespace.Length > 0 ? command.Namespace : state.Namespace;
        var initiated = change.Add(new HistoryEvent
        {
            SignalExternalWorkflowExecutionInitiatedEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedId,
                Namespace = command.Namespace,
                NamespaceId = change.Run.Host.NamespaceId(target),
                WorkflowExecution = new() { WorkflowId = command.Execution.WorkflowId, RunId = command.Execution.RunId },
                SignalName = command.SignalName,
                Input = command.Input,
                Control = command.Control,
                ChildWorkflowOnly = command.ChildWorkflowOnly,
                Header = command.Header,
            },
        });
        Remember(new(initiated.EventId, true, target, command.Execution.WorkflowId, command.Execution.RunId, command.ChildWorkflowOnly, command.Control));
        change.Owe(new SignalOther(
            state.Key, state.WorkflowId, initiated.EventId, target, command.Execution.WorkflowId, RunIdOf(command.Execution.RunId), command.ChildWorkflowOnly));
        return initiated;
    }

    private HistoryEvent Cancel(RequestCancelExternalWorkflowExecutionCommandAttributes command)
    {
        var target = command.Namespace.Length > 0 ? command.Namespace : state.Namespace;
        var control = command.Control;
        var initiated = change.Add(new HistoryEvent
        {
            RequestCancelExternalWorkflowExecutionInitiatedEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedId,
                Namespace = command.Namespace,
                NamespaceId = change.Run.Host.NamespaceId(target),
                WorkflowExecution = new() { WorkflowId = command.WorkflowId, RunId = command.RunId },
                Control = control,
                ChildWorkflowOnly = command.ChildWorkflowOnly,
                Reason = command.Reason,
            },
        });
        Remember(new(initiated.EventId, false, target, command.WorkflowId, command.RunId, command.ChildWorkflowOnly, control));
        change.Owe(new CancelOther(
            state.Key, state.WorkflowId, initiated.EventId, target, command.WorkflowId, RunIdOf(command.RunId), command.ChildWorkflowOnly, command.Reason));
        return initiated;
    }

    private HistoryEvent RecordMarker(RecordMarkerCommandAttributes command)
    {
        var attributes = new MarkerRecordedEventAttributes
        {
            MarkerName = command.MarkerName, WorkflowTaskCompletedEventId = completedId, Header = command.Header, Failure = command.Failure,
        };
        attributes.Details.Add(command.Details);
        return change.Add(new HistoryEvent { MarkerRecordedEventAttributes = attributes });
    }

    private HistoryEvent Upsert(UpsertWorkflowSearchAttributesCommandAttributes command)
    {
        Merge(state.SearchAttributes.IndexedFields, command.SearchAttributes.IndexedFields);
        return change.Add(new HistoryEvent
        {
            UpsertWorkflowSearchAttributesEventAttributes = new() { WorkflowTaskCompletedEventId = completedId, SearchAttributes = command.SearchAttributes },
        });
    }

    private HistoryEvent Modify(ModifyWorkflowPropertiesCommandAttributes command)
    {
        Merge(state.Memo.Fields, command.UpsertedMemo.Fields);
        return change.Add(new HistoryEvent
        {
            WorkflowPropertiesModifiedEventAttributes = new() { WorkflowTaskCompletedEventId = completedId, UpsertedMemo = command.UpsertedMemo },
        });
    }

    private void Remember(ExternalRequestState request)
    {
        state.ExternalRequests.Add(request.InitiatedId, request);
        change.Touch(request);
    }

    /// <summary>A null takes a field away.</summary>
    private static void Merge(MapField<string, Payload> fields, MapField<string, Payload> changes)
    {
        foreach (var (name, value) in changes)
        {
            if (JsonPayload.IsNil(value)) fields.Remove(name);
            else fields[name] = value;
        }
    }

    private static Guid? RunIdOf(string text) => text.Length == 0 ? null : Guid.Parse(text);
}
