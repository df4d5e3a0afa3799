using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Webhooks.Events;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Npgsql;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>What was written. With <see cref="Answered"/> nothing was: another had done the turn.</summary>
internal sealed record WrittenTurn(TurnRun? Answered, TurnResult? Result, IReadOnlyList<Guid> TaskIds, int Queued, bool WokeOutbox);

/// <summary>One turn's transaction. Made for one, used once.</summary>
internal sealed class TurnWrite(
    NpgsqlConnection connection, Guid runId, CommitTurn commit, Dictionary<NewUnit, NewTask> tasks, Dictionary<NewUnit, NewRun> children,
    IReadOnlyList<KeyValuePair<NewUnit, string>> faults, DateTimeOffset now)
{
    private readonly Turn _turn = commit.Turn;
    private readonly List<(string Type, string? StepId, string? Data)> _events = [];
    private readonly Dictionary<int, (string Id, StepKind Kind)> _steps = [];
    private bool _enqueued;

    public async Task<WrittenTurn> WriteAsync(CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (run, known, decided) = await LockAsync(cancellationToken);
        if (run.TurnSequence >= _turn.Sequence || run.Status.IsFinal() || run.Incarnation != _turn.Incarnation) return new WrittenTurn(run, null, [], 0, false);

        NewUnit[] units = [.. commit.Units.Where(unit => !known.Contains(Key(unit)) && !faults.Any(fault => fault.Key == unit))];
        NewTask[] newTasks = [.. units.Where(tasks.ContainsKey).Select(unit => tasks[unit])];
        var made = newTasks.Length == 0 ? [] : await TaskInsert.ExecuteAsync(connection, newTasks, now, cancellationToken);
        // An agent that was deleted a moment ago.
        HashSet<Guid> gone = [.. newTasks.Where((_, i) => made[i] is null).Select(task => task.Id)];
        NewRun[] newRuns = [.. units.Where(children.ContainsKey).Select(unit => children[unit])];
        var admitted = newRuns.Length == 0 ? [] : await RunInsert.AdmitAsync(connection, newRuns, cancellationToken);

        var result = commit.Result with
        {
            Decided = decided,
            Faults =
            [
                .. commit.Result.Faults, .. faults.Select(fault => Fault(fault.Key, fault.Value)),
                .. units.Where(unit => tasks.TryGetValue(unit, out var task) && gone.Contains(task.Id)).Select(unit => Fault(unit, $"There is no agent '{unit.Task!.Agent}' in this project.")),
            ],
        };
        await using var batch = new NpgsqlBatch(connection);
        for (var i = 0; i < newRuns.Length; i++) RunInsert.Write(batch, newRuns[i], admitted[i], now);
        _enqueued |= admitted.Contains(true);
        WriteOpened(batch);
        WriteUnits(batch, run, [.. units.Where(unit => !tasks.TryGetValue(unit, out var task) || !gone.Contains(task.Id))]);
        if (!commit.Partial) WriteOutcome(batch, run, result);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        // From here on a caller that goes away must not leave it unknown what was done.
        await transaction.CommitAsync(CancellationToken.None);
        var queued = made.Count(task => task is { Status: TaskState.Queued, IsClaimable: true });
        return new WrittenTurn(null, commit.Partial ? null : result, [.. made.OfType<MadeTask>().Select(task => task.Task.Id)], queued, _enqueued);
    }

    private async Task<(TurnRun Run, HashSet<(int, int, int, int)> Known, IReadOnlyList<Decision> Decided)> LockAsync(CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(TurnSql.Lock).With(runId);
        batch.Add("SELECT index, step_id, kind FROM run_steps WHERE run_id = $1").With(runId);
        batch.Add(TurnSql.KnownUnits).With(runId)
            .With(commit.Units.Select(unit => unit.Step).ToArray()).With(commit.Units.Select(unit => unit.Item).ToArray())
            .With(commit.Units.Select(unit => unit.Attempt).ToArray()).With(commit.Units.Select(unit => unit.Part).ToArray());
        await using (var rows = await batch.ExecuteReaderAsync(cancellationToken))
        {
            if (!await rows.ReadAsync(cancellationToken)) throw new InvalidOperationException($"Run {runId} was deleted meanwhile.");
            var run = TurnRun.Of(rows);
            await rows.NextResultAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) _steps[rows.GetInt32(0)] = (rows.GetString(1), WireEnum<StepKind>.Parse(rows.GetString(2)));
            await rows.NextResultAsync(cancellationToken);
            HashSet<(int, int, int, int)> known = [];
            while (await rows.ReadAsync(cancellationToken)) known.Add((rows.GetInt32(0), rows.GetInt32(1), rows.GetInt32(2), rows.GetInt32(3)));
            await rows.CloseAsync();
            var decided = _turn.Expire.Count == 0 || run.TurnSequence >= _turn.Sequence || run.Incarnation != _turn.Incarnation ? [] : await ExpireAsync(cancellationToken);
            return (run, known, decided);
        }
    }

    private async Task<IReadOnlyList<Decision>> ExpireAsync(CancellationToken cancellationToken)
    {
        string[] ids = [.. _turn.Expire.Select(step => _steps[step].Id)];
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(TurnSql.Expire).With(runId).With(ids).With(now);
        batch.Add(TurnSql.Decisions).With(runId).With(ids);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<Decision> decided = [];
        while (await rows.ReadAsync(cancellationToken))
            decided.Add(new Decision(
                _turn.Expire[Array.IndexOf(ids, rows.GetString(0))], rows.GetString(1) == ApprovalWords.Approve, await rows.IsDBNullAsync(2, cancellationToken) ? null : rows.GetString(2)));
        return decided;
    }

    private void WriteOpened(NpgsqlBatch batch)
    {
        LoadedItems[] opened = [.. commit.Opened.Where(items => !items.Skipped)];
        if (opened.Length == 0) return;
        batch.Add(TurnSql.OpenSteps).With(runId)
            .With(opened.Select(items => items.Step).ToArray()).With(opened.Select(items => items.Count).ToArray())
            .With(opened.Select(items => items.Array?.GetRawText()).ToArray());
    }

    private void WriteUnits(NpgsqlBatch batch, TurnRun run, NewUnit[] units)
    {
        if (units.Length == 0) return;
        var questions = units.Where(unit => unit.Approval is not null).ToDictionary(unit => unit, _ => Guid.CreateVersion7(now));
        if (questions.Count > 0)
        {
            var asked = questions.Keys.ToArray();
            batch.Add(TurnSql.InsertQuestions).With(run.ProjectId).With(runId).With(now)
                .With(asked.Select(unit => questions[unit]).ToArray()).With(asked.Select(unit => _steps[unit.Step].Id).ToArray())
                .With(asked.Select(unit => unit.Approval!.Prompt).ToArray()).With(asked.Select(unit => unit.Approval!.ExpiresAt).ToArray())
                .With(asked.Select(unit => unit.Approval!.ExpiresAt is null ? null : unit.Approval.ApproveOnTimeout ? ApprovalWords.Approve : ApprovalWords.Reject).ToArray());
            batch.TellQuestionsOpened([.. questions.Values], now);
            foreach (var unit in asked)
                Note("approval.asked", unit.Step, JsonSerializer.Serialize(new AskedEntry(questions[unit], unit.Approval!.Prompt, unit.Approval.ExpiresAt), RunJson.Default.AskedEntry));
        }

        batch.Add(TurnSql.InsertUnits).With(runId).With(now)
            .With(units.Select(unit => unit.Step).ToArray()).With(units.Select(unit => unit.Item).ToArray())
            .With(units.Select(unit => unit.Attempt).ToArray()).With(units.Select(unit => unit.Part).ToArray())
            .With(units.Select(unit => _steps[unit.Step].Kind is StepKind.Approval or StepKind.Wait or StepKind.Signal ? "waiting" : "running").ToArray())
            .With(units.Select(unit => tasks.TryGetValue(unit, out var task) ? task.Id : (Guid?)null).ToArray())
            .With(units.Select(unit => children.TryGetValue(unit, out var child) ? child.Id : (Guid?)null).ToArray())
            .With(units.Select(unit => questions.TryGetValue(unit, out var question) ? question : (Guid?)null).ToArray())
            .With(units.Select(unit => unit.Counts).ToArray())
            .With(units.Select(unit => unit.DueAt).ToArray());
    }

    private void WriteOutcome(NpgsqlBatch batch, TurnRun run, TurnResult result)
    {
        WriteSteps(batch);
        if (_turn.Units.Count > 0) EndUnits(batch, runId, _turn.Units, now);
        if (_turn.Cancel.Count > 0)
        {
            int[] canceled = [.. _turn.Cancel];
            batch.Add(TurnSql.CancelUnits).With(runId).With(canceled).With(now);
            batch.Add(TurnSql.CloseQuestions).With(runId).With(canceled.Select(step => _steps[step].Id).ToArray()).With(now);
            Enqueue(batch, "run.cancel", JsonSerializer.Serialize(new RunMessage(runId, canceled), RunJson.Default.RunMessage));
        }

        var final = _turn.Run is { } state && state.IsFinal();
        if (_turn.Run is { } changed && changed != run.Status) NoteRun(run, changed);
        if (final) WriteEnd(batch, run, _turn.Run!.Value);
        else
        {
            batch.Add(TurnSql.DropTaken).With(runId).With(_turn.InboxThrough);
            batch.Add(TurnSql.EnqueueRest).With(runId).With(now);
            _enqueued = true;
        }

        var first = run.EventSequence + 1;
        if (_events.Count > 0)
            batch.Add(TurnSql.InsertEvents).With(runId).With(now)
                .With(Enumerable.Range(0, _events.Count).Select(i => first + i).ToArray()).With(Column(_events, entry => entry.Type))
                .With(Column(_events, entry => entry.StepId)).With(Column(_events, entry => entry.Data));
        batch.Add(TurnSql.UpdateRun).With(runId).With(now).With(_turn.Sequence).With(JsonSerializer.Serialize(result, EngineJson.Default.TurnResult))
            .With(_turn.Run is { } status ? WireEnum<RunState>.NameOf(status) : null).With(final && _turn.Run != RunState.Succeeded ? _turn.Failure : null)
            .With(commit.Outputs?.GetRawText()).With(final).With(run.EventSequence + _events.Count).With(_turn.InboxThrough);
        if (final) batch.TellRunsEnded([runId], now);
    }

    public static void EndUnits(NpgsqlBatch batch, Guid runId, IReadOnlyList<UnitRecord> units, DateTimeOffset now) => batch.Add(TurnSql.EndUnits)
        .With(runId).With(now).With(Column(units, unit => unit.Step)).With(Column(units, unit => unit.Item)).With(Column(units, unit => unit.Attempt))
        .With(Column(units, unit => WireEnum<StepState>.NameOf(unit.State))).With(Column(units, unit => unit.Failure))
        .With(Column(units, unit => unit.Winner)).With(Column(units, unit => unit.SignalId));

    private void WriteSteps(NpgsqlBatch batch)
    {
        // The newest word on a step is the last.
        StepRecord[] steps = [.. _turn.Steps.GroupBy(step => step.Step).Select(group => group.Last())];
        if (steps.Length == 0) return;
        batch.Add(TurnSql.UpdateSteps).With(runId).With(now)
            .With(Column(steps, step => step.Step)).With(Column(steps, step => WireEnum<StepState>.NameOf(step.State))).With(Column(steps, step => step.Items))
            .With(Column(steps, step => step.Succeeded)).With(Column(steps, step => step.Failed)).With(Column(steps, step => step.Failure));
        foreach (var step in steps)
        {
            // Counts move with every item; the timeline tells of beginnings and ends.
            if (!step.State.IsEnded() && step.Succeeded + step.Failed > 0) continue;
            var entry = new StepEntry(step.State, step.Items < 0 ? null : step.Items, step.Failure);
            Note(step.State.IsEnded() ? "step.ended" : "step.begun", step.Step, JsonSerializer.Serialize(entry, RunJson.Default.StepEntry));
        }
    }

    private void WriteEnd(NpgsqlBatch batch, TurnRun run, RunState how)
    {
        batch.Add(TurnSql.DropInbox).With(runId);
        if (run.ConcurrencyKey is { } key) Enqueue(batch, "run.admit", JsonSerializer.Serialize(new AdmitMessage(run.ProjectId, key), RunJson.Default.AdmitMessage));
        if (run.Parent is not { } parent) return;
        var ended = new UnitEnded(parent.Step, parent.Item, parent.Attempt, 0, RunEnds.ToStep(how), how == RunState.Succeeded ? null : _turn.Failure);
        batch.Add(TurnSql.TellParent).With(parent.RunId).With(JsonSerializer.Serialize(ended, RunJson.Default.UnitEnded)).With(now);
        Enqueue(batch, "run.inbox", JsonSerializer.Serialize(new RunMessage(parent.RunId), RunJson.Default.RunMessage));
    }

    private void NoteRun(TurnRun run, RunState now)
    {
        var type = now switch
        {
            RunState.Running => run.Status == RunState.Pending ? "run.started" : "run.resumed",
            RunState.Paused => "run.paused",
            _ => "run.ended",
        };
        Note(type, null, JsonSerializer.Serialize(new RunEntry(now, now.IsFinal() && now != RunState.Succeeded ? _turn.Failure : null), RunJson.Default.RunEntry));
    }

    private void Enqueue(NpgsqlBatch batch, string kind, string payload)
    {
        batch.Add(TurnSql.Enqueue).With(kind).With(payload).With(now);
        _enqueued = true;
    }

    private void Note(string type, int? step, string? data) => _events.Add((type, step is { } index ? _steps[index].Id : null, data));

    private static (int, int, int, int) Key(NewUnit unit) => (unit.Step, unit.Item, unit.Attempt, unit.Part);

    private static UnitFault Fault(NewUnit unit, string message) => new(unit.Step, unit.Item, unit.Attempt, message);

    private static TColumn[] Column<TRow, TColumn>(IReadOnlyList<TRow> rows, Func<TRow, TColumn> read)
    {
        var column = new TColumn[rows.Count];
        for (var row = 0; row < column.Length; row++) column[row] = read(rows[row]);
        return column;
    }
}
