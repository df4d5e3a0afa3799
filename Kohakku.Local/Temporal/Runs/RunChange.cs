using Google.Protobuf;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>
/// One change of a run while it is made: the events it adds, the parts it touches, what it owes other runs. It is written as a whole; when it
/// can't be, the run's state is read again from what was written before.
/// </summary>
internal sealed class RunChange(Run run, RunState state, DateTimeOffset now, bool isNew = false)
{
    private readonly HashSet<(PartKind Kind, string Key)> touchedParts = [];
    private readonly HashSet<long> storedBuffered = [.. state.Buffered.Keys];
    private readonly Dictionary<long, long> startedIds = [];
    private readonly List<HistoryEvent> events = [];
    private readonly List<Effect> owed = [];
    private readonly List<Guid> doneEffects = [];
    private bool touched = isNew;

    public Run Run { get; } = run;
    public RunState State { get; } = state;
    public DateTimeOffset Now { get; } = now;
    public bool IsNew { get; } = isNew;

    /// <summary>Added by this change, in order, with their ids.</summary>
    public IReadOnlyList<HistoryEvent> Events => events;

    /// <summary>Size of the history with what this change has added so far.</summary>
    public long HistoryBytes => State.HistoryBytes + events.Sum(added => (long)added.CalculateSize());

    /// <summary>The run that takes over from this one, which ends.</summary>
    public RunChange? Successor { get; set; }

    /// <summary>A workflow task was scheduled that no one has yet been given.</summary>
    public bool OffersTask { get; set; }

    /// <summary>That task may begin with this change, if a worker waits for it; not where more is to come that it should show.</summary>
    public bool HandsOver { get; set; } = true;

    /// <summary>Activities that may be given out once the change is written.</summary>
    public HashSet<long> OfferedActivities { get; } = [];

    /// <summary>What this run and its successor owe by this change.</summary>
    public IEnumerable<Effect> Owed => Successor is null ? owed : owed.Concat(Successor.owed);

    /// <summary>Done once the change is written, or at once if there was nothing to write: answers to those who wait.</summary>
    public List<Action> AfterCommit { get; } = [];

    /// <summary>Something would be written, or was changed in memory.</summary>
    public bool IsTouched => touched;

    public void Touch() => touched = true;

    /// <summary>Adds an event; its id is 0 as long as it waits for the workflow task that runs.</summary>
    public HistoryEvent Add(HistoryEvent added, DateTimeOffset? at = null)
    {
        added.EventTime = (at ?? Now).ToTimestamp();
        added.EventType = EventTypes.Of(added);
        if (!EventTypes.WaitsForTask(added.EventType)) return Append(added);
        // It may be written with this same change: nothing is put aside until it is known that a task runs when the change ends.
        touched = true;
        State.Buffered.Add(++State.BufferedSequence, added);
        return added;
    }

    /// <summary>Writes the events that waited: those that end activities and children last.</summary>
    public void FlushBuffered()
    {
        if (State.Buffered.Count == 0) return;
        touched = true;
        var waiting = State.Buffered.Values.ToList();
        State.Buffered.Clear();
        if (!State.IsRunning) return;
        foreach (var waited in waiting.Where(waited => !EventTypes.EndsActivityOrChild(waited.EventType))) Append(waited);
        foreach (var waited in waiting.Where(waited => EventTypes.EndsActivityOrChild(waited.EventType))) Append(waited);
    }

    public void Touch(ActivityState activity) => TouchPart(PartKind.Activity, StateCodec.Key(activity.ScheduledId));

    public void Touch(TimerState timer) => TouchPart(PartKind.Timer, timer.TimerId);

    public void Touch(ChildState child) => TouchPart(PartKind.Child, StateCodec.Key(child.InitiatedId));

    public void Touch(ExternalRequestState request) => TouchPart(PartKind.ExternalRequest, StateCodec.Key(request.InitiatedId));

    public void Touch(UpdateState update) => TouchPart(PartKind.Update, update.UpdateId);

