using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Identity;
using Npgsql;

namespace Kohakku.Controller.Failures;

/// <summary>How it went: <see cref="Refusal"/> says why the group's state does not allow it, else it is done.</summary>
internal sealed record SteeredFailure(FailureGroupState Before, string? Refusal = null);

/// <summary>What people do to failures, for the API and the console alike. Each answers null when the caller's project has no such group.</summary>
internal sealed class FailureSteering(NpgsqlDataSource database, TaskSteering tasks, TimeProvider time)
{
    /// <summary>So many tasks by one call: a person who waits for it, and the queue, must not choke on it.</summary>
    public const int MostRetried = 10_000;

    /// <summary>So many by one transaction, which holds their rows.</summary>
    private const int AtOnce = 200;

    /// <summary>Somebody takes it up.</summary>
    public Task<SteeredFailure?> AcknowledgeAsync(Guid id, Caller caller, CancellationToken cancellationToken) => SteerAsync(
        FailureSql.Acknowledge, id, caller, state => $"The failure is {state} already; only an open one is acknowledged.", cancellationToken);

    /// <summary>It is held to be mended; a later failure opens it again.</summary>
    public Task<SteeredFailure?> ResolveAsync(Guid id, Caller caller, CancellationToken cancellationToken) => SteerAsync(
        FailureSql.Resolve, id, caller, state => $"The failure is {state} already.", cancellationToken);

    /// <summary>
    /// Runs again every task that ended by a failure of the group and still stands so; those that others run again meanwhile are left alone. Answers how
    /// many, <see cref="MostRetried"/> at most. The oldest first, each once, also where it fails at once again.
    /// </summary>
    public async Task<int?> RetryAsync(Guid id, Caller caller, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(id, caller, cancellationToken)) return null;
        var (retried, after) = (0, Guid.Empty);
        while (retried < MostRetried)
        {
            var failed = await ReadRetryableAsync(id, after, Math.Min(AtOnce, MostRetried - retried), cancellationToken);
            if (failed.Count == 0) break;
            retried += await tasks.RetryFailedAsync(failed.ToDictionary(task => task.TaskId, task => task.AttemptId), caller, cancellationToken);
            after = failed[^1].TaskId;
        }

        return retried;
    }

    private async Task<SteeredFailure?> SteerAsync(string sql, Guid id, Caller caller, Func<string, string> refusal, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(sql).With(caller.ProjectId).With(id).With(time.GetColumnNow()).With(caller.Name);
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;
        var before = WireEnum<FailureGroupState>.Parse(row.GetString(0));
        return new SteeredFailure(before, row.GetBoolean(1) ? null : refusal(row.GetString(0)));
    }

    private async Task<bool> ExistsAsync(Guid id, Caller caller, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(FailureSql.Exists).With(caller.ProjectId).With(id);
        return await batch.ExecuteScalarAsync(cancellationToken) is not null;
    }

    private async Task<List<(Guid TaskId, Guid AttemptId)>> ReadRetryableAsync(Guid id, Guid after, int count, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(FailureSql.Retryable).With(id).With(after).With(count);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Guid, Guid)> found = [];
        while (await rows.ReadAsync(cancellationToken)) found.Add((rows.GetGuid(0), rows.GetGuid(1)));
        return found;
    }
}
