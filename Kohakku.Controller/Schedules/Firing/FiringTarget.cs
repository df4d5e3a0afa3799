using System.Diagnostics;
using System.Text.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Templates;
using Npgsql;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>Begins the task or run of one firing, as the schedule's policy about overlaps allows.</summary>
internal sealed class FiringTarget(
    NpgsqlDataSource database, TaskSubmission tasks, RunSubmission runs, TaskSteering taskSteering, RunSteering runSteering, TimeProvider time)
{
    /// <summary>How often one that waits for another's end looks.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    public async Task<FiringOutcome> BeginAsync(TakenFiring firing, CancellationToken cancellationToken)
    {
        if (firing is not { ActiveTask: null, ActiveRun: null } && firing.Overlap != OverlapPolicy.Allow) return await OverlapAsync(firing, cancellationToken);
        try
        {
            var scope = TargetRendering.Scope(firing.Schedule, firing.ScheduledAt, TimeZoneInfo.FindSystemTimeZoneById(firing.TimeZone));
            return firing.Target.Task is { } task
                ? await SubmitAsync(firing, TargetRendering.Task(task, scope), cancellationToken)
                : await StartAsync(firing, TargetRendering.Run(firing.Target, scope), cancellationToken);
        }
        catch (TemplateException fault)
        {
            return new FiringOutcome(FiringState.Failed, fault.Message);
        }
        catch (JsonException fault)
        {
            return new FiringOutcome(FiringState.Failed, $"target.task{fault.Path?.TrimStart('$')} has the wrong kind once its template is rendered");
        }
    }

    private async Task<FiringOutcome> OverlapAsync(TakenFiring firing, CancellationToken cancellationToken)
    {
        var before = firing.ActiveTask is { } id ? $"task {id}" : $"run {firing.ActiveRun}";
        // A past range that somebody asked for is asked for whole: one after another.
        if (firing.Overlap == OverlapPolicy.Skip && firing.Cause != FiringCause.Backfill) return new FiringOutcome(FiringState.Skipped, $"The {before} of before has not ended.");
        if (firing.Overlap == OverlapPolicy.CancelRunning)
        {
            if (firing.ActiveTask is { } task) await taskSteering.CancelAsync(task, firing.Caller, cancellationToken);
            else await runSteering.CancelAsync(firing.ActiveRun!.Value, firing.Caller.Name, cancellationToken);
        }

        return new FiringOutcome(FiringState.Pending, $"It waits for the end of the {before}.", DueAt: time.GetColumnNow() + Wait);
    }

    private async Task<FiringOutcome> SubmitAsync(TakenFiring firing, Contracts.Tasks.SubmitTask task, CancellationToken cancellationToken) =>
        await tasks.SubmitAsync(task, firing.Caller, firing.IdempotencyKey, traceParent: null, cancellationToken) switch
        {
            SubmitOutcome.Accepted { Tasks: [var made] } => new FiringOutcome(FiringState.Started, TaskId: made.Id),
            SubmitOutcome.Refused refused => await RefusedAsync(firing, refused.Faults, cancellationToken),
            SubmitOutcome.TooLarge tooLarge => new FiringOutcome(FiringState.Failed, $"{tooLarge.Field} must be at most 1 MiB of UTF-8"),
            var other => throw new UnreachableException($"A submit came to {other.GetType().Name}."),
        };

    private async Task<FiringOutcome> StartAsync(TakenFiring firing, Contracts.Workflows.StartRun run, CancellationToken cancellationToken) =>
        await runs.StartAsync(firing.Target.Workflow!, run, firing.Caller, firing.IdempotencyKey, cancellationToken) switch
        {
            RunOutcome.Made made => new FiringOutcome(FiringState.Started, RunId: made.Id),
            RunOutcome.Refused refused => await RefusedAsync(firing, refused.Faults, cancellationToken),
            RunOutcome.Missing missing => new FiringOutcome(FiringState.Failed, missing.What),
            RunOutcome.Conflict conflict => new FiringOutcome(FiringState.Failed, conflict.Why),
            var other => throw new UnreachableException($"A start came to {other.GetType().Name}."),
        };

    /// <summary>A try of before may have made it, with a text that reads the clock and so is another now.</summary>
    private async Task<FiringOutcome> RefusedAsync(TakenFiring firing, Faults faults, CancellationToken cancellationToken)
    {
        var rules = faults.ToDictionary();
        if (rules.ContainsKey(IdempotencyKeys.Header))
        {
            await using var batch = database.CreateBatch();
            batch.Add(FiringSql.MadeBefore).With(firing.ProjectId).With(firing.IdempotencyKey);
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            await rows.ReadAsync(cancellationToken);
            return new FiringOutcome(FiringState.Started, TaskId: rows.GetFieldValue<Guid?>(0), RunId: rows.GetFieldValue<Guid?>(1));
        }

        return new FiringOutcome(FiringState.Failed, string.Join("; ", rules.SelectMany(field => field.Value.Select(rule => $"{field.Key} {rule}"))));
    }
}
