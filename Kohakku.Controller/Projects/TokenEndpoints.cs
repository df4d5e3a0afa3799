using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Projects;

internal static class TokenEndpoints
{
    private const int MaxNameLength = 100;

    /// <param name="project">Another project's name, for who runs the installation. Default: the caller's.</param>
    public static async Task<Results<Ok<Page<TokenView>>, ProblemHttpResult>> ListAsync(
        Caller caller, ControllerDb database, TokenList tokens, string? project, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        if (ListPosition.Read(limit, cursor) is not { } position) return ListPosition.Fault(limit);
        if (await FindProjectAsync(caller, project, database, cancellationToken) is not { } owner) return Problems.NotFound($"There is no project '{project}'.");
        var items = await tokens.ReadAsync(owner.Id, owner.Name, position, cancellationToken);
        return TypedResults.Ok(position.PageOf(items, token => token.Id));
    }

    public static async Task<Results<Created<CreatedToken>, ProblemHttpResult>> CreateAsync(
        Caller caller, CreateToken body, HttpContext context, ControllerDb database, ApiTokens tokens, TimeProvider time, CancellationToken cancellationToken)
    {
        var owner = await FindProjectAsync(caller, body.Project, database, cancellationToken);
        var faults = Check(body, caller, owner, time.GetUtcNow());
        if (faults.Any) return Problems.Unprocessable(faults);

        var (row, token) = await tokens.IssueAsync(owner!.Id, body.Name!, body.Role ?? Role.Operator, body.ExpiresAt?.ToUniversalTime(), cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Created((string?)null, new CreatedToken(row.Id, row.Name, owner.Name, row.Role, row.ExpiresAt, token));
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(Caller caller, Guid id, ApiTokens tokens, CancellationToken cancellationToken) =>
        await tokens.RevokeAsync(id, caller.RunsInstallation() ? null : caller.ProjectId, cancellationToken)
            ? TypedResults.NoContent()
            : Problems.NotFound($"There is no token {id}.");

    internal static Faults Check(CreateToken body, Caller caller, Project? owner, DateTimeOffset now)
    {
        var faults = new Faults();
        if (string.IsNullOrWhiteSpace(body.Name)) faults.Add("name", "is required");
        else if (body.Name.Length > MaxNameLength || body.Name.Any(char.IsControl)) faults.Add("name", $"must be at most {MaxNameLength} characters without control characters");
        if (owner is null) faults.Add("project", $"'{body.Project}' is not a project that you may give tokens of");
        if (body.Role > caller.Role) faults.Add("role", "must not be above your own");
        if (body.ExpiresAt <= now) faults.Add("expiresAt", "must be in the future");
        return faults;
    }

    /// <summary>Null when it isn't there, or not the caller's to act in.</summary>
    private static Task<Project?> FindProjectAsync(Caller caller, string? name, ControllerDb database, CancellationToken cancellationToken)
    {
        name ??= caller.Project;
        var all = caller.RunsInstallation();
        return database.Projects.AsNoTracking().SingleOrDefaultAsync(
            project => project.Name == name && (all || project.Id == caller.ProjectId), cancellationToken);
    }
}
