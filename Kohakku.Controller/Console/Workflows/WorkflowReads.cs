using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Console.Workflows;

/// <summary>A version of a workflow, without its document.</summary>
public sealed record VersionRow(int Version, string CreatedBy, DateTimeOffset CreatedAt);

/// <summary>What the pages read of workflows besides their documents; always within one project.</summary>
internal sealed class WorkflowReads(IDbContextFactory<ControllerDb> databases)
{
    public async Task<List<WorkflowSummary>> ListAsync(Guid projectId, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Workflows.AsNoTracking().Where(workflow => workflow.ProjectId == projectId && workflow.DeletedAt == null)
            .OrderBy(workflow => workflow.Name).Take(count)
            .Select(workflow => new WorkflowSummary(workflow.Name, workflow.LatestVersion, workflow.Description, workflow.CreatedAt, workflow.UpdatedAt))
            .ToListAsync(cancellationToken);
    }

    /// <summary>The newest first.</summary>
    public async Task<List<VersionRow>> VersionsAsync(Guid projectId, string name, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await (
            from workflow in database.Workflows.AsNoTracking()
            where workflow.ProjectId == projectId && workflow.Name == name && workflow.DeletedAt == null
            from version in database.WorkflowVersions.AsNoTracking()
            where version.WorkflowId == workflow.Id
            orderby version.Version descending
            select new VersionRow(version.Version, version.CreatedBy, version.CreatedAt)).Take(count).ToListAsync(cancellationToken);
    }
}
