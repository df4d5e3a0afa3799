using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>
/// The life of a task, as far as its attempts don't move it (that is <see cref="AttemptMachine"/>; the claim itself, Queued → Running,
/// is one statement in <c>ClaimSql</c>). Pure: no clock, no chance, no database.
/// <code>
///             due, needs met             claim                attempt ended, retry left
///   Scheduled ─────────────▶ Queued ─────────────▶ Running ───────────────────────────▶ Scheduled
///       │                       │                  │     ▲ answered, expired
///       │                       │         question ▼     │
///       │ cancel, needs failed, │ cancel, expired Waiting ──── lost: answered retry ───▶ Queued
///       ▼ expired               ▼                  │ attempt ended; lost: fail, cancel
///   Succeeded · Failed · Canceled · TimedOut  ◀────┘           retry by a person: Queued, generation + 1
/// </code>
/// A generation ends once: a final state is left only by <see cref="Retry"/>, which begins the next.
/// </summary>
internal static class TaskMachine
{
    /// <summary>Its time has come. Null when the task is not waiting for that (any more).</summary>
    public static Transition? Promote(TaskStanding task, Moment moment)
    {
        if (task.Status != TaskState.Scheduled || task.DueAt is not { } dueAt || dueAt > moment.Now) return null;
        var draft = new Draft(task, null);
        draft.Queue(moment.Now);
        return draft.Done();
    }

    /// <summary>All tasks that it needs have succeeded. Null when it does not wait for them.</summary>
    public static Transition? MeetNeeds(TaskStanding task, Moment moment)
    {
        if (task.Status != TaskState.Scheduled || task.DueAt is not null) return null;
        var draft = new Draft(task, null);
        if (task.NotBefore is { } notBefore && notBefore > moment.Now) draft.Schedule(moment.Now, notBefore, "notBefore");
        else draft.Queue(moment.Now);
        return draft.Done();
    }

    /// <summary>A task that it needs has ended otherwise: it can never run. Null when it does not wait for needs.</summary>
    public static Transition? FailNeeds(TaskStanding task, Guid needed, TaskState ended, Moment moment)
    {
        if (task.Status != TaskState.Scheduled || task.DueAt is not null) return null;
        var draft = new Draft(task, null);
        draft.Finish(
            moment.Now, TaskState.Canceled, null,
            new FailureView(FailureReason.Canceled, $"Task {needed}, which it needs, ended {WireEnum<TaskState>.NameOf(ended)}.", null, null));
        return draft.Done();
    }

    /// <summary>
    /// Nobody claimed it in time. Null when the time has not come, when somebody did (an attempt that never began, or that broke, too), and when a person wanted
    /// it run again since.
    /// </summary>
    public static Transition? Expire(TaskStanding task, Moment moment)
    {
        if (task.Status is not (TaskState.Scheduled or TaskState.Queued) || task is not { Generation: 1, CurrentAttemptId: null } || task.ExpiresAt is not { } expiresAt || expiresAt > moment.Now) return null;
        var draft = new Draft(task, null);
        draft.Finish(moment.Now, TaskState.TimedOut, null, new FailureView(FailureReason.Timeout, $"Nobody claimed it before it expired, at {expiresAt.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.", null, null));
        return draft.Done();
    }

    /// <summary>A person wants it stopped. Null when it has ended. Asked again, it changes nothing.</summary>
    /// <param name="attempt">The task's current attempt, where it has one.</param>
    public static Transition? Cancel(TaskStanding task, AttemptStanding? attempt, string by, Moment moment)
    {
        if (task.Status.IsFinal()) return null;
        var live = attempt is not null && !attempt.Status.IsEnded();
        if (task.CancelRequestedAt is not null && live) return new Transition(task, attempt, []);
        var draft = new Draft(task with { CancelRequestedAt = moment.Now }, live ? attempt! with { StopReason = "canceled" } : null);
        if (live) draft.Note(moment.Now, TimelineTypes.Canceling, new ActEntry(by), TimelineJson.Default.ActEntry);
        else draft.Finish(moment.Now, TaskState.Canceled, null, new FailureView(FailureReason.Canceled, $"Canceled by {by}.", null, null));
        return draft.Done();
    }

    /// <summary>A person wants a finished task run again. Null when it has not ended.</summary>
    public static Transition? Retry(TaskStanding task, string by, Moment moment)
    {
        if (!task.Status.IsFinal()) return null;
        var draft = new Draft(
            task with
            {
                Generation = task.Generation + 1, AgentFailures = 0, InfrastructureFaults = 0, UnstartedClaims = 0, CancelRequestedAt = null,
                StartedAt = null, EndedAt = null, NewOutcome = Outcome.None,
            },
            null);
        draft.Note(moment.Now, TimelineTypes.Retried, new ActEntry(by, draft.Task.Generation), TimelineJson.Default.ActEntry);
        draft.Queue(moment.Now);
        return draft.Done();
    }

    /// <summary>An agent's question is closed, answered or (with <paramref name="answer"/> null) expired; with no other open the agent goes on.</summary>
    public static Transition CloseQuestion(
        TaskStanding task, AttemptStanding? attempt, Guid questionId, int othersOpen, string? answer, string? by, Moment moment)
    {
        var live = attempt is not null && !attempt.Status.IsEnded();
        var draft = new Draft(task, live ? attempt : null);
        draft.Note(
            moment.Now, answer is null ? TimelineTypes.QuestionExpired : TimelineTypes.Answered, new AnsweredEntry(questionId, answer, by),
            TimelineJson.Default.AnsweredEntry, ofAttempt: live);
        draft.Add(new QuestionClosed(questionId, answer, by, moment.Now));
        if (answer is not null && live) draft.Add(new Said(questionId, attempt!.Id, "answer", answer, moment.Now));
        if (othersOpen > 0 || !live || task.Status != TaskState.Waiting) return draft.Done();
        draft.Task = draft.Task with { Status = TaskState.Running };
        if (attempt!.Status == AttemptState.Waiting) draft.Attempt = attempt with { Status = AttemptState.Running };
        return draft.Done();
    }

    /// <summary>A person decided about a task whose attempt was lost. Null when it does not wait for that (any more).</summary>
    public static Transition? AnswerLost(TaskStanding task, Guid questionId, bool retry, string by, Moment moment)
    {
        if (task.Status != TaskState.Waiting) return null;
        var draft = new Draft(task, null);
        var answer = retry ? LostAnswers.Retry : LostAnswers.Fail;
        draft.Note(moment.Now, TimelineTypes.Answered, new AnsweredEntry(questionId, answer, by), TimelineJson.Default.AnsweredEntry);
        draft.Add(new QuestionClosed(questionId, answer, by, moment.Now));
        if (retry) draft.Queue(moment.Now);
        else
            draft.Finish(
                moment.Now, TaskState.Failed, null,
                new FailureView(FailureReason.DispatcherLost, $"Its dispatcher was lost, and {by} decided not to run it again.", null, null));
        return draft.Done();
    }

    /// <summary>Something was said to the running agent. Null when no attempt is live.</summary>
    public static Transition? Tell(TaskStanding task, AttemptStanding? attempt, Guid messageId, string text, string by, Moment moment)
    {
        if (attempt is null || attempt.Status.IsEnded()) return null;
        var draft = new Draft(task, attempt);
        draft.Note(moment.Now, TimelineTypes.Told, new ToldEntry(messageId, text, by), TimelineJson.Default.ToldEntry, ofAttempt: true);
        draft.Add(new Said(messageId, attempt.Id, "message", text, moment.Now));
        return draft.Done();
    }
}
