using Kohakku.Controller.Data;
using Kohakku.Workflows.Definitions;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Workflows.Definitions;

/// <summary>Workflows of a project by name. Each change of one is a new version; deleting hides it, and its runs go on.</summary>
internal sealed class WorkflowRegistry(IDbContextFactory<ControllerDb> databases, TimeProvider time)
{
    /// <summary>Answers the version, and whether the workflow is new. A document that means what the newest version means, word for word, makes none.</summary>
    public async Task<(int Version, bool IsNew)> PutAsync(
        Guid projectId, WorkflowDefinition definition, string source, string by, CancellationToken cancellationToken)
    {
        var canonical = CanonicalForm.Write(definition);
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var workflow = await database.Workflows.SingleOrDefaultAsync(known => known.ProjectId == projectId && known.Name == definition.Name, cancellationToken);
            var isNew = workflow is not { DeletedAt: null };
            var now = time.GetColumnNow();
            if (workflow is not null)
            {
                var newest = await database.WorkflowVersions.AsNoTracking().SingleAsync(
                    version => version.WorkflowId == workflow.Id && version.Version == workflow.LatestVersion, cancellationToken);
                if (!isNew && newest.Source == source && newest.Canonical == canonical) return (workflow.LatestVersion, false);
            }

            workflow ??= database.Workflows.Add(new Workflow { Id = Guid.CreateVersion7(now), ProjectId = projectId, Name = definition.Name, CreatedAt = now }).Entity;
            workflow.LatestVersion++;
            (workflow.Description, workflow.UpdatedAt, workflow.DeletedAt) = (definition.Description, now, null);
            database.WorkflowVersions.Add(new WorkflowVersion
            {
                WorkflowId = workflow.Id, Version = workflow.LatestVersion, Source = source, Canonical = canonical, CreatedBy = by, CreatedAt = now,
            });
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                return (workflow.LatestVersion, isNew);
            }
            catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                // Another put of the same name was faster: this one comes after it.
            }
        }
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var now = time.GetColumnNow();
        return await database.Workflows.Where(workflow => workflow.ProjectId == projectId && workflow.Name == name && workflow.DeletedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(workflow => workflow.DeletedAt, now), cancellationToken) > 0;
    }

    /// <param name="version">Null: the newest.</param>
    public async Task<(Workflow Workflow, WorkflowVersion Version)?> FindAsync(Guid projectId, string name, int? version, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var found = await (
            from workflow in database.Workflows.AsNoTracking()
            where workflow.ProjectId == projectId && workflow.Name == name && workflow.DeletedAt == null
            from known in database.WorkflowVersions.AsNoTracking()
            where known.WorkflowId == workflow.Id && known.Version == (version ?? workflow.LatestVersion)
            select new { workflow, known }).SingleOrDefaultAsync(cancellationToken);
        return found is null ? null : (found.workflow, found.known);
    }
}
