using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Console;

/// <summary>What the list is narrowed to.</summary>
internal sealed record TaskFilter(TaskState? Status, string? Agent, string? Search)
{
    public bool IsAny => Status is null && Agent is null && string.IsNullOrWhiteSpace(Search);
}

/// <summary>What the console's pages read of tasks; always within one project.</summary>
internal sealed class TaskReads(IDbContextFactory<ControllerDb> databases)
{
    /// <summary>The newest first, at most <paramref name="count"/>; keyset order, so that it is one range of an index however many there are.</summary>
    public async Task<List<TaskView>> ListAsync(Guid projectId, TaskFilter filter, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var tasks = database.Tasks.AsNoTracking().Where(task => task.ProjectId == projectId);
        if (filter.Status is { } status) tasks = tasks.Where(task => task.Status == status);
        if (filter.Agent is { } agent) tasks = tasks.Where(task => task.AgentName == agent);
        if (!string.IsNullOrWhiteSpace(filter.Search)) tasks = tasks.Where(task => EF.Functions.ILike(task.Title, "%" + filter.Search + "%"));
        var rows = await tasks.OrderByDescending(task => task.Id).Take(count).ToListAsync(cancellationToken);
        return [.. rows.Select(row => ViewOf(row, []))];
    }

    public async Task<TaskView?> FindAsync(Guid projectId, Guid id, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var task = await database.Tasks.AsNoTracking().SingleOrDefaultAsync(task => task.Id == id && task.ProjectId == projectId, cancellationToken);
        if (task is null) return null;
        var attempts = await database.Attempts.AsNoTracking().Where(attempt => attempt.TaskId == id).OrderBy(attempt => attempt.Number).ToListAsync(cancellationToken);
        return ViewOf(task, attempts);
    }

    private static TaskView ViewOf(AgentTask task, List<Attempt> attempts) => new(
        task.Id, task.Title, task.AgentName, task.Status, null, task.Generation, task.Priority, task.Brief, Parse(task.Inputs), [], task.Labels, task.Tags,
        task.ConcurrencyKey, task.ConcurrencyLimit, task.MaxAttempts, task.TimeoutSeconds, task.NotBefore, task.Needs, task.OnLost,
        [.. attempts.Select(a => new AttemptView(a.Id, a.Number, a.Generation, a.Status, a.DispatcherName, a.Reason, a.ExitCode, a.Message, a.ClaimedAt, a.StartedAt, a.EndedAt))],
        Parse(task.Output), task.Failure, new UsageView(task.InputTokens, task.OutputTokens, task.CostUsd), task.CreatedAt, task.StartedAt, task.EndedAt,
        new TaskLinks("", "", "", "", ""));

    /// <summary>The newest entries after <paramref name="after"/>, the oldest of them first.</summary>
    public async Task<List<TaskEventView>> TimelineAsync(Guid taskId, long after, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var entries = await database.TaskEvents.AsNoTracking().Where(entry => entry.TaskId == taskId && entry.Id > after)
            .OrderByDescending(entry => entry.Id).Take(count).ToListAsync(cancellationToken);
        entries.Reverse();
        return [.. entries.Select(entry => new TaskEventView(entry.Id, entry.At, entry.Type, entry.Attempt, Parse(entry.Data)))];
    }

    public async Task<List<ArtifactView>> ArtifactsAsync(Guid taskId, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Artifacts.AsNoTracking().Where(artifact => artifact.TaskId == taskId)
            .OrderByDescending(artifact => artifact.Attempt).ThenBy(artifact => artifact.Path).Take(count)
            .Select(a => new ArtifactView(a.Path, a.Attempt, a.Size, a.Sha256, a.ContentType, a.CreatedAt)).ToListAsync(cancellationToken);
    }

    public async Task<List<string>> AgentNamesAsync(Guid projectId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Agents.AsNoTracking().Where(agent => agent.ProjectId == projectId && agent.DeletedAt == null)
            .OrderBy(agent => agent.Name).Select(agent => agent.Name).ToListAsync(cancellationToken);
    }

    private static JsonElement? Parse(string? json) => json is null ? null : JsonElement.Parse(json);
}
