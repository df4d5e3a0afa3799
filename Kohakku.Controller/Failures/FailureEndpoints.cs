using Kohakku.Contracts;
using Kohakku.Contracts.Failures;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Failures;

internal static class FailureEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var failures = endpoints.MapGroup("/failures").WithTags("Failures");
        failures.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListFailures");
        failures.MapGet("/{id:guid}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetFailure");
        failures.MapGet("/{id:guid}/tasks", ListTasksAsync).RequireAuthorization(Policies.Viewer).WithName("ListFailedTasks");
        failures.MapPost("/{id:guid}/acknowledge", AcknowledgeAsync).RequireAuthorization(Policies.Operator).WithName("AcknowledgeFailure");
        failures.MapPost("/{id:guid}/resolve", ResolveAsync).RequireAuthorization(Policies.Operator).WithName("ResolveFailure");
        failures.MapPost("/{id:guid}/retry", RetryAsync).RequireAuthorization(Policies.Operator).WithName("RetryFailure");
    }

    private static async Task<Results<Ok<Page<FailureGroupView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, FailureQueries failures, CancellationToken cancellationToken) =>
        FailureFilter.TryParse(request.Query, out var filter, out var fault)
            ? TypedResults.Ok(await failures.ListAsync(caller.ProjectId, filter, cancellationToken))
            : Problems.BadRequest(fault.Field, fault.Rule);

    private static async Task<Results<Ok<FailureGroupView>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, FailureQueries failures, CancellationToken cancellationToken) =>
        await failures.FindAsync(caller.ProjectId, id, cancellationToken) is { } group ? TypedResults.Ok(group) : NotFound(id);

    private static async Task<Results<Ok<Page<FailedTaskView>>, ProblemHttpResult>> ListTasksAsync(
        Guid id, HttpRequest request, Caller caller, FailureQueries failures, CancellationToken cancellationToken)
    {
        if (!IdPage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        return await failures.TasksAsync(caller.ProjectId, id, page.Before, page.Limit, cancellationToken) is { } tasks ? TypedResults.Ok(tasks) : NotFound(id);
    }

    private static async Task<Results<Ok<FailureGroupView>, ProblemHttpResult>> AcknowledgeAsync(
        Guid id, Caller caller, FailureSteering steering, FailureQueries failures, CancellationToken cancellationToken) =>
        await AnswerAsync(await steering.AcknowledgeAsync(id, caller, cancellationToken), id, caller, failures, cancellationToken);

    private static async Task<Results<Ok<FailureGroupView>, ProblemHttpResult>> ResolveAsync(
        Guid id, Caller caller, FailureSteering steering, FailureQueries failures, CancellationToken cancellationToken) =>
        await AnswerAsync(await steering.ResolveAsync(id, caller, cancellationToken), id, caller, failures, cancellationToken);

    /// <summary>Runs again what ended so and was not run again since; 10,000 tasks at most by one call.</summary>
    private static async Task<Results<Ok<RetriedTasks>, ProblemHttpResult>> RetryAsync(
        Guid id, Caller caller, FailureSteering steering, CancellationToken cancellationToken) =>
        await steering.RetryAsync(id, caller, cancellationToken) is { } retried ? TypedResults.Ok(new RetriedTasks(retried)) : NotFound(id);

    private static async Task<Results<Ok<FailureGroupView>, ProblemHttpResult>> AnswerAsync(
        SteeredFailure? steered, Guid id, Caller caller, FailureQueries failures, CancellationToken cancellationToken)
    {
        if (steered?.Refusal is { } refusal) return Problems.Conflict(refusal);
        if (steered is null || await failures.FindAsync(caller.ProjectId, id, cancellationToken) is not { } group) return NotFound(id);
        return TypedResults.Ok(group);
    }

    /// <summary>Also for a failure of another project: whose it is, is nobody else's business.</summary>
    private static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no failure {id} in this project.");
}
