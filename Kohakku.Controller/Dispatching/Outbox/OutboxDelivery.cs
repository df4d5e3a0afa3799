using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Outbox;

/// <summary>One kind of message. It may get the same message again after a crash, so doing it twice must be as doing it once.</summary>
internal interface IOutboxHandler
{
    string Kind { get; }

    Task HandleAsync(OutboxItem item, CancellationToken cancellationToken);
}

/// <param name="Payload">JSON.</param>
internal sealed record OutboxItem(long Id, string Kind, Guid? TaskId, string? Payload, int Tries);

/// <summary>
/// Does what was left to be done when a task or a run changed. A message is held by a row lock while its handler works and is deleted with the same
/// transaction; one that fails comes again later, the others don't wait for it. Woken by the change, and looks now and then besides.
/// </summary>
/// <param name="lane">Whose messages it delivers: what waits for Temporal must not hold up what only needs the database.</param>
internal abstract partial class OutboxDelivery(
    OutboxLane lane, NpgsqlDataSource database, IEnumerable<IOutboxHandler> handlers, WakeUp wakeUp, DispatchingMetrics metrics, TimeProvider time, ILogger logger)
    : DispatchingLoop(lane.Name, time, logger)
{
    private const int AtOnce = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestRetryPause = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, IOutboxHandler> byKind = handlers.ToDictionary(handler => handler.Kind);
    private readonly TimeProvider time = time;
    private readonly ILogger logger = logger;

    /// <summary>Answers how many messages it took, delivered or not.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var items = await TakeAsync(connection, cancellationToken);
        if (items.Count == 0) return 0;
        var faults = new string?[items.Count];
        await Parallel.ForAsync(
            0, items.Count, new ParallelOptions { MaxDegreeOfParallelism = lane.Parallel, CancellationToken = cancellationToken },
            async (i, token) => faults[i] = await DeliverAsync(items[i], token));
        await using var batch = new NpgsqlBatch(connection);
        for (var i = 0; i < faults.Length; i++)
            if (faults[i] is { } fault) batch.Add(OutboxSql.Postpone).With(items[i].Id).With(time.GetUtcNow() + RetryPause(items[i].Tries)).With(fault);
        batch.Add(OutboxSql.Delete).With(items.Where((_, i) => faults[i] is null).Select(item => item.Id).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return items.Count;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken) =>
        await RunOnceAsync(cancellationToken) == AtOnce ? TimeSpan.Zero : Pause;

    protected override Task PauseAsync(TimeSpan atMost, CancellationToken cancellationToken) => wakeUp.WaitAsync(atMost, time, cancellationToken);

    private async Task<List<OutboxItem>> TakeAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(OutboxSql.Take).With(time.GetUtcNow()).With(AtOnce).With(lane.Runs);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<OutboxItem> items = [];
        while (await rows.ReadAsync(cancellationToken))
            items.Add(new OutboxItem(
                rows.GetInt64(0), rows.GetString(1), await rows.IsDBNullAsync(2, cancellationToken) ? null : rows.GetGuid(2),
                await rows.IsDBNullAsync(3, cancellationToken) ? null : rows.GetString(3), rows.GetInt32(4)));
        return items;
    }

    /// <summary>Null when it is done, else what went wrong.</summary>
    private async Task<string?> DeliverAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        try
        {
            if (!byKind.TryGetValue(item.Kind, out var handler)) return $"this release knows no messages of the kind '{item.Kind}'";
            await handler.HandleAsync(item, cancellationToken);
            metrics.Delivered(item.Kind, succeeded: true);
            return null;
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            metrics.Delivered(item.Kind, succeeded: false);
            LogFailed(fault, item.Kind, item.Id, item.Tries + 1);
            return fault.Message;
        }
    }

    private static TimeSpan RetryPause(int tries) => tries >= 9 ? LongestRetryPause : TimeSpan.FromSeconds(Math.Min(1 << tries, LongestRetryPause.TotalSeconds));

    [LoggerMessage(3014, LogLevel.Warning, "Outbox message {Id} ({Kind}) failed, try {Try}; it comes again.")]
    private partial void LogFailed(Exception fault, string kind, long id, int @try);
}

/// <param name="Runs">It delivers what concerns runs of workflows, else all the rest.</param>
/// <param name="Parallel">How many messages at once.</param>
internal sealed record OutboxLane(string Name, bool Runs, int Parallel);

/// <summary>What follows from tasks.</summary>
internal sealed class TaskOutbox(
    NpgsqlDataSource database, IEnumerable<IOutboxHandler> handlers, LoopSignals signals, DispatchingMetrics metrics, TimeProvider time, ILogger<TaskOutbox> logger)
    : OutboxDelivery(new OutboxLane("the outbox", Runs: false, Parallel: 1), database, handlers, signals.Outbox, metrics, time, logger);

/// <summary>What follows from runs and their tasks.</summary>
internal sealed class RunOutbox(
    NpgsqlDataSource database, IEnumerable<IOutboxHandler> handlers, LoopSignals signals, DispatchingMetrics metrics, TimeProvider time, ILogger<RunOutbox> logger)
    : OutboxDelivery(new OutboxLane("the outbox of runs", Runs: true, Parallel: 8), database, handlers, signals.RunOutbox, metrics, time, logger);
