using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Tasks.Views;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Dispatching.Steering;

/// <summary>Body of <c>POST /tasks/{id}/messages</c>.</summary>
internal sealed record TellTask
{
    /// <summary>Required; 1 to 16,384 characters.</summary>
    public string? Text { get; init; }
}

/// <param name="Id">The message's id, as the timeline shows it.</param>
internal sealed record ToldTask(Guid Id);

/// <summary>Stop a task, run it again, say something to its agent. The first two answer the task as it stands then.</summary>
internal static class SteeringEndpoints
{
    private const int LongestText = 16_384;

    /// <summary>200 once it is canceled; 202 while its agent is being stopped.</summary>
    public static async Task<Results<Ok<TaskView>, Accepted<TaskView>, ProblemHttpResult>> CancelAsync(
        Guid id, Caller caller, TaskSteering steering, TaskQueries tasks, CancellationToken cancellationToken)
    {
        var steered = await steering.CancelAsync(id, caller, cancellationToken);
        if (steered?.Refusal is { } refusal) return Problems.Conflict(refusal);
        if (steered is null || await tasks.FindAsync(caller.ProjectId, id, cancellationToken) is not { } view) return TaskProblems.NotFound(id);
        return steered.Status == TaskState.Canceled ? TypedResults.Ok(view) : TypedResults.Accepted($"/api/v1/tasks/{id}", view);
    }

    public static async Task<Results<Ok<TaskView>, ProblemHttpResult>> RetryAsync(
        Guid id, Caller caller, TaskSteering steering, TaskQueries tasks, CancellationToken cancellationToken)
    {
        var steered = await steering.RetryAsync(id, caller, cancellationToken);
        if (steered?.Refusal is { } refusal) return Problems.Conflict(refusal);
        if (steered is null || await tasks.FindAsync(caller.ProjectId, id, cancellationToken) is not { } view) return TaskProblems.NotFound(id);
        return TypedResults.Ok(view);
    }

    public static async Task<Results<Accepted<ToldTask>, ProblemHttpResult>> TellAsync(
        Guid id, TellTask message, Caller caller, TaskSteering steering, CancellationToken cancellationToken)
    {
        var text = JsonText.CleanPlain(message.Text ?? "");
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestText)
        {
            var faults = new Faults();
            faults.Add("text", text.Length > LongestText ? $"must be at most {LongestText} characters" : "is required");
            return Problems.Unprocessable(faults);
        }

        var messageId = Guid.CreateVersion7();
        var steered = await steering.TellAsync(id, messageId, text, caller, cancellationToken);
        if (steered is null) return TaskProblems.NotFound(id);
        return steered.Refusal is { } refusal ? Problems.Conflict(refusal) : TypedResults.Accepted((string?)null, new ToldTask(messageId));
    }
}