    /// <returns>False when the request was served before.</returns>
    public bool Remember(string requestId)
    {
        if (requestId.Length == 0) return true;
        if (!State.RequestIds.Add(requestId)) return false;
        TouchPart(PartKind.RequestId, requestId);
        return true;
    }

    public void Owe(Effect effect)
    {
        touched = true;
        owed.Add(effect);
    }

    /// <summary>This change does what another run owed.</summary>
    public void Done(Guid effectId)
    {
        touched = true;
        doneEffects.Add(effectId);
    }

    /// <summary>Brings the change to its end; what is to be written of this run, and null when nothing is.</summary>
    public RunWrite? Finish()
    {
        if (State.Task is not { IsStarted: true }) FlushBuffered();
        if (!touched) return null;
        var batch = new History();
        batch.Events.AddRange(events);
        var bytes = batch.ToByteArray();
        State.HistoryBytes += bytes.Length;
        return new RunWrite
        {
            Row = Row(),
            IsNew = IsNew,
            History = events.Count == 0 ? [] : [new HistoryBatch(events[0].EventId, events.Count, bytes)],
            Parts = Parts(),
        };
    }

    /// <summary>This change and that of the successor, as they are written together.</summary>
    public Change ToChange(RunWrite? write, RunWrite? successor) => new()
    {
        // A run that begins without one before it is the first of its workflow id.
        Runs = [.. new[] { write is null ? null : write with { IsFirst = write.IsNew }, successor }.OfType<RunWrite>()],
        NewEffects = [.. Owed.Select(effect => effect.ToRow())],
        DoneEffects = Successor is null ? doneEffects : [.. doneEffects, .. Successor.doneEffects],
    };

    private HistoryEvent Append(HistoryEvent added)
    {
        touched = true;
        added.EventId = State.NextEventId++;
        added.TaskId = Run.Host.NextTaskId();
        WireStartedIds(added);
        events.Add(added);
        return added;
    }

    /// <summary>An event that waited got its id only now; those that name it are completed.</summary>
    private void WireStartedIds(HistoryEvent added)
    {
        switch (added.EventType)
        {
            case EventType.ActivityTaskStarted:
                startedIds[added.ActivityTaskStartedEventAttributes.ScheduledEventId] = added.EventId;
                break;
            case EventType.ActivityTaskCompleted when startedIds.TryGetValue(added.ActivityTaskCompletedEventAttributes.ScheduledEventId, out var id):
                added.ActivityTaskCompletedEventAttributes.StartedEventId = id;
                break;
            case EventType.ActivityTaskFailed when startedIds.TryGetValue(added.ActivityTaskFailedEventAttributes.ScheduledEventId, out var id):
                added.ActivityTaskFailedEventAttributes.StartedEventId = id;
                break;
            case EventType.ActivityTaskTimedOut when startedIds.TryGetValue(added.ActivityTaskTimedOutEventAttributes.ScheduledEventId, out var id):
                added.ActivityTaskTimedOutEventAttributes.StartedEventId = id;
                break;
            case EventType.ActivityTaskCanceled when startedIds.TryGetValue(added.ActivityTaskCanceledEventAttributes.ScheduledEventId, out var id):
                added.ActivityTaskCanceledEventAttributes.StartedEventId = id;
                break;
            case EventType.ChildWorkflowExecutionStarted:
                var initiated = added.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId;
                startedIds[initiated] = added.EventId;
                if (State.Children.TryGetValue(initiated, out var child))
                {
                    child.StartedId = added.EventId;
                    Touch(child);
                }
                break;
            default:
                WireChildEnd(added);
                break;
        }
    }

