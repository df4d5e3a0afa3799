using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>What kind an event is, by the attributes it bears, and how it is treated while a workflow task runs.</summary>
internal static class EventTypes
{
    private const string AttributesSuffix = "EventAttributes";

    private static readonly Dictionary<HistoryEvent.AttributesOneofCase, EventType> Types = Enum.GetValues<HistoryEvent.AttributesOneofCase>()
        .Where(attributes => attributes != HistoryEvent.AttributesOneofCase.None)
        .ToDictionary(attributes => attributes, attributes => Enum.Parse<EventType>(attributes.ToString()[..^AttributesSuffix.Length]));

    public static EventType Of(HistoryEvent historyEvent) => Types[historyEvent.AttributesCase];

    /// <summary>
    /// It waits until the workflow task that runs is over, because a worker decides on what it was given. What ends a run, what happens to the
    /// task itself, and what its commands and messages bring are written at once.
    /// </summary>
    public static bool WaitsForTask(EventType type) => type switch
    {
        EventType.WorkflowExecutionStarted or EventType.WorkflowExecutionCompleted or EventType.WorkflowExecutionFailed
            or EventType.WorkflowExecutionTimedOut or EventType.WorkflowExecutionTerminated or EventType.WorkflowExecutionContinuedAsNew
            or EventType.WorkflowExecutionCanceled => false,
        EventType.WorkflowTaskScheduled or EventType.WorkflowTaskStarted or EventType.WorkflowTaskCompleted or EventType.WorkflowTaskFailed
            or EventType.WorkflowTaskTimedOut => false,
        EventType.ActivityTaskScheduled or EventType.ActivityTaskCancelRequested or EventType.TimerStarted or EventType.TimerCanceled
            or EventType.RequestCancelExternalWorkflowExecutionInitiated or EventType.MarkerRecorded or EventType.StartChildWorkflowExecutionInitiated
            or EventType.SignalExternalWorkflowExecutionInitiated or EventType.UpsertWorkflowSearchAttributes or EventType.WorkflowPropertiesModified => false,
        EventType.WorkflowExecutionUpdateAccepted or EventType.WorkflowExecutionUpdateCompleted => false,
        _ => true,
    };

    /// <summary>Of the events that waited, these are written last.</summary>
    public static bool EndsActivityOrChild(EventType type) => type is
        EventType.ActivityTaskCompleted or EventType.ActivityTaskFailed or EventType.ActivityTaskTimedOut or EventType.ActivityTaskCanceled
        or EventType.ChildWorkflowExecutionCompleted or EventType.ChildWorkflowExecutionFailed or EventType.ChildWorkflowExecutionTimedOut
        or EventType.ChildWorkflowExecutionCanceled or EventType.ChildWorkflowExecutionTerminated;

    public static bool EndsRun(EventType type) => type is
        EventType.WorkflowExecutionCompleted or EventType.WorkflowExecutionFailed or EventType.WorkflowExecutionTimedOut
        or EventType.WorkflowExecutionTerminated or EventType.WorkflowExecutionContinuedAsNew or EventType.WorkflowExecutionCanceled;
}
