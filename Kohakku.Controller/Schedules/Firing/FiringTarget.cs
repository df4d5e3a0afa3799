using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Targets;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>Begins the task or run of one firing, as the schedule's policy about overlaps allows.</summary>
internal sealed class FiringTarget(TargetStart target, TaskSteering taskSteering, RunSteering runSteering, TimeProvider time)
{
    /// <summary>How often one that waits for another's end looks.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    public async Task<FiringOutcome> BeginAsync(TakenFiring firing, CancellationToken cancellationToken)
    {
        if (firing is not { ActiveTask: null, ActiveRun: null } && firing.Overlap != OverlapPolicy.Allow) return await OverlapAsync(firing, cancellationToken);
        RenderedTarget rendered;
        try
        {
            rendered = TargetRendering.Render(firing.Target, Scope(firing.Schedule, firing.ScheduledAt, TimeZoneInfo.FindSystemTimeZoneById(firing.TimeZone)));
        }
        catch (RenderingException fault)
        {
            return new FiringOutcome(FiringState.Failed, fault.InnerException is TemplateException ? fault.Message : $"{fault.Field} {fault.Message}");
        }

        return await target.BeginAsync(rendered, firing.Caller, firing.IdempotencyKey, traceParent: null, cancellationToken) switch
        {
            TargetOutcome.Begun begun => new FiringOutcome(FiringState.Started, TaskId: begun.TaskId, RunId: begun.RunId),
            TargetOutcome.NoWorkflow none => new FiringOutcome(FiringState.Failed, none.Why),
            TargetOutcome.Refused refused => new FiringOutcome(
                FiringState.Failed, string.Join("; ", refused.Faults.ToDictionary().SelectMany(field => field.Value.Select(rule => $"{field.Key} {rule}")))),
            var other => throw new UnreachableException($"A target came to {other.GetType().Name}."),
        };
    }

    /// <summary><c>schedule.name</c>, <c>schedule.time</c> and <c>schedule.local_time</c>.</summary>
    private static TemplateScope Scope(string schedule, DateTimeOffset scheduledAt, TimeZoneInfo zone) => new()
    {
        Others = new Dictionary<string, JsonElement>
        {
            ["schedule"] = JsonSerializer.SerializeToElement(new Dictionary<string, string>
            {
                ["name"] = schedule,
                ["time"] = scheduledAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture),
                ["local_time"] = TimeZoneInfo.ConvertTime(scheduledAt, zone).ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture),
            }),
        },
    };

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
}
