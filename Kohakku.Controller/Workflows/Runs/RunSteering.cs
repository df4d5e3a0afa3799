using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Workflows.Turns;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>How it went: <see cref="Refusal"/> says why the run's state does not allow it, <see cref="Away"/> that Temporal could not be asked; else it is done.</summary>
internal sealed record SteeredRun(string? Refusal = null, string? Away = null);

/// <summary>What people do to a run on its way: each is an update of its workflow, which decides whether it may be.</summary>
internal sealed class RunSteering(NpgsqlDataSource database, ITemporalClient temporal, ChangeFeed changes, LoopSignals signals, TimeProvider time)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>$1 run.</summary>
    private const string ReadSql = "SELECT status, handed_at IS NOT NULL FROM runs WHERE id = $1";

    /// <summary>A run that Temporal has not been given yet. $1 run, $2 now, $3 why, $4 the event's data, $5 status.</summary>
    private const string EndUnbegunSql =
        """
        WITH ended AS (
            UPDATE runs SET status = $5, failure = $3, ended_at = $2, event_sequence = event_sequence + 1
            WHERE id = $1 AND status = 'pending' AND handed_at IS NULL
            RETURNING id, project_id, concurrency_key, parent_run_id, parent_step, parent_item, parent_attempt, event_sequence
        ), steps AS (
            UPDATE run_steps SET status = 'canceled', ended_at = $2 FROM ended WHERE run_id = ended.id AND run_steps.ended_at IS NULL
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
        )
        SELECT count(*)::int FROM ended
        """;

    public Task<SteeredRun> PauseAsync(Guid runId, CancellationToken cancellationToken) =>
        UpdateAsync(runId, "paused", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.PauseAsync(), options), cancellationToken);

    public Task<SteeredRun> ResumeAsync(Guid runId, CancellationToken cancellationToken) =>
        UpdateAsync(runId, "resumed", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.ResumeAsync(), options), cancellationToken);

    /// <summary>What waits ends at once; what runs is told to stop. Asked again it does nothing more.</summary>
    public async Task<SteeredRun> CancelAsync(Guid runId, string by, CancellationToken cancellationToken)
    {
        if (await EndUnbegunAsync(runId, by, cancellationToken)) return new SteeredRun();
        return await UpdateAsync(runId, "canceled", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.CancelAsync(by), options), cancellationToken);
    }

    private async Task<bool> EndUnbegunAsync(Guid runId, string by, CancellationToken cancellationToken)
    {
        var why = $"Canceled by {by}.";
        await using var batch = database.CreateBatch();
        batch.Add(EndUnbegunSql).With(runId).With(time.GetColumnNow()).With(why)
            .With(JsonSerializer.Serialize(new RunEntry(RunState.Canceled, why, by), RunJson.Default.RunEntry)).With(WireEnum<RunState>.NameOf(RunState.Canceled));
        if (await batch.ExecuteScalarAsync(cancellationToken) is not 1) return false;
        changes.PublishTasks([runId]);
        signals.WakeOutbox();
        return true;
    }

    private async Task<SteeredRun> UpdateAsync(
        Guid runId, string verb, Func<WorkflowHandle<RunWorkflow>, WorkflowUpdateOptions, Task> update, CancellationToken cancellationToken)
    {
        var (state, handed) = await ReadAsync(runId, cancellationToken);
        if (state.IsFinal()) return new SteeredRun($"The run has ended ({WireEnum<RunState>.NameOf(state)}); it can't be {verb} any more.");
        if (!handed) return new SteeredRun($"The run has not begun yet; it can't be {verb}.");
        try
        {
            await update(
                temporal.GetWorkflowHandle<RunWorkflow>(RunWorkflow.IdOf(runId)),
                new WorkflowUpdateOptions { Rpc = new RpcOptions { Timeout = CallTimeout, CancellationToken = cancellationToken } });
            return new SteeredRun();
        }
        catch (WorkflowUpdateFailedException refused)
        {
            return new SteeredRun((refused.InnerException ?? refused).Message);
        }
        catch (RpcException fault) when (fault.Code == RpcException.StatusCode.NotFound)
        {
            return new SteeredRun($"The run is ending; it can't be {verb} any more.");
        }
        catch (WorkflowUpdateRpcTimeoutOrCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new SteeredRun(Away: "No temporal-worker answered in time; the run was told, and does it when one is back.");
        }
        catch (Exception fault) when (fault is RpcException or InvalidOperationException)
        {
            return new SteeredRun(Away: $"Temporal can't be reached: {fault.Message}");
        }
    }

    private async Task<(RunState State, bool Handed)> ReadAsync(Guid runId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(ReadSql).With(runId);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        // Its row may be gone with its project's retention: then it has ended.
        return await rows.ReadAsync(cancellationToken) ? (WireEnum<RunState>.Parse(rows.GetString(0)), rows.GetBoolean(1)) : (RunState.Canceled, false);
    }
}
