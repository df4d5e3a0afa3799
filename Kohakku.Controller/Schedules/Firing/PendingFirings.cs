using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Npgsql;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>A firing that this scheduler has in hand.</summary>
/// <param name="ActiveTask">The task of the same schedule that has not ended.</param>
/// <param name="ActiveRun">Or the run.</param>
internal sealed record TakenFiring(
    Guid Id, DateTimeOffset ScheduledAt, FiringCause Cause, string Schedule, Guid ProjectId, string Project, OverlapPolicy Overlap, string TimeZone, WorkTarget Target,
    Guid? ActiveTask, Guid? ActiveRun)
{
    /// <summary>No client's own key holds a line end. It is the same for every try, so that a lost answer makes nothing twice.</summary>
    public string IdempotencyKey => $"schedule\n{Id:N}";

    /// <summary>The name stands in the timelines of what it begins and cancels.</summary>
    public Caller Caller => new(ProjectId, Project, Role.Operator, $"schedule {Schedule}");
}

/// <summary>What became of a firing in hand.</summary>
/// <param name="DueAt">Of one that stays pending: when it is looked at again.</param>
internal sealed record FiringOutcome(FiringState Status, string? Note = null, Guid? TaskId = null, Guid? RunId = null, DateTimeOffset? DueAt = null);

/// <summary>
/// Has firings begin what they are for. They are taken for a time, not by a lock, because making tasks and runs has transactions of its own; should this process
/// die, the next scheduler tries again with the same key and so gets the same task or run.
/// </summary>
internal sealed partial class PendingFirings(NpgsqlDataSource database, FiringTarget target, TimeProvider time, ILogger<PendingFirings> logger)
{
    public const int AtOnce = 500;
    /// <summary>Tasks that are submitted at the same time share commits; runs have a transaction, and so a connection, each.</summary>
    private const int ParallelTasks = 256;
    private const int ParallelRuns = 16;
    private static readonly TimeSpan Taken = TimeSpan.FromSeconds(30);

    /// <summary>Answers how many firings it saw to; those that still wait do not count.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var firings = await TakeAsync(cancellationToken);
        if (firings.Count == 0) return 0;
        var outcomes = new FiringOutcome?[firings.Count];
        await Task.WhenAll(BeginAllAsync(ofTasks: true, ParallelTasks), BeginAllAsync(ofTasks: false, ParallelRuns));
        await FinishAsync(firings, outcomes, cancellationToken);
        return outcomes.Count(outcome => outcome is { Status: not FiringState.Pending });

        Task BeginAllAsync(bool ofTasks, int parallel) => Parallel.ForEachAsync(
            Enumerable.Range(0, outcomes.Length).Where(i => firings[i].Target.Task is not null == ofTasks),
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (i, token) => outcomes[i] = await BeginAsync(firings[i], token));
    }

    private async Task<FiringOutcome?> BeginAsync(TakenFiring firing, CancellationToken cancellationToken)
    {
        try
        {
            return await target.BeginAsync(firing, cancellationToken);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // The database or the object storage may be away. It is taken again when its time is over.
            LogFailed(fault, firing.Schedule, firing.ScheduledAt);
            return null;
        }
    }

    private async Task<List<TakenFiring>> TakeAsync(CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var batch = database.CreateBatch();
        batch.Add(FiringSql.PlanAnew);
        batch.Add(FiringSql.Settle).With(now).With(AtOnce);
        batch.Add(FiringSql.TakePending).With(now).With(now + Taken).With(AtOnce);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        // Past the setting's answer.
        await rows.NextResultAsync(cancellationToken);
        List<TakenFiring> firings = [];
        while (await rows.ReadAsync(cancellationToken))
            firings.Add(new TakenFiring(
                rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), WireEnum<FiringCause>.Parse(rows.GetString(2)), rows.GetString(3), rows.GetGuid(4), rows.GetString(5),
                WireEnum<OverlapPolicy>.Parse(rows.GetString(6)), rows.GetString(7), JsonSerializer.Deserialize(rows.GetString(8), ContractsJson.Default.WorkTarget)!,
                rows.GetFieldValue<Guid?>(9), rows.GetFieldValue<Guid?>(10)));
        return firings;
    }

    private async Task FinishAsync(List<TakenFiring> firings, FiringOutcome?[] outcomes, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        (TakenFiring Firing, FiringOutcome Outcome)[] done = [.. firings.Zip(outcomes).Where(pair => pair.Second is not null).Select(pair => (pair.First, pair.Second!))];
        await using var batch = database.CreateBatch();
        batch.Add(FiringSql.Finish).With(now)
            .With(done.Select(pair => pair.Firing.Id).ToArray())
            .With(done.Select(pair => WireEnum<FiringState>.NameOf(pair.Outcome.Status)).ToArray())
            .With(done.Select(pair => pair.Outcome.Note).ToArray())
            .With(done.Select(pair => pair.Outcome.TaskId).ToArray())
            .With(done.Select(pair => pair.Outcome.RunId).ToArray())
            .With(done.Select(pair => pair.Outcome.DueAt ?? now).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(3602, LogLevel.Warning, "The firing of {Schedule} for {ScheduledAt} could not be seen to; it is tried again.")]
    private partial void LogFailed(Exception fault, string schedule, DateTimeOffset scheduledAt);
}
