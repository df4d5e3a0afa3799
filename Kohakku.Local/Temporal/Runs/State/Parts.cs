using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using System.Text.Json.Serialization;

namespace Kohakku.Local.Temporal.Runs.State;

/// <summary>Numbers of the kinds of parts in the database; never reused.</summary>
internal enum PartKind : short
{
    Activity = 1,
    Timer = 2,
    Child = 3,
    ExternalRequest = 4,
    Update = 5,
    RequestId = 6,
    BufferedEvent = 7,
}

/// <summary>The workflow task that waits for a worker or is with one.</summary>
internal sealed class WorkflowTask
{
    public required long ScheduledId { get; set; }

    /// <summary>0 until a worker has it.</summary>
    public long StartedId { get; set; }
    public required int Attempt { get; set; }
    public required DateTimeOffset ScheduledAt { get; init; }

    /// <summary>When the first of a row of heartbeats was scheduled.</summary>
    public required DateTimeOffset OriginalScheduledAt { get; init; }
    public DateTimeOffset? StartedAt { get; set; }
    public required TimeSpan Timeout { get; init; }
    public string RequestId { get; set; } = "";
    public string Identity { get; set; } = "";
    public bool Speculative { get; set; }

    /// <summary>The sticky queue it was put into; empty for the normal one.</summary>
    public string StickyQueue { get; set; } = "";
    public bool SuggestContinueAsNew { get; set; }
    public List<SuggestContinueAsNewReason> SuggestReasons { get; set; } = [];
    public long HistoryBytes { get; set; }
    [JsonConverter(typeof(MessageConverter<WorkerVersionStamp>))]
    public WorkerVersionStamp? WorkerVersion { get; set; }

    [JsonIgnore]
    public bool IsStarted => StartedId != 0;

    /// <summary>Its scheduled and started events are in the history (or, not yet started, the first of them).</summary>
    [JsonIgnore]
    public bool HasEvents => Attempt == 1 && !Speculative;
}

/// <summary>A pending activity.</summary>
internal sealed class ActivityState
{
    public required long ScheduledId { get; init; }
    public required string ActivityId { get; init; }
    public required string ActivityType { get; init; }
    public required string TaskQueue { get; init; }
    public required DateTimeOffset FirstScheduledAt { get; init; }

    /// <summary>When this attempt may be given out.</summary>
    public required DateTimeOffset ScheduledAt { get; set; }
    public int Attempt { get; set; } = 1;
    public DateTimeOffset? StartedAt { get; set; }
    public string StartRequestId { get; set; } = "";
    public string Identity { get; set; } = "";
    [JsonConverter(typeof(MessageConverter<WorkerVersionStamp>))]
    public WorkerVersionStamp? WorkerVersion { get; set; }

    /// <summary>Zero means without limit, here and in the next three.</summary>
    public TimeSpan ScheduleToClose { get; init; }
    public TimeSpan ScheduleToStart { get; init; }
    public TimeSpan StartToClose { get; init; }
    public TimeSpan Heartbeat { get; init; }
    [JsonConverter(typeof(MessageConverter<RetryPolicy>))]
    public required RetryPolicy RetryPolicy { get; init; }
    [JsonConverter(typeof(MessageConverter<Priority>))]
    public Priority? Priority { get; init; }

    public DateTimeOffset? LastHeartbeatAt { get; set; }
    [JsonConverter(typeof(MessageConverter<Payloads>))]
    public Payloads? HeartbeatDetails { get; set; }
    [JsonConverter(typeof(MessageConverter<Failure>))]
    public Failure? LastFailure { get; set; }
    public DateTimeOffset? LastAttemptCompletedAt { get; set; }
    public string LastIdentity { get; set; } = "";

    public bool CancelRequested { get; set; }
    public long CancelRequestedEventId { get; set; }

    /// <summary>Set while an operator holds it back: no further attempt begins, and the one that runs is told.</summary>
    public ActivityPause? Pause { get; set; }

    /// <summary>An operator wants it to begin anew: the attempt that runs is told, and counts as the first.</summary>
    public bool ResetRequested { get; set; }
    public bool ResetsHeartbeat { get; set; }

    /// <summary>The number of the attempt, for all but the worker that has it.</summary>
    [JsonIgnore]
    public int CountedAttempt => ResetRequested ? 1 : Attempt;

    /// <summary>Read from the history when it is not in memory: inputs may be large and a heartbeat should not write them again.</summary>
    [JsonIgnore]
    public ActivityTaskScheduledEventAttributes? Scheduled { get; set; }

    /// <summary>This attempt is on offer already.</summary>
    [JsonIgnore]
    public bool Offered { get; set; }

    [JsonIgnore]
    public bool IsStarted => StartedAt is not null;
}

internal sealed record ActivityPause(DateTimeOffset At, string Identity, string Reason);

internal sealed record TimerState(string TimerId, long StartedId, DateTimeOffset Due);

internal sealed class ChildState
{
    public required long InitiatedId { get; init; }
    public required string Namespace { get; init; }
    public required string WorkflowId { get; init; }
    public required string WorkflowType { get; init; }
    public required ParentClosePolicy ParentClosePolicy { get; init; }

    /// <summary>0 until the child runs.</summary>
    public long StartedId { get; set; }

    /// <summary>Its first run.</summary>
    public Guid? RunId { get; set; }
}

/// <param name="Signal">Else a cancel.</param>
internal sealed record ExternalRequestState(long InitiatedId, bool Signal, string Namespace, string WorkflowId, string RunId, bool ChildWorkflowOnly, string Control);

/// <summary>An update that was accepted.</summary>
internal sealed class UpdateState
{
    public required string UpdateId { get; init; }
    public required long AcceptedId { get; init; }

    /// <summary>0 until it is completed.</summary>
    public long CompletedId { get; set; }
}
