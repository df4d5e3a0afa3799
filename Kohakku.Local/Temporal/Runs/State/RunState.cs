using System.Text.Json.Serialization;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs.State;

/// <summary>
/// What is known of a run: everything that decides how it goes on, so that its history is read by workers and people alone.
/// Touched only under the run's gate. The properties are stored as one document, the collections as one row for each member.
/// </summary>
internal sealed class RunState
{
    public required string Namespace { get; init; }
    public required Guid RunId { get; init; }
    public required string WorkflowId { get; init; }
    public required string WorkflowType { get; init; }
    public required string TaskQueue { get; init; }
    public WorkflowExecutionStatus Status { get; set; } = WorkflowExecutionStatus.Running;
    public required DateTimeOffset StartTime { get; init; }
    public required DateTimeOffset ExecutionTime { get; init; }
    public DateTimeOffset? CloseTime { get; set; }

    /// <summary>Zero means without limit, here and in the next.</summary>
    public TimeSpan ExecutionTimeout { get; init; }
    public TimeSpan RunTimeout { get; init; }
    public TimeSpan WorkflowTaskTimeout { get; init; }

    /// <summary>When the whole chain of runs must have ended.</summary>
    public DateTimeOffset? ExecutionDeadline { get; init; }
    public DateTimeOffset? RunDeadline { get; init; }

    public Guid FirstRunId { get; init; }
    public ParentLink? Parent { get; init; }
    [JsonConverter(typeof(MessageConverter<WorkflowExecution>))]
    public WorkflowExecution? Root { get; init; }

    public int Attempt { get; init; } = 1;
    [JsonConverter(typeof(MessageConverter<RetryPolicy>))]
    public RetryPolicy? RetryPolicy { get; init; }
    public string CronSchedule { get; init; } = "";

    public string StartRequestId { get; init; } = "";
    [JsonConverter(typeof(MessageConverter<Memo>))]
    public Memo Memo { get; set; } = new();
    [JsonConverter(typeof(MessageConverter<SearchAttributes>))]
    public SearchAttributes SearchAttributes { get; set; } = new();
    [JsonConverter(typeof(MessageConverter<Priority>))]
    public Priority? Priority { get; init; }
    [JsonConverter(typeof(MessageConverter<Temporalio.Api.Sdk.V1.UserMetadata>))]
    public Temporalio.Api.Sdk.V1.UserMetadata? UserMetadata { get; init; }

    public long NextEventId { get; set; } = 1;
    public long HistoryBytes { get; set; }

    /// <summary>Started event of the last workflow task that was completed; 0 before there is one.</summary>
    public long LastCompletedTaskStartedId { get; set; }

    /// <summary>No workflow task before this: a delayed start, a cron or a retry.</summary>
    public DateTimeOffset? FirstTaskAt { get; set; }

    public string StickyQueue { get; set; } = "";
    public TimeSpan StickyScheduleToStart { get; set; }

    /// <summary>Attempt of the present workflow task, or of the next one; above 1 its events are written only once it is completed.</summary>
    public int TaskAttempt { get; set; } = 1;
    [JsonConverter(typeof(MessageConverter<WorkerVersionStamp>))]
    public WorkerVersionStamp? LastWorkerVersion { get; set; }

    [JsonIgnore]
    public WorkflowTask? Task { get; set; }

    /// <summary>A speculative task is not stored: it is lost with the process, and its updates are sent again.</summary>
    [JsonPropertyName("task")]
    public WorkflowTask? StoredTask
    {
        get => Task is { Speculative: false } ? Task : null;
        set => Task = value;
    }

    public bool CancelRequested { get; set; }
    public int SignalCount { get; set; }
    public int UpdateCount { get; set; }
    public long BufferedSequence { get; set; }

    [JsonIgnore]
    public Dictionary<long, ActivityState> Activities { get; } = [];
    [JsonIgnore]
    public Dictionary<string, TimerState> Timers { get; } = [];
    [JsonIgnore]
    public Dictionary<long, ChildState> Children { get; } = [];

    /// <summary>Signals and cancels on their way to other runs.</summary>
    [JsonIgnore]
    public Dictionary<long, ExternalRequestState> ExternalRequests { get; } = [];

    /// <summary>Updates that were accepted, and those completed.</summary>
    [JsonIgnore]
    public Dictionary<string, UpdateState> Updates { get; } = [];

    /// <summary>Requests already served, so that a repeated one does nothing.</summary>
    [JsonIgnore]
    public HashSet<string> RequestIds { get; } = [];

    /// <summary>Events that came while a workflow task was running, by the order of their coming.</summary>
    [JsonIgnore]
    public SortedDictionary<long, HistoryEvent> Buffered { get; } = [];

    [JsonIgnore]
    public bool IsRunning => Status == WorkflowExecutionStatus.Running;

    [JsonIgnore]
    public RunKey Key => new(Namespace, RunId);

    [JsonIgnore]
    public WorkflowExecution Execution => new() { WorkflowId = WorkflowId, RunId = RunId.ToString() };

    [JsonIgnore]
    public bool IsTransient => TaskAttempt > 1;

    [JsonIgnore]
    public bool WaitsForFirstTask => FirstTaskAt is not null;
}

/// <summary>Who started a run as its child.</summary>
internal sealed record ParentLink(string Namespace, string WorkflowId, Guid RunId, long InitiatedEventId);
