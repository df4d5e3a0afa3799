using System.Globalization;
using Kohakku.Contracts;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Schedules;

internal static class ScheduleEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var schedules = endpoints.MapGroup("/schedules").WithTags("Schedules");
        schedules.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListSchedules");
        schedules.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetSchedule");
        schedules.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutSchedule");
        schedules.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteSchedule");
        schedules.MapGet("/{name}/next", NextAsync).RequireAuthorization(Policies.Viewer).WithName("GetScheduleTimes");
        schedules.MapGet("/{name}/firings", FiringsAsync).RequireAuthorization(Policies.Viewer).WithName("ListFirings");
        schedules.MapPost("/{name}/trigger", TriggerAsync).RequireAuthorization(Policies.Operator).WithName("TriggerSchedule");
        schedules.MapPost("/{name}/backfill", BackfillAsync).RequireAuthorization(Policies.Operator).WithName("BackfillSchedule");
        schedules.MapPost("/{name}/pause", PauseAsync).RequireAuthorization(Policies.Operator).WithName("PauseSchedule");
        schedules.MapPost("/{name}/resume", ResumeAsync).RequireAuthorization(Policies.Operator).WithName("ResumeSchedule");
    }

    private static async Task<Results<Ok<Page<ScheduleView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, ScheduleQueries queries, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        return TypedResults.Ok(page.Of(await queries.ListAsync(caller.ProjectId, page.After, page.Limit + 1, cancellationToken), view => view, view => view.Name));
    }

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> FindAsync(string name, Caller caller, ScheduleQueries queries, CancellationToken cancellationToken) =>
        await queries.FindAsync(caller.ProjectId, name, cancellationToken) is { } schedule ? TypedResults.Ok(schedule) : NotFound(name);

    private static async Task<Results<Created<ScheduleView>, Ok<ScheduleView>, ProblemHttpResult>> PutAsync(
        string name, PutSchedule schedule, Caller caller, ScheduleRegistry registry, ScheduleQueries queries, TimeProvider time, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        ScheduleRules.Check(name, schedule, time.GetUtcNow(), faults);
        if (faults.Any) return Problems.Unprocessable(faults);
        var isNew = await registry.PutAsync(caller.ProjectId, name, schedule, cancellationToken);
        if (await queries.FindAsync(caller.ProjectId, name, cancellationToken) is not { } view) return NotFound(name);
        return isNew ? TypedResults.Created($"/api/v1/schedules/{name}", view) : TypedResults.Ok(view);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string name, Caller caller, ScheduleRegistry registry, CancellationToken cancellationToken) =>
        await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) ? TypedResults.NoContent() : NotFound(name);

    /// <summary>Its times from now on, as they would be were it not paused.</summary>
    private static async Task<Results<Ok<ScheduleTimes>, ProblemHttpResult>> NextAsync(
        string name, HttpRequest request, Caller caller, ScheduleRegistry registry, TimeProvider time, CancellationToken cancellationToken)
    {
        var count = 10;
        if (request.Query["count"].ToString() is { Length: > 0 } text && (!int.TryParse(text, CultureInfo.InvariantCulture, out count) || count is < 1 or > ScheduleTriggers.MostTimes))
            return Problems.BadRequest("count", $"must be from 1 to {ScheduleTriggers.MostTimes}");
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } schedule) return NotFound(name);
        return TypedResults.Ok(new ScheduleTimes([.. schedule.Cadence().Between(time.GetUtcNow().AddTicks(1), DateTimeOffset.MaxValue).Take(count)]));
    }

    private static async Task<Results<Ok<Page<FiringView>>, ProblemHttpResult>> FiringsAsync(
        string name, HttpRequest request, Caller caller, ScheduleRegistry registry, ScheduleQueries queries, CancellationToken cancellationToken)
    {
        if (!IdPage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } schedule) return NotFound(name);
        var firings = await queries.FiringsAsync(schedule.Id, page.Before, page.Limit + 1, cancellationToken);
        return TypedResults.Ok(page.Of(firings, firing => firing.Id));
    }

    private static async Task<Results<Accepted<ScheduleTimes>, ProblemHttpResult>> TriggerAsync(
        string name, Caller caller, ScheduleRegistry registry, ScheduleTriggers triggers, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } schedule) return NotFound(name);
        return TypedResults.Accepted(Firings(name), new ScheduleTimes([await triggers.TriggerAsync(schedule, cancellationToken)]));
    }

    private static async Task<Results<Accepted<ScheduleTimes>, ProblemHttpResult>> BackfillAsync(
        string name, BackfillSchedule range, Caller caller, ScheduleRegistry registry, ScheduleTriggers triggers, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } schedule) return NotFound(name);
        var faults = new Faults();
        if (range.From is null) faults.Add("from", "is required");
        if (range.To is null) faults.Add("to", "is required");
        if (range.To > time.GetUtcNow()) faults.Add("to", "must not be in the future");
        if (range.To < range.From) faults.Add("to", "must not be before from");
        IReadOnlyList<DateTimeOffset> times = faults.Any ? [] : [.. schedule.Cadence().Between(range.From!.Value, range.To!.Value).Take(ScheduleTriggers.MostTimes + 1)];
        if (times.Count > ScheduleTriggers.MostTimes) faults.Add("to", $"must be so near to from that there are at most {ScheduleTriggers.MostTimes} times between");
        if (faults.Any) return Problems.Unprocessable(faults);
        return TypedResults.Accepted(Firings(name), new ScheduleTimes(await triggers.BackfillAsync(schedule, times, cancellationToken)));
    }

    private static Task<Results<Ok<ScheduleView>, ProblemHttpResult>> PauseAsync(
        string name, Caller caller, ScheduleRegistry registry, ScheduleQueries queries, CancellationToken cancellationToken) =>
        EnableAsync(name, false, caller, registry, queries, cancellationToken);

    private static Task<Results<Ok<ScheduleView>, ProblemHttpResult>> ResumeAsync(
        string name, Caller caller, ScheduleRegistry registry, ScheduleQueries queries, CancellationToken cancellationToken) =>
        EnableAsync(name, true, caller, registry, queries, cancellationToken);

    private static async Task<Results<Ok<ScheduleView>, ProblemHttpResult>> EnableAsync(
        string name, bool enabled, Caller caller, ScheduleRegistry registry, ScheduleQueries queries, CancellationToken cancellationToken) =>
        await registry.EnableAsync(caller.ProjectId, name, enabled, cancellationToken) && await queries.FindAsync(caller.ProjectId, name, cancellationToken) is { } schedule
            ? TypedResults.Ok(schedule)
            : NotFound(name);

    private static string Firings(string name) => $"/api/v1/schedules/{name}/firings";

    private static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no schedule '{name}' in this project.");
}
