using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Interpreter;
using Npgsql;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>
/// Does a turn of a run: its tasks, questions and child runs, what became of its steps, and the turn's own result in one transaction. A turn that was
/// done answers what it answered then; a unit that is there is not made again. Any thread may call.
/// </summary>
internal sealed class TurnCommit(
    NpgsqlDataSource database, UnitTasks unitTasks, ChildRuns childRuns, TaskPayloads payloads, ChangeFeed changes, LoopSignals signals, TimeProvider time)
{
    /// <summary>Null: there is no such run, it has ended otherwise, or another workflow leads it by now; this one has nothing to do any more.</summary>
    public async Task<CommittedTurn?> CommitAsync(Guid runId, CommitTurn commit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (await TurnRun.ReadAsync(connection, runId, cancellationToken) is not { } known || known.Incarnation != commit.Turn.Incarnation) return null;
        if (known.TurnSequence >= commit.Turn.Sequence) return Answered(known, commit.Turn);

        // What needs no lock, before there is one.
        var name = $"{known.WorkflowName} ({runId:N})";
        var (tasks, taskFaults) = await unitTasks.PrepareAsync(known.ProjectId, runId, name, [.. commit.Units.Where(unit => unit.Task is not null)], cancellationToken);
        var (children, childFaults) = await childRuns.PrepareAsync(known, runId, name, [.. commit.Units.Where(unit => unit.Child is not null)], cancellationToken);
        var prepared = tasks.ToArray();
        NewTask[] stored = [.. prepared.Select(pair => pair.Value)];
        await payloads.StoreLargeAsync(stored, cancellationToken);
        for (var i = 0; i < prepared.Length; i++) tasks[prepared[i].Key] = stored[i];

        var write = new TurnWrite(connection, runId, commit, tasks, children, [.. taskFaults, .. childFaults], time.GetColumnNow());
        var written = await write.WriteAsync(cancellationToken);
        if (written.Answered is { } before) return before.TurnSequence < commit.Turn.Sequence || before.Incarnation != commit.Turn.Incarnation ? null : Answered(before, commit.Turn);
        if (written.WokeOutbox) signals.WakeOutbox();
        changes.PublishQueued(written.Queued);
        changes.PublishTasks([.. written.TaskIds, runId]);
        return new CommittedTurn(written.Result);
    }

    private static CommittedTurn Answered(TurnRun run, Turn turn) => run.TurnSequence == turn.Sequence && run.TurnResult is { } result
        ? new CommittedTurn(JsonSerializer.Deserialize(result, EngineJson.Default.TurnResult))
        // An activity of a turn long past, that somebody forgot: nobody waits for what it answers.
        : new CommittedTurn(new TurnResult());
}

/// <summary>The row of a run, as a turn sees it.</summary>
internal sealed record TurnRun(
    Guid ProjectId, string WorkflowName, RunState Status, int TurnSequence, string? TurnResult, long EventSequence, string? ConcurrencyKey,
    (Guid RunId, int Step, int Item, int Attempt)? Parent, int Depth, int Incarnation)
{
    public static async Task<TurnRun?> ReadAsync(NpgsqlConnection connection, Guid runId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TurnSql.Lock.Replace("FOR NO KEY UPDATE", "", StringComparison.Ordinal), connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? Of(rows) : null;
    }

    public static TurnRun Of(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), WireEnum<RunState>.Parse(row.GetString(2)), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetString(4), row.GetInt64(5),
        row.IsDBNull(6) ? null : row.GetString(6), row.IsDBNull(7) ? null : (row.GetGuid(7), row.GetInt32(8), row.GetInt32(9), row.GetInt32(10)), row.GetInt32(11), row.GetInt32(12));
}
