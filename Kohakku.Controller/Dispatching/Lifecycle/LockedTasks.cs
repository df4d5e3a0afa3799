using System.Diagnostics.CodeAnalysis;
using Kohakku.Controller.Dispatching.States;

namespace Kohakku.Controller.Dispatching.Lifecycle;

/// <param name="LeaseExpired">By the database's clock, when it was locked.</param>
internal sealed record LockedAttempt(AttemptStanding Standing, bool LeaseExpired);

internal sealed record OpenQuestion(Guid Id, Guid TaskId, Guid? AttemptId, string Kind, IReadOnlyList<string> Choices, DateTimeOffset? ExpiresAt);

/// <summary>
/// Tasks and attempts under lock, as they stand within the transaction: what a transition makes of one is what the next
/// transition finds. Belongs to one transaction.
/// </summary>
internal sealed class LockedTasks(DateTimeOffset now)
{
    private readonly Dictionary<Guid, TaskStanding> tasks = [];
    private readonly Dictionary<Guid, LockedAttempt> attempts = [];
    private readonly List<OpenQuestion> questions = [];
    private readonly HashSet<Guid> changedTasks = [];
    private readonly HashSet<Guid> changedAttempts = [];
    private readonly List<(Guid TaskId, Effect Effect)> effects = [];

    /// <summary>Now, with a new throw of the dice.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "Jitter spreads load; nobody gains by guessing it.")]
    public Moment Moment => new(now, Random.Shared.NextDouble());

    public DateTimeOffset Now => now;

    public IReadOnlyCollection<TaskStanding> Tasks => tasks.Values;

    /// <summary>The tasks' open questions; only where tasks were locked, not attempts.</summary>
    public IReadOnlyList<OpenQuestion> Questions => questions;

    /// <summary>The dispatcher that reports, where one does; null where its session is not known (any more).</summary>
    public Guid? Reporter { get; set; }

    public IEnumerable<TaskStanding> ChangedTasks => changedTasks.Select(id => tasks[id]);

    public IEnumerable<AttemptStanding> ChangedAttempts => changedAttempts.Select(id => attempts[id].Standing);

    public IReadOnlyList<(Guid TaskId, Effect Effect)> Effects => effects;

    public bool AnyChanged => changedTasks.Count > 0;

    public TaskStanding? Task(Guid id) => tasks.GetValueOrDefault(id);

    public LockedAttempt? Attempt(Guid id) => attempts.GetValueOrDefault(id);

    public LockedAttempt? CurrentAttempt(TaskStanding task) => task.CurrentAttemptId is { } id ? Attempt(id) : null;

    public void Add(TaskStanding task) => tasks.Add(task.Id, task);

    public void Add(LockedAttempt attempt) => attempts.Add(attempt.Standing.Id, attempt);

    public void Add(OpenQuestion question) => questions.Add(question);

    /// <summary>Makes a transition part of the transaction.</summary>
    public void Take(Transition transition)
    {
        // A task's outcome may be set by one transition and not touched by the next.
        var outcome = transition.Task.NewOutcome ?? tasks[transition.Task.Id].NewOutcome;
        tasks[transition.Task.Id] = transition.Task with { NewOutcome = outcome };
        changedTasks.Add(transition.Task.Id);
        if (transition.Attempt is { } attempt)
        {
            attempts[attempt.Id] = attempts[attempt.Id] with { Standing = attempt };
            changedAttempts.Add(attempt.Id);
        }

        foreach (var effect in transition.Effects) effects.Add((transition.Task.Id, effect));
    }
}
