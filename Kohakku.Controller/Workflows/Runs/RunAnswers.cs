using System.Text.Json;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Workflows.Interpreter;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>What came of an answer or a signal.</summary>
internal enum Answered { Done, NotFound, TooLate, TooMany }

/// <summary>
/// What people and other systems say to a run: decisions about its approvals, and signals. Both are settled here, in one statement that also puts them
/// into the run's inbox: the first decision counts, and neither Temporal nor a worker need be there for it.
/// </summary>
internal sealed class RunAnswers(NpgsqlDataSource database, ChangeFeed changes, LoopSignals signals, TimeProvider time)
{
    /// <summary>Signals of a run that no step has taken.</summary>
    private const int MostSignals = 1_000;

    /// <summary>$1 question, $2 answer, $3 comment, $4 by, $5 now, $6 the event's data.</summary>
    private const string DecideSql =
        """
        WITH decided AS (
            UPDATE questions SET answer = $2, comment = $3, answered_by = $4, answered_at = $5, closed_at = $5
            WHERE id = $1 AND kind = 'approval' AND closed_at IS NULL AND (expires_at IS NULL OR expires_at > $5)
            RETURNING run_id, step_id
        ), run AS (
            UPDATE runs r SET event_sequence = event_sequence + 1 FROM decided d WHERE r.id = d.run_id RETURNING r.id, r.event_sequence, d.step_id
        ), told AS (
            INSERT INTO run_events (run_id, id, at, type, step_id, data) SELECT id, event_sequence, $5, 'approval.decided', step_id, $6::jsonb FROM run
        ), noted AS (
            INSERT INTO run_inbox (run_id, kind, payload, created_at)
            SELECT r.id, 'decided', jsonb_build_object('step', s.index, 'approve', $2 = 'approve', 'comment', left($3, 500)), $5
            FROM run r JOIN run_steps s ON s.run_id = r.id AND s.step_id = r.step_id
        ), message AS (
            INSERT INTO outbox (kind, payload, created_at, due_at, tries) SELECT 'run.inbox', jsonb_build_object('runId', id), $5, $5, 0 FROM run
        )
        SELECT id FROM run
        """;

    /// <summary>$1 project, $2 run, $3 step. The newest, open or not.</summary>
    private const string QuestionSql = "SELECT id FROM questions WHERE project_id = $1 AND run_id = $2 AND step_id = $3 AND kind = 'approval' ORDER BY id DESC LIMIT 1";

    /// <summary>$1 run, $2 signal, $3 name, $4 body, $5 now, $6 payload, $7 the event's data, $8 how many at most.</summary>
    private const string SignalSql =
        """
        WITH run AS (
            UPDATE runs r SET event_sequence = event_sequence + 1
            WHERE id = $1 AND status IN ('pending', 'running', 'paused') AND (SELECT count(*) FROM run_signals WHERE run_id = $1 AND taken_at IS NULL) < $8
            RETURNING id, event_sequence
        ), kept AS (
            INSERT INTO run_signals (id, run_id, name, body, received_at) SELECT $2, id, $3, $4::json, $5 FROM run
        ), told AS (
            INSERT INTO run_events (run_id, id, at, type, data) SELECT id, event_sequence, $5, 'run.signal', $7::jsonb FROM run
        ), noted AS (
            INSERT INTO run_inbox (run_id, kind, payload, created_at) SELECT id, 'signal', $6::jsonb, $5 FROM run
        ), message AS (
            INSERT INTO outbox (kind, payload, created_at, due_at, tries) SELECT 'run.inbox', jsonb_build_object('runId', id), $5, $5, 0 FROM run
        )
        SELECT id FROM run
        """;

    /// <summary>$1 project, $2 run.</summary>
    private const string RunSql = "SELECT status IN ('pending', 'running', 'paused') FROM runs WHERE project_id = $1 AND id = $2";

    /// <summary>Decides about the approval of a step.</summary>
    public async Task<Answered> DecideAsync(Guid projectId, Guid runId, string stepId, bool approve, string? comment, string by, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(QuestionSql).With(projectId).With(runId).With(stepId);
        return await batch.ExecuteScalarAsync(cancellationToken) is Guid question
            ? await DecideAsync(question, approve, comment, by, cancellationToken)
            : Answered.NotFound;
    }

    /// <param name="questionId">Known to be an approval of the caller's project.</param>
    public async Task<Answered> DecideAsync(Guid questionId, bool approve, string? comment, string by, CancellationToken cancellationToken)
    {
        var decision = approve ? ApprovalWords.Approve : ApprovalWords.Reject;
        await using var batch = database.CreateBatch();
        batch.Add(DecideSql).With(questionId).With(decision).With(comment).With(by).With(time.GetColumnNow())
            .With(JsonSerializer.Serialize(new DecidedEntry(decision, by, comment), RunJson.Default.DecidedEntry));
        if (await batch.ExecuteScalarAsync(cancellationToken) is not Guid runId) return Answered.TooLate;
        Publish(runId);
        return Answered.Done;
    }

    public async Task<Answered> SignalAsync(Guid projectId, Guid runId, Guid signalId, string name, JsonElement body, string by, CancellationToken cancellationToken)
    {
        await using (var look = database.CreateBatch())
        {
            look.Add(RunSql).With(projectId).With(runId);
            if (await look.ExecuteScalarAsync(cancellationToken) is not bool lives) return Answered.NotFound;
            if (!lives) return Answered.TooLate;
        }

        await using var batch = database.CreateBatch();
        batch.Add(SignalSql).With(runId).With(signalId).With(name).With(body.GetRawText()).With(time.GetColumnNow())
            .With(JsonSerializer.Serialize(new SignalReceived(name, signalId), RunJson.Default.SignalReceived))
            .With(JsonSerializer.Serialize(new SignalEntry(name, by), RunJson.Default.SignalEntry)).With(MostSignals);
        if (await batch.ExecuteScalarAsync(cancellationToken) is not Guid) return Answered.TooMany;
        Publish(runId);
        return Answered.Done;
    }

    private void Publish(Guid runId)
    {
        signals.WakeOutbox();
        changes.PublishTasks([runId]);
    }
}
