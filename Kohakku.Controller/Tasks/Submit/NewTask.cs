using System.Text.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>A submitted task that has passed every check, as it will stand in its row.</summary>
internal sealed record NewTask
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required Guid AgentId { get; init; }
    public required string Title { get; init; }
    public required string SubmittedBy { get; init; }
    public required SubmitTask Request { get; init; }
    public required IReadOnlyList<PinnedSkill> Skills { get; init; }
    public IdempotencyKey? Key { get; init; }
    public string? TraceParent { get; init; }
    /// <summary>The run that makes it.</summary>
    public Guid? RunId { get; init; }
    /// <summary>JSON schema.</summary>
    public string? OutputSchema { get; init; }
    /// <summary>The brief, or the inputs, went to object storage and is not in the row.</summary>
    public bool BriefStored { get; init; }
    public bool InputsStored { get; init; }
    /// <summary>How many of its needs have not succeeded yet.</summary>
    public int UnmetNeeds { get; init; }
    /// <summary>False while tasks of the same concurrency key fill its limit.</summary>
    public bool HasPlace { get; init; } = true;

    public JsonElement? Inputs => Request.Inputs is { ValueKind: JsonValueKind.Object } inputs ? inputs : null;
    public int? ConcurrencyLimit => Request.ConcurrencyKey is null ? null : Request.ConcurrencyLimit ?? 1;

    public TaskState StateAt(DateTimeOffset now) => UnmetNeeds > 0 || Request.NotBefore > now ? TaskState.Scheduled : TaskState.Queued;

    /// <summary>A scheduled task with a concurrency key asks for its place when it is due.</summary>
    public bool IsClaimable(TaskState state) => Request.ConcurrencyKey is null || (state == TaskState.Queued && HasPlace);
}

/// <summary>What a client repeats to be sure that its task is submitted once.</summary>
/// <param name="RequestHash">SHA-256 of what was asked, to tell a repeat from a misuse of the key.</param>
internal sealed record IdempotencyKey(string Text, byte[] RequestHash);

/// <param name="Task">As it was written.</param>
/// <param name="CreatedAt">By the database's clock.</param>
internal sealed record MadeTask(NewTask Task, TaskState Status, DateTimeOffset CreatedAt)
{
    public bool IsClaimable => Task.IsClaimable(Status);
}
