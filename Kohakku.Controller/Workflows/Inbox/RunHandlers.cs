using System.Text.Json;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Workflows.Runs;
using Npgsql;

namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>A run of a concurrency key has ended: the next may begin.</summary>
internal sealed class AdmitHandler(NpgsqlDataSource database, LoopSignals signals, TimeProvider time) : IOutboxHandler
{
    public string Kind => "run.admit";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var message = JsonSerializer.Deserialize(item.Payload!, RunJson.Default.AdmitMessage)!;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        // Two statements: the second's snapshot must begin after the lock was got.
        batch.Add("BEGIN");
        batch.Add(InboxSql.LockKey).With(message.ProjectId).With(message.Key);
        batch.Add(InboxSql.Admit).With(message.ProjectId).With(message.Key).With(time.GetUtcNow());
        batch.Add("COMMIT");
        await batch.ExecuteNonQueryAsync(cancellationToken);
        signals.WakeOutbox();
    }
}

/// <summary>Steps of a run are given up: their tasks and child runs are told to stop.</summary>
internal sealed class CancelHandler(NpgsqlDataSource database, TaskChanges changes, RunSteering steering) : IOutboxHandler
{
    private const int AtOnce = 200;

    public string Kind => "run.cancel";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var message = JsonSerializer.Deserialize(item.Payload!, RunJson.Default.RunMessage)!;
        var (tasks, children) = await ReadAsync(message, cancellationToken);
        foreach (var chunk in tasks.Chunk(AtOnce))
        {
            await changes.OfTasksAsync(
                chunk, skipBusy: false,
                locked =>
                {
                    foreach (var task in locked.Tasks.ToArray())
                        if (TaskMachine.Cancel(task, locked.CurrentAttempt(task)?.Standing, $"run {message.RunId}", locked.Moment) is { Effects.Count: > 0 } transition) locked.Take(transition);
                    return true;
                },
                cancellationToken);
        }

        foreach (var child in children) await steering.CancelAsync(child, $"run {message.RunId}", cancellationToken);
    }

    private async Task<(List<Guid> Tasks, List<Guid> Children)> ReadAsync(RunMessage message, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(InboxSql.Running).With(message.RunId).With((message.Steps ?? []).ToArray());
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<Guid> tasks = [];
        List<Guid> children = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            if (!await rows.IsDBNullAsync(0, cancellationToken)) tasks.Add(rows.GetGuid(0));
            if (!await rows.IsDBNullAsync(1, cancellationToken)) children.Add(rows.GetGuid(1));
        }

        return (tasks, children);
    }
}

/// <summary>Sends again what arrived and was never taken: a worker may have died with it, or Temporal lost it.</summary>
internal sealed class InboxSweep(NpgsqlDataSource database, InboxDelivery delivery, TimeProvider time, ILogger<InboxSweep> logger)
    : DispatchingLoop("the sweep of runs' inboxes", time, logger)
{
    private const int AtOnce = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private readonly TimeProvider time = time;

    /// <summary>Answers how many runs it looked after.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<Guid> runs = [];
        await using (var batch = database.CreateBatch())
        {
            batch.Add(InboxSql.Overlooked).With(time.GetUtcNow() - InboxDelivery.Patience).With(AtOnce);
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) runs.Add(rows.GetGuid(0));
        }

        foreach (var run in runs) await delivery.DeliverAsync(run, cancellationToken);
        return runs.Count;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        return Pause;
    }
}
