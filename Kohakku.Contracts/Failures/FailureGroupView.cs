using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Failures;

/// <summary>Whose fault it is: what the infrastructure breaks is retried by itself and mended elsewhere than what the agent breaks.</summary>
[JsonConverter(typeof(WireEnumConverter<FailureKind>))]
public enum FailureKind { Infrastructure, Agent }

/// <summary>
/// Where people stand with a failure.
/// <code>
///   Open ─ acknowledge ▶ Acknowledged ─ resolve ▶ Resolved
///     │                                             ▲  │
///     └──────────────────── resolve ────────────────┘  │ it fails so again
///     ◀────────────────────────────────────────────────┘
/// </code>
/// </summary>
[JsonConverter(typeof(WireEnumConverter<FailureGroupState>))]
public enum FailureGroupState
{
    /// <summary>Nobody has taken it up, or it came back after it was resolved.</summary>
    Open,
    /// <summary>Somebody knows of it; more failures change nothing about that.</summary>
    Acknowledged,
    /// <summary>Held to be mended. A later failure opens it again.</summary>
    Resolved,
}

/// <summary>Failed attempts that are the same failure: what broke, since when, how often, what changed.</summary>
/// <param name="Fingerprint">16 hex digits, of the reason, the agent and the last error lines without what differs each time.</param>
/// <param name="Title">The telling line of the first of them, at most 200 characters.</param>
/// <param name="Count">Failed attempts, since <paramref name="FirstSeen"/>.</param>
/// <param name="Tasks">How many tasks they are of.</param>
/// <param name="Trend">Failures per hour (UTC) of the last 24, the present hour last.</param>
/// <param name="Days">Failures per day (UTC) of the last 30, today last; null in lists.</param>
/// <param name="ReopenedAt">When it last came back after it was resolved.</param>
/// <param name="Example">Null once none of its attempts is kept any more.</param>
/// <param name="Changed">Null in lists.</param>
public sealed record FailureGroupView(
    Guid Id, string Fingerprint, FailureReason Reason, FailureKind Kind, string Agent, string Title, FailureGroupState Status, long Count, long Tasks,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen, IReadOnlyList<int> Trend, IReadOnlyList<int>? Days, DateTimeOffset? AcknowledgedAt, string? AcknowledgedBy,
    DateTimeOffset? ResolvedAt, string? ResolvedBy, DateTimeOffset? ReopenedAt, FailureExample? Example, FailureChange? Changed);

/// <summary>One of the attempts, of the newest task.</summary>
/// <param name="Attempt">Its number.</param>
/// <param name="LogTail">The last lines the agent wrote; in lists the last 2,000 characters of them.</param>
public sealed record FailureExample(Guid TaskId, int Attempt, string? LogTail);

/// <summary>What is known to have been different before the first of the failures.</summary>
/// <param name="LastSuccessAt">When the agent last succeeded before it, as far as its 1,000 tasks before tell.</param>
/// <param name="AgentUpdatedAt">When the agent was changed, if that was after its last success and before the first failure.</param>
public sealed record FailureChange(DateTimeOffset? LastSuccessAt, Guid? LastSuccessTaskId, DateTimeOffset? AgentUpdatedAt);

/// <summary>A task that failed so.</summary>
/// <param name="Status">Where it stands now: it may have been run again since.</param>
/// <param name="Attempts">How many of its attempts failed so.</param>
/// <param name="LastAttempt">The number of the last of those.</param>
public sealed record FailedTaskView(Guid TaskId, string Title, TaskState Status, int Attempts, int LastAttempt, DateTimeOffset LastFailedAt);

/// <param name="Retried">How many tasks run again; 10,000 at most by one call.</param>
public sealed record RetriedTasks(int Retried);
