using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
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

    /// <summary>What the task's agent waits for, in the order it was asked.</summary>
    public async Task<List<QuestionView>> OpenQuestionsAsync(Guid projectId, Guid taskId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Questions.AsNoTracking()
            .Where(question => question.ProjectId == projectId && question.TaskId == taskId && question.ClosedAt == null).OrderBy(question => question.Id)
            .Select(question => new QuestionView(
                question.Id, question.Kind, question.TaskId, null, null, question.Prompt, question.Choices, question.AskedAt, question.ExpiresAt, question.Answer, question.AnsweredAt))
            .ToListAsync(cancellationToken);
    }
}
