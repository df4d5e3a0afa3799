using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Webhooks.Events;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>Ends runs that have no Temporal workflow to do it: those that have none yet, and those whose workflow was ended by somebody else.</summary>
internal sealed class RunEnding(NpgsqlDataSource database, ChangeFeed changes, LoopSignals signals, TimeProvider time)
{
    /// <summary>$1 run, $2 now, $3 why, $4 the event's data, $5 state, $6 whether Temporal has been given it.</summary>
    private const string Sql =
        """
        WITH ended AS (
            UPDATE runs SET status = $5, failure = $3, ended_at = $2, event_sequence = event_sequence + 1
            WHERE id = $1 AND status IN ('pending', 'running', 'paused') AND (handed_at IS NOT NULL) = $6
            RETURNING id, project_id, concurrency_key, parent_run_id, parent_step, parent_item, parent_attempt, event_sequence
        ), steps AS (
            UPDATE run_steps SET status = 'canceled', ended_at = $2 FROM ended WHERE run_id = ended.id AND run_steps.ended_at IS NULL RETURNING index
        ), asked AS (
            UPDATE questions SET closed_at = $2 FROM ended WHERE run_id = ended.id AND closed_at IS NULL
        ), told AS (
            INSERT INTO run_events (run_id, id, at, type, data) SELECT id, event_sequence, $2, 'run.ended', $4::jsonb FROM ended
        ), parents AS (
            INSERT INTO run_inbox (run_id, kind, payload, created_at)
            SELECT parent_run_id, 'ended', jsonb_build_object('step', parent_step, 'item', parent_item, 'attempt', parent_attempt, 'part', 0, 'state', $5, 'failure', $3), $2
            FROM ended WHERE parent_run_id IS NOT NULL
        ), messages AS (
            INSERT INTO outbox (kind, payload, created_at, due_at, tries)
            SELECT 'run.admit', jsonb_build_object('projectId', project_id, 'key', concurrency_key), $2, $2, 0 FROM ended WHERE concurrency_key IS NOT NULL
            UNION ALL
            SELECT 'run.inbox', jsonb_build_object('runId', parent_run_id), $2, $2, 0 FROM ended WHERE parent_run_id IS NOT NULL
            UNION ALL
            SELECT 'run.cancel', jsonb_build_object('runId', id, 'steps', (SELECT coalesce(jsonb_agg(index), '[]') FROM steps)), $2, $2, 0 FROM ended
        )
        SELECT count(*)::int FROM ended
        """;

    /// <summary>False when it has begun, or ended.</summary>
    public Task<bool> EndUnbegunAsync(Guid runId, string by, CancellationToken cancellationToken) =>
        EndAsync(runId, RunState.Canceled, $"Canceled by {by}.", by, begun: false, cancellationToken);

    /// <summary>
    /// The run's workflow is not there any more, though its last turn was never done: a workflow ends itself only after that. False when it was done after all.
    /// </summary>
    public Task<bool> EndLostAsync(Guid runId, CancellationToken cancellationToken) => EndAsync(
        runId, RunState.Failed, "Its Temporal workflow was ended by somebody else, or is lost.", null, begun: true, cancellationToken);

    private async Task<bool> EndAsync(Guid runId, RunState state, string why, string? by, bool begun, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        var now = time.GetColumnNow();
        batch.Add(Sql).With(runId).With(now).With(why)
            .With(JsonSerializer.Serialize(new RunEntry(state, why, by), RunJson.Default.RunEntry)).With(WireEnum<RunState>.NameOf(state)).With(begun);
        batch.TellRunsEnded([runId], now);
        if (await batch.ExecuteScalarAsync(cancellationToken) is not 1) return false;
        changes.PublishTasks([runId]);
        signals.WakeOutbox();
        return true;
    }
}
