using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>
/// Tells a run's workflow what has happened: up to 100 entries a signal, and the next only when the workflow has taken the last, because Temporal holds but
/// 100 signals for a workflow that is busy. A batch keeps its number and its content however often it is sent, so the workflow can tell a repetition.
/// </summary>
internal sealed partial class InboxDelivery(
    NpgsqlDataSource database, ITemporalClient temporal, RunEnding ending, TimeProvider time, ILogger<InboxDelivery> logger) : IOutboxHandler
{
    private const int MostEntries = 100;

    /// <summary>A batch that arrived and was not taken for so long is sent again.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public string Kind => "run.inbox";

    public Task HandleAsync(OutboxItem item, CancellationToken cancellationToken) =>
        DeliverAsync(JsonSerializer.Deserialize(item.Payload!, RunJson.Default.RunMessage)!.RunId, cancellationToken);

    public async Task DeliverAsync(Guid runId, CancellationToken cancellationToken)
    {
        if (await TakeAsync(runId, cancellationToken) is not { } batch) return;
        try
        {
            await temporal.GetWorkflowHandle<RunWorkflow>(RunWorkflow.IdOf(runId)).SignalAsync(
                workflow => workflow.TakeInboxAsync(batch), new WorkflowSignalOptions { Rpc = new RpcOptions { Timeout = RunStarter.CallTimeout, CancellationToken = cancellationToken } });
        }
        catch (RpcException fault) when (fault.Code == RpcException.StatusCode.NotFound && !IsOfNamespace(fault))
        {
            // It has ended: by its last turn, and then nobody is left to be told; or somebody ended it in Temporal.
            if (await ending.EndLostAsync(runId, cancellationToken)) LogLost(runId);
            return;
        }

        await using var command = database.CreateCommand(InboxSql.BatchArrived);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = batch.Through });
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A namespace that is not there says nothing of its workflows: it is another Temporal than the runs are in.</summary>
    private static bool IsOfNamespace(RpcException fault) => fault.Message.Contains("amespace", StringComparison.Ordinal);

    /// <summary>The batch to send now; null: none, or one is in flight.</summary>
    private async Task<InboxBatch?> TakeAsync(Guid runId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LockAsync(connection, runId, cancellationToken) is not { } run || run.State.IsFinal() || !run.Handed) return null;
        var inFlight = run.Sent > run.Taken;
        if (inFlight && run.SentAt is { } at && at > time.GetUtcNow() - Patience) return null;

        var number = inFlight ? run.Sent : run.Sent + 1;
        await using var batch = new NpgsqlBatch(connection);
        if (!inFlight)
        {
            batch.Add(InboxSql.MakeBatch).With(runId).With(number).With(MostEntries);
            batch.Add(InboxSql.BatchMade).With(runId).With(number);
        }

        batch.Add(InboxSql.ReadBatch).With(runId).With(number);
        var made = await ReadAsync(batch, number, cancellationToken);
        if (made is null) return null;
        await transaction.CommitAsync(cancellationToken);
        return made;
    }

    private sealed record InboxRun(RunState State, bool Handed, long Sent, long Taken, DateTimeOffset? SentAt);

    private static async Task<InboxRun?> LockAsync(NpgsqlConnection connection, Guid runId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(InboxSql.Lock, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new InboxRun(
                WireEnum<RunState>.Parse(rows.GetString(0)), rows.GetBoolean(1), rows.GetInt64(2), rows.GetInt64(3),
                await rows.IsDBNullAsync(4, cancellationToken) ? null : rows.GetFieldValue<DateTimeOffset>(4))
            : null;
    }

    private static async Task<InboxBatch?> ReadAsync(NpgsqlBatch batch, long number, CancellationToken cancellationToken)
    {
        List<UnitEnded> ended = [];
        List<Decision> decided = [];
        List<SignalReceived> signals = [];
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var payload = rows.GetString(1);
            switch (rows.GetString(0))
            {
                case "ended": ended.Add(JsonSerializer.Deserialize(payload, RunJson.Default.UnitEnded)!); break;
                case "decided": decided.Add(JsonSerializer.Deserialize(payload, RunJson.Default.Decision)!); break;
                case "signal": signals.Add(JsonSerializer.Deserialize(payload, RunJson.Default.SignalReceived)!); break;
                case var kind: throw new InvalidDataException($"A run's inbox has an entry of the kind '{kind}', which this release does not know.");
            }
        }

        return ended.Count + decided.Count + signals.Count == 0 ? null : new InboxBatch(number, ended, decided, signals);
    }

    [LoggerMessage(5101, LogLevel.Warning, "The workflow of run {RunId} is not there any more; the run is ended as failed.")]
    private partial void LogLost(Guid runId);
}
