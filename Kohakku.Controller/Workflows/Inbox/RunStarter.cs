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

/// <summary>Gives runs to Temporal. Doing it twice is doing it once: the workflow's id is the run's.</summary>
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
                    IdReusePolicy = WorkflowIdReusePolicy.RejectDuplicate,
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
        await using var batch = database.CreateBatch();
        batch.Add(InboxSql.ReadStart).With(runId);
        batch.Add(InboxSql.ReadReused).With(runId);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken) || WireEnum<RunState>.Parse(rows.GetString(0)) != RunState.Pending || !rows.GetBoolean(1) || rows.GetBoolean(2)) return null;
        var (engine, plan) = (rows.GetInt32(3), RunPlan.Of(CanonicalForm.Read(rows.GetString(4))));
        await rows.NextResultAsync(cancellationToken);
        List<StepRecord> reused = [];
        while (await rows.ReadAsync(cancellationToken))
            reused.Add(new StepRecord(
                rows.GetInt32(0), WireEnum<StepState>.Parse(rows.GetString(1)), rows.GetInt32(2), rows.GetInt32(3), rows.GetInt32(4),
                await rows.IsDBNullAsync(5, cancellationToken) ? null : rows.GetString(5)));
        return new RunInput { Engine = engine, RunId = runId, Plan = plan, Reused = reused };
    }
}
