using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Tasks;

/// <summary>
/// Body of <c>POST /api/v1/tasks</c>. Everything is nullable so that validation can name every missing or wrong field at
/// once; the defaults stand in the comments.
/// </summary>
public sealed record SubmitTask
{
    /// <summary>At most 200 characters. Default: the brief's first line.</summary>
    public string? Title { get; init; }
    /// <summary>Required; at most 1 MiB of UTF-8.</summary>
    public string? Brief { get; init; }
    /// <summary>Required; the name of an agent of the project.</summary>
    public string? Agent { get; init; }
    /// <summary><c>name</c> (its newest version) or <c>name@version</c>.</summary>
    public IReadOnlyList<string>? Skills { get; init; }
    /// <summary>A JSON object, handed to the agent as <c>inputs.json</c>.</summary>
    public JsonElement? Inputs { get; init; }
    public IReadOnlyDictionary<string, string>? Env { get; init; }
    /// <summary>Names of secrets of the project.</summary>
    public IReadOnlyList<string>? Secrets { get; init; }
    /// <summary>−100 to 100, higher first. Default 0.</summary>
    public int? Priority { get; init; }
    /// <summary>All must match the dispatcher's labels.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }
    public IReadOnlyList<string>? Tags { get; init; }
    public string? ConcurrencyKey { get; init; }
    /// <summary>How many tasks of one <see cref="ConcurrencyKey"/> run at once. Default 1 where a key is given.</summary>
    public int? ConcurrencyLimit { get; init; }
    /// <summary>1 to 100; counts what the agent broke, not what the infrastructure broke. Default 1.</summary>
    public int? MaxAttempts { get; init; }
    /// <summary>Seconds from <c>running</c>, waiting included; 1 to 2,592,000 (30 days). Default 3600.</summary>
    public int? TimeoutSeconds { get; init; }
    public DateTimeOffset? NotBefore { get; init; }
    /// <summary>Claimed by then, or it ends as <c>timedOut</c> without having run. At most ten years ahead, and after <see cref="NotBefore"/>.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
    /// <summary>Tasks of the same project that must succeed first.</summary>
    public IReadOnlyList<Guid>? Needs { get; init; }
    public OnLost? OnLost { get; init; }
    public NetworkPolicy? Network { get; init; }
    public Workspace? Workspace { get; init; }
    /// <summary>Commands that must pass after the agent for its success to count.</summary>
    public IReadOnlyList<string>? Verify { get; init; }
    public ResourceLimits? Resources { get; init; }
}

/// <summary>Body of <c>POST /api/v1/tasks/batch</c>: 1 to 1,000 tasks, all or none.</summary>
public sealed record SubmitTaskBatch
{
    public IReadOnlyList<SubmitTask>? Tasks { get; init; }
}

[JsonConverter(typeof(WireEnumConverter<NetworkMode>))]
public enum NetworkMode
{
    /// <summary>Loopback only; the dispatcher's socket is the only way out.</summary>
    None,
    /// <summary>An HTTP(S) proxy on the dispatcher's socket that lets listed hosts through.</summary>
    Allow,
    /// <summary>The engine's network.</summary>
    Internet,
}

public sealed record NetworkPolicy
{
    public NetworkMode Mode { get; init; }
    public IReadOnlyList<string>? Allow { get; init; }
}

/// <summary>What the workspace holds before the agent starts.</summary>
public sealed record Workspace
{
    public GitWorkspace? Git { get; init; }
}

public sealed record GitWorkspace
{
    public string? Url { get; init; }
    public string? Ref { get; init; }
    public int? Depth { get; init; }
}

/// <summary>Limits of one agent. Null: the agent's own default, else none but the dispatcher's.</summary>
public sealed record ResourceLimits
{
    /// <summary>Cores, above 0, at most 256.</summary>
    public double? Cpu { get; init; }
    /// <summary>MiB, 16 to 1,048,576.</summary>
    public int? MemoryMb { get; init; }
    /// <summary>Processes and threads, 8 to 65,536.</summary>
    public int? Pids { get; init; }
}
