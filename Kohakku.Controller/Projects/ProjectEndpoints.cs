using System.Text.RegularExpressions;
using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Projects;

internal static partial class ProjectEndpoints
{
    public static async Task<Results<Ok<Page<ProjectView>>, ProblemHttpResult>> ListAsync(
        Caller caller, ControllerDb database, int? limit, string? cursor, CancellationToken cancellationToken)
    {
        if (ListPosition.Read(limit, cursor) is not { } position) return ListPosition.Fault(limit);
        var all = caller.RunsInstallation();
        var items = await database.Projects.AsNoTracking()
            .Where(project => (all || project.Id == caller.ProjectId) && (position.Before == null || project.Id < position.Before))
            .OrderByDescending(project => project.Id).Take(position.Limit + 1)
            .Select(project => new ProjectView(project.Id, project.Name, project.CreatedAt)).ToListAsync(cancellationToken);
        return TypedResults.Ok(position.PageOf(items, project => project.Id));
    }

    public static async Task<Results<Created<ProjectView>, ProblemHttpResult>> CreateAsync(
        Caller caller, CreateProject body, ControllerDb database, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!caller.RunsInstallation()) return Problems.Forbidden($"Only admins of the project {Project.DefaultName} may make projects.");
        var faults = new Faults();
        if (string.IsNullOrEmpty(body.Name)) faults.Add("name", "is required");
        else if (!Name().IsMatch(body.Name)) faults.Add("name", "must be 1 to 63 of a-z, 0-9 and hyphens, beginning and ending with a letter or digit");
        if (faults.Any) return Problems.Unprocessable(faults);

        var project = new Project { Id = Guid.CreateVersion7(), Name = body.Name!, CreatedAt = time.GetUtcNow() };
        database.Projects.Add(project);
        try
        {
            await database.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return Problems.Conflict($"There is a project '{project.Name}' already.");
        }
        return TypedResults.Created((string?)null, new ProjectView(project.Id, project.Name, project.CreatedAt));
    }

    [GeneratedRegex(@"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
