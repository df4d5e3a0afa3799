using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Queries;
using Kohakku.Local.Temporal.Updates;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>
/// A run in memory. Everything here but <see cref="Changed"/> is touched only by the holder of the gate. The state can be dropped and read
/// again; updates that are not accepted and queries live here alone, and are lost with the process: their callers send them again.
/// </summary>
internal sealed class Run(RunKey key, RunHost host)
{
    private volatile TaskCompletionSource changed = NewSignal();

    public RunKey Key { get; } = key;
    public RunHost Host { get; } = host;
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Null until it is loaded.</summary>
    public RunState? State { get; set; }

    /// <summary>No longer the one in the host's list: whoever waited for the gate looks it up again.</summary>
    public bool Evicted { get; set; }

    /// <summary>Its state was dropped: what it has on offer, which may have been taken, is offered again when it is loaded.</summary>
    public bool OffersAgain { get; set; }
    public DateTimeOffset LastUsedAt { get; set; }
    public HistoryTail Tail { get; } = new();
    public UpdateRegistry Updates { get; } = new();
    public QueryRegistry Queries { get; } = new();

    /// <summary>Done at the next change; asked for before looking, so that nothing is missed.</summary>
    public Task Changed => changed.Task;

    public void SignalChanged() => Interlocked.Exchange(ref changed, NewSignal()).TrySetResult();

    /// <summary>Written events from the first id to the last, at most so many.</summary>
    public async ValueTask<IReadOnlyList<HistoryEvent>> ReadAsync(long first, long last, int limit, CancellationToken cancellationToken = default)
    {
        if (last < first) return [];
        var inMemory = Tail.FirstId;
        if (inMemory != 0 && inMemory <= first) return [.. Tail.Range(first, last).Take(limit)];
        var stored = await Host.Store.ReadHistoryAsync(Key.RunId, first, last, limit, cancellationToken);
        return stored;
    }

    public async ValueTask<HistoryEvent> ReadEventAsync(long id, CancellationToken cancellationToken = default) =>
        (await ReadAsync(id, id, 1, cancellationToken)) is [var found] ? found : throw new InvalidDataException($"Run {Key.RunId} has no event {id}.");

    public async ValueTask<WorkflowExecutionStartedEventAttributes> StartedAttributesAsync() => (await ReadEventAsync(1)).WorkflowExecutionStartedEventAttributes;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
