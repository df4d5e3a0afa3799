using System.Globalization;
using System.Text;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.Commands;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Timers;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

/// <summary>
/// A run that is changed as the server changes it, but for the database: what a change would write is kept here. After each change the history
/// has no gap, and what is kept is read back as the state that is in memory.
/// </summary>
internal sealed class PureRun : IDisposable
{
    public const string Queue = "queue";
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create("Host=none");
    private readonly TimerQueue _timers;
    private readonly RunHost _host;
    private readonly Run _run;
    private readonly Dictionary<(short Kind, string Key), PartWrite> _parts = [];

    public PureRun(Action<WorkflowExecutionStartedEventAttributes>? with = null)
    {
        _timers = new TimerQueue(Time, NullLogger<TimerQueue>.Instance);
        _host = new RunHost(new RunStore(_database, Time, NullLogger<RunStore>.Instance), new TaskQueues(Time), _timers, new NamespaceStore(_database, Time), Time);
        var attributes = new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = "workflow",
            WorkflowType = new() { Name = "Type" },
            TaskQueue = new() { Name = Queue, Kind = TaskQueueKind.Normal },
            WorkflowTaskTimeout = new() { Seconds = 10 },
            Attempt = 1,
        };
        with?.Invoke(attributes);
        var begun = NewRuns.Begin(_host, new NewRunOptions("default", Guid.CreateVersion7(Time.GetUtcNow()), "start"), attributes, Time.GetUtcNow());
        _run = begun.Run;
        _run.State = begun.State;
        Write(begun);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public RunState State => _run.State!;

    /// <summary>All that was written.</summary>
    public List<HistoryEvent> History { get; } = [];

    public IEnumerable<EventType> Types => History.Select(one => one.EventType);

    /// <summary>Changes it.</summary>
    /// <returns>The events that were written with it.</returns>
    public IReadOnlyList<HistoryEvent> Change(Action<RunChange> make)
    {
        var change = new RunChange(_run, State, Time.GetUtcNow());
        make(change);
        return Write(change);
    }

    /// <summary>A worker takes the task.</summary>
    public IReadOnlyList<HistoryEvent> StartTask() => Change(change => change.StartTask(Queue, "worker", "poll", null, 0));

    /// <summary>The worker has done it; the next one is scheduled if there is need, as for what has come meanwhile.</summary>
    public IReadOnlyList<HistoryEvent> CompleteTask(params Command[] commands) => Change(change =>
    {
        var completed = change.CompleteTask(new RespondWorkflowTaskCompletedRequest { Commands = { commands } });
        var apply = new CommandApply(change, completed?.EventId ?? 0, "worker");
        foreach (var command in commands)
        {
            Assert.True(apply.ApplyAsync(command, _ => throw new InvalidOperationException("There is no message."), _ => { }).AsTask().IsCompletedSuccessfully);
        }
        if (State.Buffered.Count > 0 || apply.CanceledWaitingActivity) change.ScheduleTask();
    });

    /// <summary>A worker takes the task and does it.</summary>
    public void DoTask(params Command[] commands)
    {
        StartTask();
        CompleteTask(commands);
    }

    public void Signal(string name) => Change(change => change.AddSignal(new(name, null, "client", null, Guid.NewGuid().ToString())));

    public void StartActivity(ActivityState activity) => Change(change => change.StartActivity(activity, "worker", "poll", null));

    /// <summary>What is due happens.</summary>
    public void Fire() => Change(change => Assert.True(RunTimers.FireAsync(change, () => { }).AsTask().IsCompletedSuccessfully));

    public void Dispose()
    {
        _timers.Dispose();
        _database.Dispose();
    }

    private IReadOnlyList<HistoryEvent> Write(RunChange change)
    {
        var write = change.Finish();
        if (write is null)
        {
            Assert.Empty(change.Events);
            return [];
        }
        foreach (var batch in write.History)
        {
            Assert.Equal(History.Count + 1, batch.FirstEventId);
            var events = Temporalio.Api.History.V1.History.Parser.ParseFrom(batch.Events.Span).Events;
            Assert.Equal(batch.Count, events.Count);
            History.AddRange(events);
        }
        Assert.Equal(Enumerable.Range(1, History.Count).Select(id => (long)id), History.Select(one => one.EventId));
        Assert.Equal(State.NextEventId - 1, History.Count);
        CheckOrder(change.Events);
        foreach (var part in write.Parts)
        {
            if (part.Data is null) _parts.Remove((part.Kind, part.Key));
            else _parts[(part.Kind, part.Key)] = part;
        }
        var read = StateCodec.Read(new StoredRun(write.Row, [.. _parts.Values.OrderBy(part => part.Kind).ThenBy(part => part.Key, StringComparer.Ordinal)]));
        Assert.Equal(Text(State), Text(read));
        return change.Events;
    }

