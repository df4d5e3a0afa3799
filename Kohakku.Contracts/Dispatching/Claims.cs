using System.Text.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Dispatching;

/// <summary>Body of <c>POST /api/v1/dispatchers/{id}/claims</c>, a long poll.</summary>
/// <param name="RequestId">The same id again gets the same orders, so that a lost answer strands nothing.</param>
/// <param name="Slots">At most this many orders, 1 to 1,000.</param>
/// <param name="WaitSeconds">0 to 60: how long to wait for work when there is none.</param>
/// <param name="TaskIds">Only these tasks (redis-stream); null for any.</param>
public sealed record ClaimRequest(Guid Session, Guid RequestId, int Slots, int WaitSeconds, IReadOnlyList<Guid>? TaskIds = null);

public sealed record ClaimAnswer(IReadOnlyList<AttemptOrder> Attempts);

/// <summary>Everything a dispatcher needs to run one attempt.</summary>
/// <param name="Number">The attempt's number within its task, from 1.</param>
/// <param name="Token">Opens this attempt on the agent protocol, and nothing else.</param>
/// <param name="TraceParent">W3C trace context of the submit, or null.</param>
/// <param name="InputsUrl">A presigned GET of the inputs where they are too large to ride along; then <paramref name="Inputs"/> is null.</param>
public sealed record AttemptOrder(
    Guid TaskId, Guid AttemptId, int Number, string Token, string Title, OrderedAgent Agent, OrderedBrief Brief, JsonElement? Inputs,
    IReadOnlyList<OrderedSkill> Skills, IReadOnlyDictionary<string, string> Env, IReadOnlyDictionary<string, string> Secrets,
    ResourceLimits Resources, int TimeoutSeconds, string? TraceParent, string? InputsUrl = null);

/// <param name="Image">Fully qualified; null for <see cref="AgentMode.Inline"/>.</param>
public sealed record OrderedAgent(
    string Name, AgentMode Mode, string? Image, IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Env, PullPolicy PullPolicy,
    NetworkPolicy Network, int HeartbeatTimeoutSeconds);

/// <summary>Either the text itself, or a presigned GET.</summary>
public sealed record OrderedBrief(string? Text, string? Url);

/// <param name="Digest">SHA-256, lower-case hex; checked by the dispatcher.</param>
/// <param name="Url">A presigned GET of the zip.</param>
public sealed record OrderedSkill(string Name, int Version, string Digest, string Url);
