using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>How it went: <see cref="Refusal"/> says why the run's state does not allow it, <see cref="Away"/> that Temporal could not be asked; else it is done.</summary>
internal sealed record SteeredRun(string? Refusal = null, string? Away = null);

/// <summary>What people do to a run on its way: each is an update of its workflow, which decides whether it may be.</summary>
internal sealed class RunSteering(NpgsqlDataSource database, ITemporalClient temporal, RunEnding ending)
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    /// <summary>$1 run.</summary>
    private const string ReadSql = "SELECT status, handed_at IS NOT NULL FROM runs WHERE id = $1";

    public Task<SteeredRun> PauseAsync(Guid runId, CancellationToken cancellationToken) =>
        UpdateAsync(runId, "paused", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.PauseAsync(), options), cancellationToken);

    public Task<SteeredRun> ResumeAsync(Guid runId, CancellationToken cancellationToken) =>
        UpdateAsync(runId, "resumed", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.ResumeAsync(), options), cancellationToken);

    /// <summary>What waits ends at once; what runs is told to stop. Asked again it does nothing more.</summary>
    public async Task<SteeredRun> CancelAsync(Guid runId, string by, CancellationToken cancellationToken)
    {
        if (await ending.EndUnbegunAsync(runId, by, cancellationToken)) return new SteeredRun();
        return await UpdateAsync(runId, "canceled", (handle, options) => handle.ExecuteUpdateAsync(workflow => workflow.CancelAsync(by), options), cancellationToken);
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
