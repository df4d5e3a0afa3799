using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Interpreter;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>Writes new runs within a transaction: row, steps, first event, and the message that has Temporal begin it. One batch, whatever their number.</summary>
internal static class RunInsert
{
    /// <summary>Under this lock, until the transaction ends, nobody else lets runs of the key begin. $1 project, $2 keys in order.</summary>
    private const string LockKeys = "SELECT pg_advisory_xact_lock(hashtextextended('kohakku:runs:' || $1::uuid || key, 0)) FROM unnest($2::text[]) AS key";

    /// <summary>$1 project, $2 keys.</summary>
    private const string CountAdmitted =
        """
        SELECT concurrency_key, count(*)::int FROM runs
        WHERE project_id = $1 AND concurrency_key = ANY($2) AND admitted AND status IN ('pending', 'running', 'paused') GROUP BY concurrency_key
        """;

    private const string InsertRun =
        """
        INSERT INTO runs (id, project_id, workflow_id, workflow_name, version, engine, status, inputs, concurrency_key, concurrency_limit, admitted,
            parent_run_id, parent_step, parent_item, parent_attempt, depth, retry_of, turn_sequence, batch_sent, batch_taken, event_sequence,
            submitted_by, idempotency_key, request_hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7::json, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, 0, 1, $17, $18, $19, $20)
        """;

    /// <summary>Steps that are taken over come as they ended; all others are pending. $1 run, $2 the run they are from, $3 their indexes, then columns.</summary>
    private const string InsertSteps =
        """
        INSERT INTO run_steps (run_id, index, step_id, kind, fans_out, status, items, elements, succeeded, failed, failure, started_at, ended_at)
        SELECT $1, n.index, n.step_id, n.kind, n.fans_out, coalesce(o.status, 'pending'), coalesce(o.items, -1), o.elements, coalesce(o.succeeded, 0), coalesce(o.failed, 0),
            o.failure, o.started_at, o.ended_at
        FROM unnest($4::int[], $5::text[], $6::text[], $7::bool[]) AS n(index, step_id, kind, fans_out)
        LEFT JOIN run_steps o ON o.run_id = $2 AND o.index = n.index AND n.index = ANY($3)
        """;

    /// <summary>
    /// Their outputs come along. The tasks stay the other run's, where they are listed; here are their outputs alone. $1 run, $2 the run they are from, $3 indexes.
    /// </summary>
    private const string CopyOutputs =
        """
        INSERT INTO run_units (run_id, step, item, attempt, part, status, output, counts, created_at, ended_at)
        SELECT $1, u.step, u.item, u.attempt, u.part, u.status, coalesce(u.output, t.output::json, c.outputs), true, u.created_at, u.ended_at
        FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN runs c ON c.id = u.child_run_id
        WHERE u.run_id = $2 AND u.step = ANY($3) AND u.counts
        """;

    private const string InsertEvent = "INSERT INTO run_events (run_id, id, at, type, data) VALUES ($1, 1, $2, 'run.created', $3::jsonb)";

    /// <summary>$1 run, $2 now.</summary>
    public const string EnqueueStart = "INSERT INTO outbox (kind, payload, created_at, due_at, tries) VALUES ('run.start', jsonb_build_object('runId', $1::uuid), $2, $2, 0)";

    /// <summary>Takes the locks of the runs' concurrency keys. Answers which runs may begin, in their order.</summary>
    public static async Task<bool[]> AdmitAsync(NpgsqlConnection connection, IReadOnlyList<NewRun> runs, CancellationToken cancellationToken)
    {
        var admitted = new bool[runs.Count];
        string[] keys = [.. runs.Select(run => run.ConcurrencyKey).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        var taken = keys.ToDictionary(key => key, _ => 0);
        if (keys.Length > 0)
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(LockKeys).With(runs[0].ProjectId).With(keys);
            // A statement of its own: it must see what was committed while the locks were waited for.
            batch.Add(CountAdmitted).With(runs[0].ProjectId).With(keys);
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            await rows.NextResultAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) taken[rows.GetString(0)] = rows.GetInt32(1);
        }

        for (var i = 0; i < admitted.Length; i++)
            admitted[i] = runs[i].ConcurrencyKey is not { } key || taken[key]++ < runs[i].Definition.Concurrency!.Limit;
        return admitted;
    }

    public static void Write(NpgsqlBatch batch, NewRun run, bool admitted, DateTimeOffset now)
    {
        var steps = run.Definition.Steps;
        batch.Add(InsertRun)
            .With(run.Id).With(run.ProjectId).With(run.WorkflowId).With(run.Definition.Name).With(run.Version).With(RunMachine.Engine).With(run.Inputs.GetRawText())
            .With(run.ConcurrencyKey).With(run.ConcurrencyKey is null ? null : run.Definition.Concurrency?.Limit).With(admitted)
            .With(run.Parent?.RunId).With(run.Parent?.Step).With(run.Parent?.Item).With(run.Parent?.Attempt).With(run.Depth).With(run.RetryOf)
            .With(run.SubmittedBy).With(run.IdempotencyKey).With(run.RequestHash).With(now);
        int[] reused = [.. run.Reused];
        batch.Add(InsertSteps)
            .With(run.Id).With(run.RetryOf).With(reused).With(Enumerable.Range(0, steps.Count).ToArray()).With(steps.Select(step => step.Id).ToArray())
            .With(steps.Select(step => WireEnum<Kohakku.Workflows.Definitions.StepKind>.NameOf(step.Kind)).ToArray()).With(steps.Select(step => step.ForEach is not null).ToArray());
        if (run.RetryOf is { } from) batch.Add(CopyOutputs).With(run.Id).With(from).With(reused);
        batch.Add(InsertEvent).With(run.Id).With(now).With(JsonSerializer.Serialize(new CreatedEntry(run.SubmittedBy, run.Definition.Name, run.Version, run.RetryOf), RunJson.Default.CreatedEntry));
        if (admitted) batch.Add(EnqueueStart).With(run.Id).With(now);
    }
}
