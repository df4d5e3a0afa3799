using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Workflows.Connection;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Client;

namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>
/// Makes the database and Temporal agree where they are of different times: after one of them was restored, or Temporal has lost what it had. The database is
/// right. Only marks; the outbox of a controller that serves does it, and bears Temporal's absence.
/// </summary>
internal sealed class Reconciliation(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Answers how many runs are open.</summary>
    public async Task<int> MarkAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(InboxSql.Reconcile);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>Ends workflows in Temporal whose runs the database does not have, or has as ended long ago: nobody would ever tell them anything.</summary>
internal sealed partial class OrphanHandler(NpgsqlDataSource database, ITemporalClient temporal, TemporalOptions options, TimeProvider time, ILogger<OrphanHandler> logger) : IOutboxHandler
{
    private const int AtOnce = 200;

    /// <summary>So long a workflow may need to end after its last turn.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public string Kind => "run.orphans";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var ended = 0;
        List<(Guid Run, string Execution)> some = [];
        await foreach (var execution in temporal.ListWorkflowsAsync("WorkflowType = 'kohakku-run' AND ExecutionStatus = 'Running'").WithCancellation(cancellationToken))
        {
            // Another installation in the same namespace has a queue of its own.
            if (execution.TaskQueue != options.TaskQueue || !Guid.TryParse(execution.Id.AsSpan(Math.Min(execution.Id.Length, "run-".Length)), out var run) || execution.Id != RunWorkflow.IdOf(run)) continue;
            some.Add((run, execution.RunId));
            if (some.Count < AtOnce) continue;
            ended += await EndAsync(some, cancellationToken);
            some.Clear();
        }

        ended += await EndAsync(some, cancellationToken);
        if (ended > 0) LogEnded(ended);
    }

    private async Task<int> EndAsync(List<(Guid Run, string Execution)> executions, CancellationToken cancellationToken)
    {
        if (executions.Count == 0) return 0;
        HashSet<Guid> open = [];
        await using (var batch = database.CreateBatch())
        {
            batch.Add(InboxSql.Open).With(executions.Select(execution => execution.Run).ToArray()).With(time.GetUtcNow() - Patience);
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) open.Add(rows.GetGuid(0));
        }

        var ended = 0;
        foreach (var (run, execution) in executions.Where(execution => !open.Contains(execution.Run)))
        {
            await temporal.GetWorkflowHandle(RunWorkflow.IdOf(run), execution).TerminateAsync(
                "Kohakku has no such run, or it has ended.", new WorkflowTerminateOptions { Rpc = new RpcOptions { Timeout = RunStarter.CallTimeout, CancellationToken = cancellationToken } });
            ended++;
        }

        return ended;
    }

    [LoggerMessage(5102, LogLevel.Information, "{Count} workflows in Temporal had no open run any more and were ended.")]
    private partial void LogEnded(int count);
}
