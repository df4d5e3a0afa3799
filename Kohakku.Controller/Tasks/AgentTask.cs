using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Tasks;

/// <summary>
/// One brief for one agent. (Table <c>tasks</c>; the class is not named Task to stay apart from
/// <see cref="System.Threading.Tasks.Task"/>.) Written by hand SQL: submit makes it, <c>Dispatching</c> changes it, always under the row's lock.
/// </summary>
internal sealed class AgentTask
{
    /// <summary>UUIDv7: newest first is by id.</summary>
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public Guid AgentId { get; init; }
    /// <summary>Copied, so that lists need no join.</summary>
    public required string AgentName { get; init; }
    public required string Title { get; init; }
    public TaskState Status { get; init; }
    /// <summary>1, and one more for every retry of a finished task.</summary>
    public int Generation { get; init; }
    public int Priority { get; init; }

    /// <summary>Null when it is larger than 64 KiB: then it is in object storage at <c>briefs/{id}/brief.md</c>.</summary>
    public string? Brief { get; init; }
    /// <summary>JSON; null when there are none, or when <see cref="InputsStored"/>.</summary>
    public string? Inputs { get; init; }
    /// <summary>The inputs are in object storage at <c>briefs/{id}/inputs.json</c>.</summary>
    public bool InputsStored { get; init; }
    public IReadOnlyList<PinnedSkill> Skills { get; init; } = [];
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();
    public string[] Secrets { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public string[] Tags { get; init; } = [];
    public string? ConcurrencyKey { get; init; }
    public int? ConcurrencyLimit { get; init; }
    public int MaxAttempts { get; init; }
    public int TimeoutSeconds { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    public Guid[] Needs { get; init; } = [];
    public OnLost OnLost { get; init; }
    /// <summary>Null: the agent's own.</summary>
    public NetworkPolicy? Network { get; init; }
    /// <summary>Null: the agent's own.</summary>
    public ResourceLimits? Resources { get; init; }
    public string? IdempotencyKey { get; init; }
    /// <summary>SHA-256 of the submitted body, to tell a repeat from a misuse of the key.</summary>
    public byte[]? RequestHash { get; init; }
    public string? TraceParent { get; init; }
    /// <summary>The run that made it; null: somebody submitted it.</summary>
    public Guid? RunId { get; init; }
    /// <summary>A JSON schema that the output must fit, or the attempt fails as <c>invalidResult</c>; null: anything.</summary>
    public string? OutputSchema { get; init; }
    /// <summary>Who submitted it: a token's or a person's name.</summary>
    public string? SubmittedBy { get; init; }

    /// <summary>False while tasks of the same concurrency key fill its limit; then the queue does not offer it.</summary>
    public bool Claimable { get; init; }
    /// <summary>Tasks of one project and the same labels queue in one lane, so that a claim steps over the lanes that don't fit it without reading their tasks.</summary>
    public long Lane { get; init; }
    /// <summary>When a <see cref="TaskState.Scheduled"/> task is due: <c>notBefore</c> or the end of a backoff. Null while it waits for needs.</summary>
    public DateTimeOffset? DueAt { get; init; }
    public DateTimeOffset? QueuedAt { get; init; }
    /// <summary>The number of the newest attempt, over all generations.</summary>
    public int AttemptCount { get; init; }
    public Guid? CurrentAttemptId { get; init; }
    /// <summary>Attempts of this generation that the agent itself broke; bounded by <see cref="MaxAttempts"/>.</summary>
    public int AgentFailures { get; init; }
    /// <summary>Attempts of this generation that the infrastructure broke; bounded by 5.</summary>
    public int InfrastructureFaults { get; init; }
    /// <summary>Orders of this generation that no dispatcher ever began: they burn no attempt, but they are bounded too.</summary>
    public int UnstartedClaims { get; init; }
    public DateTimeOffset? CancelRequestedAt { get; init; }
    /// <summary>The id of the newest entry of the timeline; the next one is given under the row's lock.</summary>
    public long EventSequence { get; init; }

    /// <summary>JSON.</summary>
    public string? Output { get; init; }
    public FailureView? Failure { get; init; }
    public long InputTokens { get; init; }
    public long OutputTokens { get; init; }
    public decimal CostUsd { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    /// <summary>When the first attempt of this generation ran.</summary>
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>A skill as it was when the task was submitted.</summary>
internal sealed record PinnedSkill(string Name, int Version, string Digest);
