using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Tasks;

[JsonConverter(typeof(WireEnumConverter<AgentMode>))]
public enum AgentMode
{
    /// <summary>The runner runs the command; exit code 0 is success.</summary>
    Exec,
    /// <summary>The runner drives the agent over the Agent Client Protocol.</summary>
    Acp,
    /// <summary>The image speaks the agent protocol itself.</summary>
    Protocol,
    /// <summary>A no-op inside the dispatcher, for measuring the control plane alone.</summary>
    Inline,
}

[JsonConverter(typeof(WireEnumConverter<PullPolicy>))]
public enum PullPolicy { Missing, Always, Never }

/// <summary>Body of <c>PUT /api/v1/agents/{name}</c>.</summary>
public sealed record PutAgent
{
    /// <summary>Required but for <c>inline</c>; without a slash it gets <c>AGENT_IMAGE_REGISTRY</c> as prefix.</summary>
    public string? Image { get; init; }
    /// <summary>Required for <c>exec</c> and <c>acp</c>; run in the workspace.</summary>
    public IReadOnlyList<string>? Command { get; init; }
    public AgentMode? Mode { get; init; }
    public string? Adapter { get; init; }
    public IReadOnlyDictionary<string, string>? Env { get; init; }
    public PullPolicy? PullPolicy { get; init; }
    public NetworkPolicy? Network { get; init; }
    public ResourceLimits? Resources { get; init; }
    /// <summary>5 to 3600. Default 60.</summary>
    public int? HeartbeatTimeoutSeconds { get; init; }
    /// <summary>How many to keep started ahead. Default 0.</summary>
    public int? Warm { get; init; }
}

public sealed record AgentView(
    string Name, string? Image, IReadOnlyList<string> Command, AgentMode Mode, string? Adapter, IReadOnlyDictionary<string, string> Env,
    PullPolicy PullPolicy, NetworkPolicy Network, ResourceLimits Resources, int HeartbeatTimeoutSeconds, int Warm,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <param name="Version">From 1; immutable.</param>
/// <param name="Digest">SHA-256 of the package, lower-case hex.</param>
public sealed record SkillVersionView(int Version, string Digest, long Size, string Description, DateTimeOffset CreatedAt);

/// <param name="Versions">The newest first.</param>
public sealed record SkillView(string Name, string Description, IReadOnlyList<SkillVersionView> Versions, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

[JsonConverter(typeof(WireEnumConverter<DispatcherState>))]
public enum DispatcherState { Online, Draining, Unreachable, Offline }

public sealed record DispatcherView(
    Guid Id, string Name, DispatcherState Status, string Runtime, string Url, string Version, IReadOnlyDictionary<string, string> Labels,
    int Capacity, int FreeSlots, int RunningAttempts, DateTimeOffset RegisteredAt, DateTimeOffset LastHeartbeatAt);

[JsonConverter(typeof(WireEnumConverter<Role>))]
public enum Role { Viewer, Operator, Admin }

public sealed record CreateProject { public string? Name { get; init; } }

public sealed record ProjectView(Guid Id, string Name, DateTimeOffset CreatedAt);

public sealed record CreateToken
{
    public string? Name { get; init; }
    /// <summary>The project's name. Default: the caller's.</summary>
    public string? Project { get; init; }
    /// <summary>Default <see cref="Role.Operator"/>; never above the caller's own.</summary>
    public Role? Role { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
}

public sealed record TokenView(Guid Id, string Name, string Project, Role Role, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

/// <param name="Token">Shown this once; only its hash is kept.</param>
public sealed record CreatedToken(Guid Id, string Name, string Project, Role Role, DateTimeOffset? ExpiresAt, string Token);
