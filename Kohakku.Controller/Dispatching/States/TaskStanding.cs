using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>What the life of a task changes, and what decides how: the input and output of <see cref="TaskMachine"/> and <see cref="AttemptMachine"/>.</summary>
internal sealed record TaskStanding
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required TaskState Status { get; init; }
    public required int Generation { get; init; }
    public required int MaxAttempts { get; init; }
    public OnLost OnLost { get; init; }
    public string? ConcurrencyKey { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public string? TraceParent { get; init; }
    /// <summary>The run that made it.</summary>
    public Guid? RunId { get; init; }
    /// <summary>JSON schema; null: any output will do.</summary>
    public string? OutputSchema { get; init; }

    public bool Claimable { get; init; }
    public DateTimeOffset? DueAt { get; init; }
    public DateTimeOffset? QueuedAt { get; init; }
    public Guid? CurrentAttemptId { get; init; }
    public int AgentFailures { get; init; }
    public int InfrastructureFaults { get; init; }
    public int UnstartedClaims { get; init; }
    public DateTimeOffset? CancelRequestedAt { get; init; }
    public long EventSequence { get; init; }
    public long InputTokens { get; init; }
    public long OutputTokens { get; init; }
    public decimal CostUsd { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Set when output and failure change; they can be large, so they are not read and written otherwise.</summary>
    public Outcome? NewOutcome { get; init; }
}

/// <param name="Output">JSON.</param>
internal sealed record Outcome(string? Output, FailureView? Failure)
{
    public static readonly Outcome None = new(null, null);
}

/// <summary>What the life of an attempt changes.</summary>
internal sealed record AttemptStanding
{
    public required Guid Id { get; init; }
    public required Guid TaskId { get; init; }
    public required int Number { get; init; }
    public required AttemptState Status { get; init; }
    public required Guid DispatcherId { get; init; }
    public required string DispatcherName { get; init; }
    public required DateTimeOffset ClaimedAt { get; init; }
    public long AppliedSequence { get; init; }
    public string? RuntimeId { get; init; }
    public string? StopReason { get; init; }
    public FailureReason? Reason { get; init; }
    public int? ExitCode { get; init; }
    public string? Message { get; init; }
    public string? LogTail { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>What a transition takes from outside, so that it stays a pure function.</summary>
/// <param name="Jitter">From 0 up to 1, for the backoff.</param>
internal readonly record struct Moment(DateTimeOffset Now, double Jitter);

/// <summary>What became of a task (and its attempt), and what else is to be written for it.</summary>
internal sealed record Transition(TaskStanding Task, AttemptStanding? Attempt, IReadOnlyList<Effect> Effects);

internal abstract record Effect;

/// <param name="Id">The task's own sequence.</param>
/// <param name="Attempt">The attempt's number.</param>
/// <param name="Data">JSON.</param>
internal sealed record TimelineEntry(long Id, DateTimeOffset At, string Type, int? Attempt, string? Data) : Effect;

internal sealed record QuestionAsked(
    Guid Id, Guid? AttemptId, string Kind, string Prompt, IReadOnlyList<string> Choices, DateTimeOffset AskedAt, DateTimeOffset? ExpiresAt) : Effect;

/// <summary>Every open question of the task is closed: nobody waits for the answer any more.</summary>
internal sealed record QuestionsClosed(DateTimeOffset At) : Effect;

internal sealed record QuestionClosed(Guid Id, string? Answer, string? By, DateTimeOffset At) : Effect;

/// <summary>Something for the attempt's agent, carried by heartbeats.</summary>
/// <param name="Kind"><c>answer</c> (then the id is the question's) or <c>message</c>.</param>
internal sealed record Said(Guid Id, Guid AttemptId, string Kind, string Body, DateTimeOffset At) : Effect;

internal sealed record ArtifactStored(int Attempt, string Path, long Size, string Sha256, string ContentType, DateTimeOffset At) : Effect;

/// <summary>The task entered the queue, or left its place, under a concurrency key: see whose turn it is.</summary>
internal sealed record TurnChanged(string ConcurrencyKey) : Effect;
