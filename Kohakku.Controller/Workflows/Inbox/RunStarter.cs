using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Workflows.Connection;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>
/// Gives runs to Temporal. Doing it twice is doing it once: the workflow's id is the run's. A run that is given anew (<see cref="Reconciliation"/>) goes on from
/// where its rows have it, instead of whatever workflow may still bear its id.
/// </summary>
internal sealed class RunStarter(NpgsqlDataSource database, ITemporalClient temporal, TemporalOptions options, InboxDelivery inbox, TimeProvider time) : IOutboxHandler
{
    internal static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    public string Kind => "run.start";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var runId = JsonSerializer.Deserialize(item.Payload!, RunJson.Default.RunMessage)!.RunId;
        if (await ReadAsync(runId, cancellationToken) is not { } input) return;
        try
        {
            await temporal.StartWorkflowAsync(
                (RunWorkflow workflow) => workflow.RunAsync(input),
                new WorkflowOptions(RunWorkflow.IdOf(runId), options.TaskQueue)
                {
                    IdReusePolicy = input.Incarnation == 0 ? WorkflowIdReusePolicy.RejectDuplicate : WorkflowIdReusePolicy.AllowDuplicate,
                    IdConflictPolicy = input.Incarnation == 0 ? WorkflowIdConflictPolicy.Unspecified : WorkflowIdConflictPolicy.TerminateExisting,
                    Rpc = new RpcOptions { Timeout = CallTimeout, CancellationToken = cancellationToken },
                });
        }
        catch (WorkflowAlreadyStartedException)
        {
            // By an earlier try, whose answer was lost.
        }

        await using (var command = database.CreateCommand(InboxSql.Handed))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        // What came before it began.
        await inbox.DeliverAsync(runId, cancellationToken);
    }

    /// <summary>Null: it is not to be started (any more).</summary>
    private async Task<RunInput?> ReadAsync(Guid runId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await ReadRunAsync(connection, runId, cancellationToken) is not { } run) return null;
        var (input, kept) = run;
        await using var batch = new NpgsqlBatch(connection);
        if (input.Incarnation == 0)
        {
            if (kept.Status != RunState.Pending) return null;
            batch.Add(InboxSql.ReadReused).With(runId);
            await using var reused = await batch.ExecuteReaderAsync(cancellationToken);
            return input with { Reused = await ReadReusedAsync(reused, cancellationToken) };
        }

        // Each try is an incarnation of its own: the workflow of an earlier one, whose answer was lost, may have begun.
        batch.Add(InboxSql.NextIncarnation).With(runId);
        KeptRows.Read(batch, runId);
        await using (var rows = await batch.ExecuteReaderAsync(cancellationToken)) kept = await KeptRows.TakeAsync(kept, rows, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return input with { Incarnation = input.Incarnation + 1, State = RunMachine.Rebuild(input.Plan, kept, runId, time.GetUtcNow()) };
    }

    /// <summary>Locks the run's row. Null: there is none, it is not admitted, Temporal has it, or it has ended.</summary>
    private static async Task<(RunInput Input, KeptRun Kept)?> ReadRunAsync(NpgsqlConnection connection, Guid runId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(InboxSql.ReadStart, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken) || !row.GetBoolean(1) || row.GetBoolean(2)) return null;
        var status = WireEnum<RunState>.Parse(row.GetString(0));
        if (status.IsFinal()) return null;
        var input = new RunInput { Engine = row.GetInt32(3), RunId = runId, Plan = RunPlan.Of(CanonicalForm.Read(row.GetString(4))), Incarnation = row.GetInt32(5) };
        var startedAt = await row.IsDBNullAsync(8, cancellationToken) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(8);
        return (input, new KeptRun { Status = status, Sequence = row.GetInt32(6), InboxThrough = row.GetInt64(7), StartedAt = startedAt, Steps = [] });
    }

    private static async Task<IReadOnlyList<StepRecord>> ReadReusedAsync(NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        List<StepRecord> reused = [];
        while (await rows.ReadAsync(cancellationToken))
            reused.Add(new StepRecord(
                rows.GetInt32(0), WireEnum<StepState>.Parse(rows.GetString(1)), rows.GetInt32(2), rows.GetInt32(3), rows.GetInt32(4),
                await rows.IsDBNullAsync(5, cancellationToken) ? null : rows.GetString(5)));
        return reused;
    }
}
