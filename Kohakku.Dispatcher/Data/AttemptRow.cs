using Kohakku.Contracts.Dispatching;

namespace Kohakku.Dispatcher.Data;

/// <summary>What is written of an attempt when it is claimed, and never again.</summary>
/// <param name="Order">The order as JSON, without token and secrets; null for inline attempts.</param>
/// <param name="Secrets">Sealed; null when there are none.</param>
internal sealed record ClaimedRow(Guid Id, Guid TaskId, byte[] TokenHash, string? Order, byte[]? Secrets, DateTimeOffset ClaimedAt);

/// <summary>What changes of an attempt while it lives; each write carries all of it, so that the last one counts.</summary>
internal sealed record ProgressRow(
    Guid Id, string Phase, string? RuntimeId = null, DateTimeOffset? RunningAt = null, DateTimeOffset? Deadline = null, string? Result = null,
    DateTimeOffset? EndedAt = null);

/// <param name="Kind"><c>question</c>, <c>answer</c> or <c>message</c>.</param>
internal sealed record StoredMessage(Guid AttemptId, Guid Id, string Kind, string Body, DateTimeOffset? ExpiresAt, bool Delivered = false);

/// <summary>An attempt as an earlier process left it.</summary>
/// <param name="LastSequence">Of its last event, acknowledged or not.</param>
internal sealed record StoredAttempt(
    ClaimedRow Claimed, ProgressRow Progress, long AcknowledgedSequence, long LastSequence, IReadOnlyList<StoredMessage> Messages);

/// <summary>One caller's part of a batch: all of it is committed at once, or none.</summary>
internal sealed class JournalEntry
{
    public IReadOnlyList<ClaimedRow> Claimed { get; init; } = [];
    public IReadOnlyList<ProgressRow> Progress { get; init; } = [];
    public IReadOnlyList<AttemptEvent> Events { get; init; } = [];
    public IReadOnlyList<StoredMessage> Messages { get; init; } = [];
    /// <summary>Events up to and including this sequence are the controller's now.</summary>
    public IReadOnlyList<(Guid AttemptId, long Sequence)> Acknowledged { get; init; } = [];
    /// <summary>Attempts to forget, with all their rows.</summary>
    public IReadOnlyList<Guid> Forgotten { get; init; } = [];
    /// <summary>Runs right after the commit, in the order of the entries.</summary>
    public Action? Committed { get; init; }

    internal TaskCompletionSource Durable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
