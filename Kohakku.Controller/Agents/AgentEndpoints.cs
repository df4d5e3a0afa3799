using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Agents;

internal static class AgentEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var agents = endpoints.MapGroup("/agents").WithTags("Agents");
        agents.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListAgents");
        agents.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetAgent");
        agents.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutAgent");
        agents.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteAgent");
    }

    private static async Task<Results<Ok<Page<AgentView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, ControllerDb database, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var agents = await database.Agents.AsNoTracking()
            .Where(agent => agent.ProjectId == caller.ProjectId && agent.DeletedAt == null && agent.Name.CompareTo(page.After) > 0)
            .OrderBy(agent => agent.Name).Take(page.Limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(page.Of(agents, AgentViews.Of, agent => agent.Name));
    }

    private static async Task<Results<Ok<AgentView>, ProblemHttpResult>> FindAsync(
        string name, Caller caller, ControllerDb database, CancellationToken cancellationToken) =>
        AgentRules.IsName(name)
        && await database.Agents.AsNoTracking().SingleOrDefaultAsync(
            agent => agent.ProjectId == caller.ProjectId && agent.Name == name && agent.DeletedAt == null, cancellationToken) is { } agent
            ? TypedResults.Ok(AgentViews.Of(agent))
            : NotFound(name);

    private static async Task<Results<Created<AgentView>, Ok<AgentView>, ProblemHttpResult>> PutAsync(
        string name, PutAgent agent, Caller caller, AgentRegistry registry, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        AgentRules.Check(name, agent, faults);
        if (faults.Any) return Problems.Unprocessable(faults);
        var (view, isNew) = await registry.PutAsync(caller.ProjectId, name, agent, cancellationToken);
        return isNew ? TypedResults.Created($"/api/v1/agents/{name}", view) : TypedResults.Ok(view);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string name, Caller caller, AgentRegistry registry, CancellationToken cancellationToken)
    {
        if (!AgentRules.IsName(name)) return NotFound(name);
        return await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) switch
        {
            null => NotFound(name),
            0 => TypedResults.NoContent(),
            var unfinished => Problems.Conflict($"{unfinished} unfinished tasks need the agent '{name}'; cancel them or let them end first."),
        };
    }

    private static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no agent '{name}' in this project.");
}
