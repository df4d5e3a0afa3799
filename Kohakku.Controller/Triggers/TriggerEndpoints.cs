using System.Diagnostics;
using Kohakku.Contracts;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Triggers;

internal static class TriggerEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var triggers = endpoints.MapGroup("/triggers").WithTags("Triggers");
        triggers.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListTriggers");
        triggers.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetTrigger");
        triggers.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutTrigger");
        triggers.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteTrigger");
        triggers.MapGet("/{name}/deliveries", DeliveriesAsync).RequireAuthorization(Policies.Viewer).WithName("ListTriggerDeliveries");
        triggers.MapPost("/{name}/test", TestAsync).RequireAuthorization(Policies.Operator).WithName("TestTrigger");
    }

    private static async Task<Results<Ok<Page<TriggerView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, TriggerQueries queries, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        return TypedResults.Ok(page.Of(await queries.ListAsync(caller.ProjectId, page.After, page.Limit + 1, cancellationToken), view => view, view => view.Name));
    }

    private static async Task<Results<Ok<TriggerView>, ProblemHttpResult>> FindAsync(string name, Caller caller, TriggerQueries queries, CancellationToken cancellationToken) =>
        await queries.FindAsync(caller.ProjectId, name, cancellationToken) is { } trigger ? TypedResults.Ok(trigger) : NotFound(name);

    private static async Task<Results<Created<TriggerView>, Ok<TriggerView>, ProblemHttpResult>> PutAsync(
        string name, PutTrigger trigger, Caller caller, TriggerRegistry registry, TriggerQueries queries, CancellationToken cancellationToken)
    {
        switch (await registry.PutAsync(caller.ProjectId, name, trigger, cancellationToken))
        {
            case PutTriggerOutcome.Refused refused: return Problems.Unprocessable(refused.Faults);
            case PutTriggerOutcome.Taken taken: return Problems.Conflict(taken.Why);
            case PutTriggerOutcome.Put put:
                if (await queries.FindAsync(caller.ProjectId, name, cancellationToken) is not { } view) return NotFound(name);
                return put.IsNew ? TypedResults.Created($"/api/v1/triggers/{name}", view) : TypedResults.Ok(view);
            case var other: throw new UnreachableException($"A put came to {other.GetType().Name}.");
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string name, Caller caller, TriggerRegistry registry, CancellationToken cancellationToken) =>
        await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) ? TypedResults.NoContent() : NotFound(name);

    private static async Task<Results<Ok<Page<TriggerDeliveryView>>, ProblemHttpResult>> DeliveriesAsync(
        string name, HttpRequest request, Caller caller, TriggerRegistry registry, TriggerQueries queries, CancellationToken cancellationToken)
    {
        if (!IdPage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } trigger) return NotFound(name);
        var deliveries = await queries.DeliveriesAsync(trigger.Id, page.Before, page.Limit + 1, cancellationToken);
        return TypedResults.Ok(page.Of(deliveries, delivery => delivery.Id));
    }

    private static async Task<Results<Ok<TestedTrigger>, ProblemHttpResult>> TestAsync(
        string name, TestTrigger test, Caller caller, TriggerTest trying, CancellationToken cancellationToken) =>
        await trying.RunAsync(caller, name, test, cancellationToken) is not { } result ? NotFound(name)
        : result.Tested is { } tested ? TypedResults.Ok(tested) : Problems.Unprocessable(result.Faults);

    private static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no trigger '{name}' in this project.");
}
