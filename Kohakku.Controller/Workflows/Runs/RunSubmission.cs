using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>What came of asking for a run.</summary>
internal abstract record RunOutcome
{
    private RunOutcome()
    {
    }

    public sealed record Made(Guid Id, bool IsRepeat) : RunOutcome;

    /// <summary>There is no such workflow or run.</summary>
    public sealed record Missing(string What) : RunOutcome;

    public sealed record Refused(Faults Faults) : RunOutcome;

    /// <summary>The state of things does not allow it.</summary>
    public sealed record Conflict(string Why) : RunOutcome;
}

/// <summary>Takes in runs: a row and an outbox message, so that neither Temporal nor a worker need be there.</summary>
internal sealed class RunSubmission(NpgsqlDataSource database, RunCreation creation, ChangeFeed changes, LoopSignals signals, TimeProvider time)
{
    private const string RepeatSql = "SELECT id, request_hash FROM runs WHERE project_id = $1 AND idempotency_key = $2";

    public async Task<RunOutcome> StartAsync(string workflow, StartRun request, Caller caller, string? idempotencyKey, CancellationToken cancellationToken)
    {
        // The workflow's name is part of what was asked.
        var key = idempotencyKey is null ? null : IdempotencyKeys.Of(idempotencyKey, request, ContractsJson.Default.StartRun);
        if (key is not null) key = key with { RequestHash = [.. key.RequestHash, .. System.Text.Encoding.UTF8.GetBytes(workflow)] };
        if (key is not null && await RepeatAsync(caller.ProjectId, key, cancellationToken) is { } repeat) return repeat;
        var faults = new Faults();
        if (await creation.PrepareAsync(caller.ProjectId, workflow, request.Version, request.Inputs, caller.Name, faults, cancellationToken) is not { } run)
            return Missing(workflow, request.Version);
        if (faults.Any) return new RunOutcome.Refused(faults);
        try
        {
            return await WriteAsync(run with { IdempotencyKey = key?.Text, RequestHash = key?.RequestHash }, cancellationToken);
        }
        catch (PostgresException fault) when (key is not null && fault.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The same key at the same moment: the other one was faster.
            return await RepeatAsync(caller.ProjectId, key, cancellationToken) ?? throw new InvalidOperationException($"The key {key.Text} is taken, but by no run.", fault);
        }
    }

    /// <summary>What a start would be refused for, as things stand; null: nothing. It writes nothing.</summary>
    public async Task<RunOutcome?> CheckAsync(string workflow, StartRun request, Caller caller, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        if (await creation.PrepareAsync(caller.ProjectId, workflow, request.Version, request.Inputs, caller.Name, faults, cancellationToken) is null) return Missing(workflow, request.Version);
        return faults.Any ? new RunOutcome.Refused(faults) : null;
    }

    /// <summary>A new run of the same version and inputs, which takes over what the steps before have done.</summary>
    public async Task<RunOutcome> RetryAsync(Guid runId, string? fromStep, Caller caller, CancellationToken cancellationToken)
    {
        if (await RunRetry.ReadAsync(database, caller.ProjectId, runId, cancellationToken) is not { } old) return new RunOutcome.Missing($"There is no run {runId} in this project.");
        if (!old.State.IsFinal()) return new RunOutcome.Conflict($"The run has not ended ({WireEnum<RunState>.NameOf(old.State)}); only an ended one is run again.");
        var faults = new Faults();
        if (await creation.PrepareAsync(caller.ProjectId, old.Workflow, old.Version, old.Inputs, caller.Name, faults, cancellationToken) is not { } run)
            return new RunOutcome.Conflict($"The workflow '{old.Workflow}' was deleted.");
        if (fromStep is not null && run.Definition.Steps.All(step => step.Id != fromStep)) faults.Add("fromStep", "must be a step of the workflow");
        if (faults.Any) return new RunOutcome.Refused(faults);
        return await WriteAsync(run with { RetryOf = runId, Reused = old.Reusable(run.Definition, fromStep) }, cancellationToken);
    }

    private static RunOutcome.Missing Missing(string workflow, int? version) => new(version is null
        ? $"There is no workflow '{workflow}' in this project."
        : $"There is no workflow '{workflow}' with a version {version} in this project.");

    private async Task<RunOutcome> WriteAsync(NewRun run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var admitted = await RunInsert.AdmitAsync(connection, [run], cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        RunInsert.Write(batch, run, admitted[0], time.GetColumnNow());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        signals.WakeOutbox();
        changes.PublishTasks([run.Id]);
        return new RunOutcome.Made(run.Id, IsRepeat: false);
    }

    private async Task<RunOutcome?> RepeatAsync(Guid projectId, IdempotencyKey key, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(RepeatSql).With(projectId).With(key.Text);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        if (rows.GetFieldValue<byte[]>(1).AsSpan().SequenceEqual(key.RequestHash)) return new RunOutcome.Made(rows.GetGuid(0), IsRepeat: true);
        var faults = new Faults();
        faults.Add(IdempotencyKeys.Header, "was used before with another body");
        return new RunOutcome.Refused(faults);
    }
}
