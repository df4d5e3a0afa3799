using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Tasks.Submit;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>Makes the API's picture of a task: from its row, or, just submitted, from what was written.</summary>
internal sealed class TaskViews(TaskLinkFactory links, OnlineDispatchers dispatchers)
{
    public async ValueTask<TaskView> OfAsync(TaskRow row, IEnumerable<AttemptView> attempts, string? brief, string? inputs, CancellationToken cancellationToken)
    {
        var waitReason = WaitReasons.Of(
            row.Status, row.Claimable, row.ConcurrencyKey, row.Labels, row.UnmetNeeds, row.DueAt, row.FailedAttempts > 0,
            row.Status == TaskState.Queued ? await dispatchers.LabelsAsync(cancellationToken) : []);
        return new TaskView(
            row.Id, row.Title, row.Agent, row.Status, waitReason, row.Generation, row.Priority, brief, Json(inputs), Names(row.Skills), row.Labels, row.Tags,
            row.ConcurrencyKey, row.ConcurrencyLimit, row.MaxAttempts, row.TimeoutSeconds, row.NotBefore, row.ExpiresAt, row.Needs, row.OnLost, [.. attempts], Json(row.Output),
            row.Failure, row.Usage, row.CreatedAt, row.StartedAt, row.EndedAt, links.Of(row.Id));
    }

    public async ValueTask<TaskView> OfNewAsync(MadeTask made, CancellationToken cancellationToken)
    {
        var (task, request) = (made.Task, made.Task.Request);
        var labels = request.Labels ?? new Dictionary<string, string>();
        var waitReason = WaitReasons.Of(
            made.Status, made.IsClaimable, request.ConcurrencyKey, labels, task.UnmetNeeds, request.NotBefore, hasFailed: false,
            made.Status == TaskState.Queued ? await dispatchers.LabelsAsync(cancellationToken) : []);
        return new TaskView(
            task.Id, task.Title, request.Agent!, made.Status, waitReason, 1, request.Priority ?? 0, request.Brief, task.Inputs, Names(task.Skills), labels,
            request.Tags?.Distinct(StringComparer.Ordinal).ToArray() ?? [], request.ConcurrencyKey, task.ConcurrencyLimit, request.MaxAttempts ?? 1,
            request.TimeoutSeconds ?? 3600, request.NotBefore?.ToUniversalTime(), request.ExpiresAt?.ToUniversalTime(), request.Needs ?? [], request.OnLost ?? OnLost.Retry, [], null, null,
            new UsageView(0, 0, 0), made.CreatedAt, null, null, links.Of(task.Id));
    }

    private static string[] Names(IReadOnlyList<PinnedSkill> skills) => [.. skills.Select(skill => $"{skill.Name}@{skill.Version}")];

    private static JsonElement? Json(string? text) => text is null ? null : JsonElement.Parse(text);
}
