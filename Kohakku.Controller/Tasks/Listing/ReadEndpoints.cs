using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Views;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Tasks.Listing;

internal static class ReadEndpoints
{
    public static void MapReading(this RouteGroupBuilder tasks)
    {
        tasks.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListTasks");
        tasks.MapGet("/{id:guid}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetTask");
    }

    private static async Task<Results<Ok<Page<TaskView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, TaskList tasks, CancellationToken cancellationToken)
    {
        if (!TaskFilter.TryParse(request.Query, out var filter, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        return TypedResults.Ok(await tasks.ReadAsync(caller.ProjectId, filter, cancellationToken));
    }

    private static async Task<Results<Ok<TaskView>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, TaskQueries tasks, CancellationToken cancellationToken) =>
        await tasks.FindAsync(caller.ProjectId, id, cancellationToken) is { } task ? TypedResults.Ok(task) : TaskProblems.NotFound(id);
}
