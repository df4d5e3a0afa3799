using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Outbox;

/// <summary>
/// A task ended that others need: those whose needs have all succeeded may run, those that can never run are canceled, and that goes on to those who
/// need them in turn by their own messages.
/// </summary>
internal sealed class NeedsHandler(NpgsqlDataSource database, TaskChanges changes) : IOutboxHandler
{
    private const int AtOnce = 500;

    public string Kind => "needs";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var dependents = await ReadAsync(item.TaskId!.Value, cancellationToken);
        foreach (var chunk in dependents.Chunk(AtOnce))
        {
            var verdicts = chunk.ToDictionary(dependent => dependent.Id);
            await changes.OfTasksAsync(
                verdicts.Keys, skipBusy: false,
                locked =>
                {
                    foreach (var task in locked.Tasks.ToArray())
                    {
                        var verdict = verdicts[task.Id];
                        var transition = verdict.Met
                            ? TaskMachine.MeetNeeds(task, locked.Moment)
                            : TaskMachine.FailNeeds(task, verdict.Failed!.Value, verdict.FailedAs!.Value, locked.Moment);
                        if (transition is not null) locked.Take(transition);
                    }

                    return true;
                },
                cancellationToken);
        }
    }

    private sealed record Dependent(Guid Id, bool Met, Guid? Failed, TaskState? FailedAs);

    private async Task<List<Dependent>> ReadAsync(Guid taskId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(OutboxSql.Dependents).With(taskId);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<Dependent> decided = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            if (await rows.IsDBNullAsync(1, cancellationToken)) continue;
            var met = rows.GetBoolean(1);
            decided.Add(met
                ? new Dependent(rows.GetGuid(0), true, null, null)
                : new Dependent(rows.GetGuid(0), false, rows.GetGuid(2), WireEnum<TaskState>.Parse(rows.GetString(3))));
        }

        return decided;
    }
}

/// <summary>Finds tasks whose needs have long been decided: a submit that raced with the end of what it needs may leave one behind.</summary>
internal sealed class NeedsSweep(NpgsqlDataSource database, NeedsHandler handler, TimeProvider time, ILogger<NeedsSweep> logger)
    : DispatchingLoop("the sweep of needs", time, logger)
{
    private const int AtOnce = 100;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<Guid> ended = [];
        await using (var command = database.CreateCommand(MaintenanceSql.OverlookedNeeds))
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) ended.Add(rows.GetGuid(0));
        }

        foreach (var task in ended) await handler.HandleAsync(new OutboxItem(0, handler.Kind, task, null, 0), cancellationToken);
        return ended.Count;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        return Pause;
    }
}
