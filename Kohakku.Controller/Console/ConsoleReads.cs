using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Console;

/// <summary>What pages read besides tasks and their timelines, which have their own queries; always within one project.</summary>
internal sealed class ConsoleReads(IDbContextFactory<ControllerDb> databases)
{
    public async Task<List<Agent>> AgentsAsync(Guid projectId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Agents.AsNoTracking().Where(agent => agent.ProjectId == projectId && agent.DeletedAt == null)
            .OrderBy(agent => agent.Name).ToListAsync(cancellationToken);
    }

    public async Task<List<string>> AgentNamesAsync(Guid projectId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Agents.AsNoTracking().Where(agent => agent.ProjectId == projectId && agent.DeletedAt == null)
            .OrderBy(agent => agent.Name).Select(agent => agent.Name).ToListAsync(cancellationToken);
    }

    /// <summary>Of the newest attempts first.</summary>
    public async Task<List<ArtifactView>> ArtifactsAsync(Guid taskId, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Artifacts.AsNoTracking().Where(artifact => artifact.TaskId == taskId)
            .OrderByDescending(artifact => artifact.Attempt).ThenBy(artifact => artifact.Path).Take(count)
            .Select(artifact => new ArtifactView(artifact.Path, artifact.Attempt, artifact.Size, artifact.Sha256, artifact.ContentType, artifact.CreatedAt))
            .ToListAsync(cancellationToken);
    }

    /// <summary>Those that still wait for an answer, the longest waiting first.</summary>
    public async Task<List<OpenQuestion>> OpenQuestionsAsync(Guid projectId, Guid? taskId, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await (
            from question in database.Questions.AsNoTracking()
            join task in database.Tasks on question.TaskId equals task.Id
            where question.ProjectId == projectId && question.ClosedAt == null && (taskId == null || question.TaskId == taskId)
            orderby question.Id
            select new OpenQuestion(question, task.Title)).Take(count).ToListAsync(cancellationToken);
    }
}

internal sealed record OpenQuestion(Question Question, string TaskTitle);
