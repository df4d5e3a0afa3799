using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Agents;

/// <summary>
/// Agents of a project by name. Deleting hides an agent; putting it again brings back the same one, so that its tasks of before stay its own.
/// </summary>
internal sealed class AgentRegistry(IDbContextFactory<ControllerDb> databases, AgentDirectory directory, TimeProvider time)
{
    /// <summary>Answers the agent and whether it is new. The request is checked already.</summary>
    public async Task<(AgentView Agent, bool IsNew)> PutAsync(Guid projectId, string name, PutAgent request, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            var agent = await database.Agents.SingleOrDefaultAsync(known => known.ProjectId == projectId && known.Name == name, cancellationToken);
            var isNew = agent is not { DeletedAt: null };
            var now = time.GetUtcNow();
            agent ??= database.Agents.Add(new Agent { Id = Guid.CreateVersion7(now), ProjectId = projectId, Name = name, CreatedAt = now }).Entity;
            Apply(agent, request, now);
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                return (AgentViews.Of(agent), isNew);
            }
            catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                // Another put of the same name was faster: this one replaces it.
            }
        }
    }

    /// <summary>Null when there is no such agent; else how many unfinished tasks still need it: it is deleted only when none does.</summary>
    public async Task<int?> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        // A submit holds the agent's row until its tasks are there; after this lock they are seen here, or the submit sees that the agent is gone.
        var agent = await database.Agents
            .FromSql($"SELECT * FROM agents WHERE project_id = {projectId} AND name = {name} AND deleted_at IS NULL FOR UPDATE")
            .SingleOrDefaultAsync(cancellationToken);
        if (agent is null) return null;
        var unfinished = await database.Tasks.CountAsync(
            task => task.AgentId == agent.Id && task.ProjectId == projectId && task.AgentName == name
                && (task.Status == TaskState.Scheduled || task.Status == TaskState.Queued || task.Status == TaskState.Running || task.Status == TaskState.Waiting),
            cancellationToken);
        if (unfinished > 0) return unfinished;
        agent.DeletedAt = time.GetUtcNow();
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        directory.Forget(projectId, name);
        return 0;
    }

    private static void Apply(Agent agent, PutAgent request, DateTimeOffset now)
    {
        agent.Image = string.IsNullOrEmpty(request.Image) ? null : request.Image;
        agent.Command = [.. request.Command ?? []];
        agent.Mode = request.Mode ?? AgentMode.Exec;
        agent.Adapter = request.Adapter;
        agent.Env = request.Env ?? new Dictionary<string, string>();
        agent.PullPolicy = request.PullPolicy ?? PullPolicy.Missing;
        agent.Network = request.Network ?? new NetworkPolicy();
        agent.Resources = request.Resources ?? new ResourceLimits();
        agent.HeartbeatTimeoutSeconds = request.HeartbeatTimeoutSeconds ?? 60;
        agent.Warm = request.Warm ?? 0;
        agent.UpdatedAt = now;
        agent.DeletedAt = null;
    }
}
