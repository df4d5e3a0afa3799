using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Identity;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.Steering;

/// <summary>How it went: <see cref="Refusal"/> says why the task's state does not allow it, else it is done.</summary>
internal sealed record Steered(TaskState Status, string? Refusal = null);

/// <summary>What people do to a task on its way, for the API and the console alike. Each answers null when the caller's project has no such task.</summary>
internal sealed class TaskSteering(TaskChanges changes)
{
    /// <summary>What waits is canceled at once; what runs is told to stop, and ends when it has. Asked again it does nothing more.</summary>
    public Task<Steered?> CancelAsync(Guid id, Caller caller, CancellationToken cancellationToken) => SteerAsync(
        id, caller, (locked, task) => TaskMachine.Cancel(task, locked.CurrentAttempt(task)?.Standing, caller.Name, locked.Moment),
        state => $"The task has ended ({state}); there is nothing to cancel.", cancellationToken);

    /// <summary>Runs a finished task again, as its next generation.</summary>
    public Task<Steered?> RetryAsync(Guid id, Caller caller, CancellationToken cancellationToken) => SteerAsync(
        id, caller, (locked, task) => TaskMachine.Retry(task, caller.Name, locked.Moment),
        state => $"The task has not ended ({state}); only a finished task is run again.", cancellationToken);

    /// <summary>
    /// Runs many failed tasks again in one transaction, as <see cref="RetryAsync"/> does one; but only those that still stand as they were found: ended,
    /// not by a cancel, by that attempt. Answers how many.
    /// </summary>
    /// <param name="attempts">By task, the attempt that ended it.</param>
    public Task<int> RetryFailedAsync(IReadOnlyDictionary<Guid, Guid> attempts, Caller caller, CancellationToken cancellationToken) => changes.OfTasksAsync(
        [.. attempts.Keys], skipBusy: false,
        locked =>
        {
            var retried = 0;
            foreach (var task in locked.Tasks.ToArray())
            {
                if (task.ProjectId != caller.ProjectId || task.CurrentAttemptId != attempts[task.Id]) continue;
                if (task.Status is not (TaskState.Failed or TaskState.TimedOut) || TaskMachine.Retry(task, caller.Name, locked.Moment) is not { } transition) continue;
                locked.Take(transition);
                retried++;
            }

            return retried;
        },
        cancellationToken);

    /// <summary>Says something to the running agent; it hears it by its next heartbeat.</summary>
    public Task<Steered?> TellAsync(Guid id, Guid messageId, string text, Caller caller, CancellationToken cancellationToken) => SteerAsync(
        id, caller, (locked, task) => TaskMachine.Tell(task, locked.CurrentAttempt(task)?.Standing, messageId, text, caller.Name, locked.Moment),
        state => $"The task is {state}; no agent is running that could hear it.", cancellationToken);

    private Task<Steered?> SteerAsync(
        Guid id, Caller caller, Func<LockedTasks, TaskStanding, Transition?> decide, Func<string, string> refusal, CancellationToken cancellationToken) =>
        changes.OfTasksAsync(
            [id], skipBusy: false,
            locked =>
            {
                if (locked.Task(id) is not { } task || task.ProjectId != caller.ProjectId) return null;
                if (decide(locked, task) is not { } transition) return new Steered(task.Status, refusal(WireEnum<TaskState>.NameOf(task.Status)));
                if (transition.Effects.Count > 0) locked.Take(transition);
                return new Steered(transition.Task.Status);
            },
            cancellationToken);
}
