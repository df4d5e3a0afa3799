using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Identity;
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

/// <param name="Status">Where the task stands now.</param>
internal sealed record SteeredTask(Guid Id, TaskState Status, int Generation);

/// <summary>What people do to a task on its way: stop it, run it again, say something to its agent.</summary>
internal static class SteeringEndpoints
{
    private const int LongestText = 16_384;

    /// <summary>What waits is canceled at once (200); what runs is told to stop and ends when it has (202). Asked again it answers the same.</summary>
    public static async Task<Results<Ok<SteeredTask>, Accepted<SteeredTask>, ProblemHttpResult>> CancelAsync(
        Guid id, Caller caller, TaskChanges changes, CancellationToken cancellationToken)
    {
        var steered = await SteerAsync(
            id, caller, changes, (locked, task) => TaskMachine.Cancel(task, locked.CurrentAttempt(task)?.Standing, caller.Name, locked.Moment), cancellationToken);
        return steered switch
        {
            null => NotThere(id),
            { Refused: true } => Problems.Conflict($"The task has ended ({Name(steered.Task.Status)}); there is nothing to cancel."),
            { Task.Status: TaskState.Canceled } => TypedResults.Ok(View(steered)),
            _ => TypedResults.Accepted($"/api/v1/tasks/{id}", View(steered)),
        };
    }

    /// <summary>Runs a finished task again, as its next generation.</summary>
    public static async Task<Results<Ok<SteeredTask>, ProblemHttpResult>> RetryAsync(
        Guid id, Caller caller, TaskChanges changes, CancellationToken cancellationToken)
    {
        var steered = await SteerAsync(id, caller, changes, (locked, task) => TaskMachine.Retry(task, caller.Name, locked.Moment), cancellationToken);
        if (steered is null) return NotThere(id);
        return steered.Refused
            ? Problems.Conflict($"The task has not ended ({Name(steered.Task.Status)}); only a finished task is run again.")
            : TypedResults.Ok(View(steered));
    }

    /// <summary>Says something to the running agent; it hears it by its next heartbeat.</summary>
    public static async Task<Results<Accepted<ToldTask>, ProblemHttpResult>> TellAsync(
        Guid id, TellTask message, Caller caller, TaskChanges changes, CancellationToken cancellationToken)
    {
        var text = JsonText.CleanPlain(message.Text ?? "");
        if (string.IsNullOrWhiteSpace(text) || text.Length > LongestText)
        {
            var faults = new Faults();
            faults.Add("text", text.Length > LongestText ? $"must be at most {LongestText} characters" : "is required");
            return Problems.Unprocessable(faults);
        }

        var messageId = Guid.CreateVersion7();
        var steered = await SteerAsync(
            id, caller, changes,
            (locked, task) => TaskMachine.Tell(task, locked.CurrentAttempt(task)?.Standing, messageId, text, caller.Name, locked.Moment), cancellationToken);
        if (steered is null) return NotThere(id);
        return steered.Refused
            ? Problems.Conflict($"The task is {Name(steered.Task.Status)}; no agent is running that could hear it.")
            : TypedResults.Accepted((string?)null, new ToldTask(messageId));
    }

    /// <param name="Refused">The task's state does not allow it.</param>
    private sealed record Steered(TaskStanding Task, bool Refused);

    /// <summary>Null when there is no such task in the caller's project.</summary>
    private static Task<Steered?> SteerAsync(
        Guid id, Caller caller, TaskChanges changes, Func<LockedTasks, TaskStanding, Transition?> decide, CancellationToken cancellationToken) =>
        changes.OfTasksAsync(
            [id], skipBusy: false,
            locked =>
            {
                if (locked.Task(id) is not { } task || task.ProjectId != caller.ProjectId) return null;
                if (decide(locked, task) is not { } transition) return new Steered(task, Refused: true);
                if (transition.Effects.Count > 0) locked.Take(transition);
                return new Steered(transition.Task, Refused: false);
            },
            cancellationToken);

    private static SteeredTask View(Steered steered) => new(steered.Task.Id, steered.Task.Status, steered.Task.Generation);

    private static ProblemHttpResult NotThere(Guid id) => Problems.NotFound($"There is no task {id}.");

    private static string Name(TaskState state) => WireEnum<TaskState>.NameOf(state);
}
