using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>One run as it is listed and loaded: the columns that can be searched, and its state as bytes that only <c>Runs/</c> reads.</summary>
internal sealed record RunRow
{
    public required string Namespace { get; init; }
    public required Guid RunId { get; init; }
    public required string WorkflowId { get; init; }
    public required string WorkflowType { get; init; }
    public required string TaskQueue { get; init; }
    public required WorkflowExecutionStatus Status { get; init; }
    public required DateTimeOffset StartTime { get; init; }

    /// <summary>When its first workflow task is due: later than <see cref="StartTime"/> for a delayed start, a cron or a retry.</summary>
    public required DateTimeOffset ExecutionTime { get; init; }
    public DateTimeOffset? CloseTime { get; init; }
    public long HistoryLength { get; init; }
    public long HistorySizeBytes { get; init; }
    public Guid FirstRunId { get; init; }
    public WorkflowExecution? Parent { get; init; }
    public WorkflowExecution? Root { get; init; }
    public Memo? Memo { get; init; }
    public SearchAttributes? SearchAttributes { get; init; }
    public required ReadOnlyMemory<byte> State { get; init; }
}

/// <summary>A part of a run's state that changes by itself, such as a pending activity: one row each, so that a run with a thousand of them writes the one that changed.</summary>
/// <param name="Kind">Numbered by <c>Runs/</c>.</param>
/// <param name="Key">Unique within run and kind.</param>
/// <param name="Data">Null deletes it.</param>
internal sealed record PartWrite(short Kind, string Key, ReadOnlyMemory<byte>? Data);

/// <param name="FirstEventId">Id of its first event; batches of a run follow each other without a gap.</param>
/// <param name="Count">Number of events.</param>
/// <param name="Events">A serialised <see cref="Temporalio.Api.History.V1.History"/>.</param>
internal sealed record HistoryBatch(long FirstEventId, int Count, ReadOnlyMemory<byte> Events);

/// <summary>What one change writes of one run.</summary>
internal sealed record RunWrite
{
    public required RunRow Row { get; init; }

    /// <summary>The run did not exist; it becomes the current run of its workflow id.</summary>
    public bool IsNew { get; init; }

    /// <summary>Of a new run: its workflow id has none yet. Where it has, the change is refused with <see cref="WorkflowIdInUseException"/>.</summary>
    public bool IsFirst { get; init; }

    /// <summary>In order; empty when the change wrote no event.</summary>
    public IReadOnlyList<HistoryBatch> History { get; init; } = [];
    public IReadOnlyList<PartWrite> Parts { get; init; } = [];
}

/// <summary>What a run owes another, such as the start of a child: written with the change that caused it, deleted by the change that does it.</summary>
internal sealed record EffectRow(Guid Id, ReadOnlyMemory<byte> Data);

/// <summary>What is written together or not at all: mostly one run, two when a run continues as new or is replaced.</summary>
internal sealed record Change
{
    public IReadOnlyList<RunWrite> Runs { get; init; } = [];
    public IReadOnlyList<EffectRow> NewEffects { get; init; } = [];
    public IReadOnlyList<Guid> DoneEffects { get; init; } = [];
}

/// <summary>A run as it was stored.</summary>
internal sealed record StoredRun(RunRow Row, IReadOnlyList<PartWrite> Parts);
