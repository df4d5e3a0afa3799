using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>A transition in the making. Local to one pure function: it goes in as standing, it comes out as <see cref="Transition"/>.</summary>
internal sealed class Draft(TaskStanding task, AttemptStanding? attempt)
{
    private readonly List<Effect> effects = [];

    public TaskStanding Task { get; set; } = task;

    public AttemptStanding? Attempt { get; set; } = attempt;

    public void Add(Effect effect) => effects.Add(effect);

    public void Note(DateTimeOffset at, string type, string? data, bool ofAttempt = false)
    {
        Task = Task with { EventSequence = Task.EventSequence + 1 };
        effects.Add(new TimelineEntry(Task.EventSequence, at, type, ofAttempt ? Attempt?.Number : null, data));
    }

    public void Note<T>(DateTimeOffset at, string type, T data, JsonTypeInfo<T> form, bool ofAttempt = false) =>
        Note(at, type, JsonSerializer.Serialize(data, form), ofAttempt);

    /// <summary>Into the queue, at its end. With a concurrency key its turn is decided apart, under the key's lock.</summary>
    public void Queue(DateTimeOffset now)
    {
        Task = Task with { Status = TaskState.Queued, Claimable = Task.ConcurrencyKey is null, QueuedAt = now, DueAt = null, CurrentAttemptId = null };
        Note(now, TimelineTypes.Queued, null);
        TurnMayChange();
    }

    public void Schedule(DateTimeOffset now, DateTimeOffset dueAt, string why)
    {
        Task = Task with { Status = TaskState.Scheduled, Claimable = false, DueAt = dueAt, CurrentAttemptId = null };
        Note(now, TimelineTypes.Scheduled, new ScheduledEntry(dueAt, why), TimelineJson.Default.ScheduledEntry);
        TurnMayChange();
    }

    public void Finish(DateTimeOffset at, TaskState final, string? output, FailureView? failure)
    {
        Task = Task with { Status = final, Claimable = false, DueAt = null, EndedAt = at, NewOutcome = new Outcome(output, failure) };
        Note(at, TimelineTypes.TaskEnded, new TaskEndedEntry(final, failure?.Reason, failure?.Message), TimelineJson.Default.TaskEndedEntry);
        Add(new QuestionsClosed(at));
        TurnMayChange();
    }

    public Transition Done() => new(Task, Attempt, effects);

    private void TurnMayChange()
    {
        if (Task.ConcurrencyKey is { } key) Add(new TurnChanged(key));
    }
}