    /// <summary>Of events that waited and are written at once, those that end activities and children come last.</summary>
    private static void CheckOrder(IReadOnlyList<HistoryEvent> events)
    {
        var ended = false;
        foreach (var one in events)
        {
            var ends = EventTypes.EndsActivityOrChild(one.EventType);
            var waits = EventTypes.WaitsForTask(one.EventType);
            Assert.False(ended && waits && !ends, $"{one.EventType} after the end of an activity or child");
            ended = ends || (ended && waits);
        }
    }

    /// <summary>All of a state that is stored.</summary>
    private static string Text(RunState state)
    {
        var text = new StringBuilder();
        void Add(string key, ReadOnlyMemory<byte> data) => text.Append(CultureInfo.InvariantCulture, $"{key}: {Encoding.UTF8.GetString(data.Span)}\n");
        Add("state", StateCodec.Write(state));
        foreach (var activity in state.Activities.Values.OrderBy(one => one.ScheduledId)) Add("activity", StateCodec.Write(activity));
        foreach (var timer in state.Timers.Values.OrderBy(one => one.StartedId)) Add("timer", StateCodec.Write(timer));
        foreach (var child in state.Children.Values.OrderBy(one => one.InitiatedId)) Add("child", StateCodec.Write(child));
        foreach (var request in state.RequestIds.Order(StringComparer.Ordinal)) text.Append(CultureInfo.InvariantCulture, $"request: {request}\n");
        foreach (var (sequence, waiting) in state.Buffered) text.Append(CultureInfo.InvariantCulture, $"waits: {sequence} {waiting}\n");
        return text.ToString();
    }
}

/// <summary>Commands as workers send them.</summary>
internal static class Commands
{
    public static Command Activity(string id, Action<ScheduleActivityTaskCommandAttributes>? with = null)
    {
        var attributes = new ScheduleActivityTaskCommandAttributes
        {
            ActivityId = id, ActivityType = new() { Name = "Do" }, StartToCloseTimeout = new() { Seconds = 60 }, RetryPolicy = new() { MaximumAttempts = 1 },
        };
        with?.Invoke(attributes);
        return new() { CommandType = CommandType.ScheduleActivityTask, ScheduleActivityTaskCommandAttributes = attributes };
    }

    public static Command CancelActivity(long scheduledId) =>
        new() { CommandType = CommandType.RequestCancelActivityTask, RequestCancelActivityTaskCommandAttributes = new() { ScheduledEventId = scheduledId } };

    public static Command Timer(string id, int seconds = 60) =>
        new() { CommandType = CommandType.StartTimer, StartTimerCommandAttributes = new() { TimerId = id, StartToFireTimeout = new() { Seconds = seconds } } };

    public static Command CancelTimer(string id) => new() { CommandType = CommandType.CancelTimer, CancelTimerCommandAttributes = new() { TimerId = id } };

    public static Command Child(string workflowId) => new()
    {
        CommandType = CommandType.StartChildWorkflowExecution,
        StartChildWorkflowExecutionCommandAttributes = new() { WorkflowId = workflowId, WorkflowType = new() { Name = "Child" } },
    };

    public static Command CancelOther(string workflowId) => new()
    {
        CommandType = CommandType.RequestCancelExternalWorkflowExecution,
        RequestCancelExternalWorkflowExecutionCommandAttributes = new() { WorkflowId = workflowId },
    };

    public static Command SignalOther(string workflowId) => new()
    {
        CommandType = CommandType.SignalExternalWorkflowExecution,
        SignalExternalWorkflowExecutionCommandAttributes = new() { Execution = new() { WorkflowId = workflowId }, SignalName = "signal" },
    };

    public static Command Complete() => new() { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new() };
}
