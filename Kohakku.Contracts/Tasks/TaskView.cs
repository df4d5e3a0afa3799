using System.Text.Json;

namespace Kohakku.Contracts.Tasks;

/// <summary>A task as the API shows it.</summary>
/// <param name="WaitReason">Why it does not run yet, in words; null when it does.</param>
/// <param name="Attempts">The newest last.</param>
/// <param name="Output">The agent's <c>output/result.json</c>.</param>
/// <param name="Generation">1, and one more for every <c>retry</c> of a finished task; each generation has one final state.</param>
public sealed record TaskView(
    Guid Id, string Title, string Agent, TaskState Status, string? WaitReason, int Generation, int Priority,
    string? Brief, JsonElement? Inputs, IReadOnlyList<string> Skills, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<string> Tags,
    string? ConcurrencyKey, int? ConcurrencyLimit, int MaxAttempts, int TimeoutSeconds, DateTimeOffset? NotBefore, DateTimeOffset? ExpiresAt, IReadOnlyList<Guid> Needs,
    OnLost OnLost, IReadOnlyList<AttemptView> Attempts, JsonElement? Output, FailureView? Failure, UsageView Usage,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, TaskLinks Links);

/// <param name="Number">From 1, counted over all generations of the task.</param>
/// <param name="Dispatcher">The dispatcher's name.</param>
public sealed record AttemptView(
    Guid Id, int Number, int Generation, AttemptState Status, string? Dispatcher, FailureReason? Reason, int? ExitCode, string? Message,
    DateTimeOffset ClaimedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt);

/// <param name="Message">What happened, for a person.</param>
/// <param name="LogTail">The last lines the agent wrote.</param>
public sealed record FailureView(FailureReason Reason, string Message, int? ExitCode, string? LogTail);

public sealed record UsageView(long InputTokens, long OutputTokens, decimal CostUsd);

public sealed record TaskLinks(string Self, string Events, string Logs, string Artifacts, string Console);

/// <summary>One entry of a task's timeline.</summary>
/// <param name="Id">The task's own sequence, from 1 without gaps; the <c>id</c> of the server-sent event.</param>
/// <param name="Type">
/// <c>task.submitted</c>, <c>task.queued</c>, <c>task.canceling</c>, <c>task.ended</c>, … for the task, and
/// <c>attempt.claimed</c>, <c>attempt.running</c>, <c>attempt.ended</c>, … for an attempt.
/// </param>
public sealed record TaskEventView(long Id, DateTimeOffset At, string Type, int? Attempt, JsonElement? Data);

/// <param name="Path">Relative, with forward slashes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record ArtifactView(string Path, int Attempt, long Size, string Sha256, string ContentType, DateTimeOffset CreatedAt);

/// <param name="Kind"><c>question</c> (of an agent), <c>approval</c> (of a workflow) or <c>lost</c> (may it run again?).</param>
public sealed record QuestionView(
    Guid Id, string Kind, Guid? TaskId, Guid? RunId, string? StepId, string Prompt, IReadOnlyList<string> Choices,
    DateTimeOffset AskedAt, DateTimeOffset? ExpiresAt, string? Answer, DateTimeOffset? AnsweredAt);

public sealed record AnswerQuestion
{
    /// <summary>Required; one of the choices where there are any.</summary>
    public string? Answer { get; init; }
}