    private void WireChildEnd(HistoryEvent added)
    {
        switch (added.EventType)
        {
            case EventType.ChildWorkflowExecutionCompleted when startedIds.TryGetValue(added.ChildWorkflowExecutionCompletedEventAttributes.InitiatedEventId, out var id):
                added.ChildWorkflowExecutionCompletedEventAttributes.StartedEventId = id;
                break;
            case EventType.ChildWorkflowExecutionFailed when startedIds.TryGetValue(added.ChildWorkflowExecutionFailedEventAttributes.InitiatedEventId, out var id):
                added.ChildWorkflowExecutionFailedEventAttributes.StartedEventId = id;
                break;
            case EventType.ChildWorkflowExecutionTimedOut when startedIds.TryGetValue(added.ChildWorkflowExecutionTimedOutEventAttributes.InitiatedEventId, out var id):
                added.ChildWorkflowExecutionTimedOutEventAttributes.StartedEventId = id;
                break;
            case EventType.ChildWorkflowExecutionCanceled when startedIds.TryGetValue(added.ChildWorkflowExecutionCanceledEventAttributes.InitiatedEventId, out var id):
                added.ChildWorkflowExecutionCanceledEventAttributes.StartedEventId = id;
                break;
            case EventType.ChildWorkflowExecutionTerminated when startedIds.TryGetValue(added.ChildWorkflowExecutionTerminatedEventAttributes.InitiatedEventId, out var id):
                added.ChildWorkflowExecutionTerminatedEventAttributes.StartedEventId = id;
                break;
        }
    }

    private void TouchPart(PartKind kind, string key)
    {
        touched = true;
        touchedParts.Add((kind, key));
    }

    private RunRow Row() => new()
    {
        Namespace = State.Namespace,
        RunId = State.RunId,
        WorkflowId = State.WorkflowId,
        WorkflowType = State.WorkflowType,
        TaskQueue = State.TaskQueue,
        Status = State.Status,
        StartTime = State.StartTime,
        ExecutionTime = State.ExecutionTime,
        CloseTime = State.CloseTime,
        HistoryLength = State.NextEventId - 1,
        HistorySizeBytes = State.HistoryBytes,
        FirstRunId = State.FirstRunId,
        Parent = State.Parent is { } parent ? new() { WorkflowId = parent.WorkflowId, RunId = parent.RunId.ToString() } : null,
        Root = State.Root,
        Memo = State.Memo,
        SearchAttributes = State.SearchAttributes,
        State = StateCodec.Write(State),
    };

    private List<PartWrite> Parts()
    {
        var writes = new List<PartWrite>(touchedParts.Count);
        foreach (var (kind, key) in touchedParts) writes.Add(new((short)kind, key, Data(kind, key)));
        foreach (var sequence in storedBuffered.Where(sequence => !State.Buffered.ContainsKey(sequence)))
        {
            writes.Add(new((short)PartKind.BufferedEvent, StateCodec.Key(sequence), null));
        }
        foreach (var (sequence, waiting) in State.Buffered)
        {
            if (!storedBuffered.Contains(sequence)) writes.Add(new((short)PartKind.BufferedEvent, StateCodec.Key(sequence), waiting.ToByteArray()));
        }
        return writes;
    }

    /// <summary>What a part has become; null when it is no more.</summary>
    // Null is spelt out, as a bare one would become empty memory.
    private ReadOnlyMemory<byte>? Data(PartKind kind, string key) => kind switch
    {
        PartKind.Activity => State.Activities.TryGetValue(Id(key), out var activity) ? StateCodec.Write(activity) : NoData,
        PartKind.Timer => State.Timers.TryGetValue(key, out var timer) ? StateCodec.Write(timer) : NoData,
        PartKind.Child => State.Children.TryGetValue(Id(key), out var child) ? StateCodec.Write(child) : NoData,
        PartKind.ExternalRequest => State.ExternalRequests.TryGetValue(Id(key), out var request) ? StateCodec.Write(request) : NoData,
        PartKind.Update => State.Updates.TryGetValue(key, out var update) ? StateCodec.Write(update) : NoData,
        PartKind.RequestId => ReadOnlyMemory<byte>.Empty,
        _ => throw new InvalidOperationException($"Parts of kind {kind} are not touched one by one."),
    };

    private static ReadOnlyMemory<byte>? NoData => null;

    private static long Id(string key) => long.Parse(key, System.Globalization.CultureInfo.InvariantCulture);
}
