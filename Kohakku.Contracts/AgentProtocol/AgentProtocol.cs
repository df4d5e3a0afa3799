using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.AgentProtocol;

/// <summary>Answer of <c>GET /agent/v1/brief</c>.</summary>
/// <param name="Deadline">When the attempt times out; null until it runs.</param>
public sealed record AgentBrief(
    Guid TaskId, Guid AttemptId, int Number, string Title, string Brief, JsonElement? Inputs, IReadOnlyDictionary<string, string> Env,
    IReadOnlyDictionary<string, string> Secrets, IReadOnlyList<BriefedSkill> Skills, BriefedAgent Agent, ResourceLimits Resources,
    DateTimeOffset? Deadline);

public sealed record BriefedSkill(string Name, int Version, string Digest);

public sealed record BriefedAgent(AgentMode Mode, IReadOnlyList<string> Command);

[JsonConverter(typeof(WireEnumConverter<AgentOrder>))]
public enum AgentOrder { Continue, Stop }

/// <summary>Answer of <c>POST /agent/v1/heartbeat</c>.</summary>
public sealed record AgentHeartbeat(AgentOrder Order, string? Reason, IReadOnlyList<AgentMessage> Messages);

/// <param name="Kind"><c>answer</c> or <c>message</c>.</param>
public sealed record AgentMessage(Guid Id, string Kind, string Body);

/// <summary>One element of the body of <c>POST /agent/v1/events</c>: a line of log, progress, or usage, told apart by <c>type</c>.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(LogEvent), "log")]
[JsonDerivedType(typeof(ProgressEvent), "progress")]
[JsonDerivedType(typeof(UsageEvent), "usage")]
public abstract record AgentEvent;

/// <param name="Stream"><c>stdout</c>, <c>stderr</c> or <c>runner</c>.</param>
/// <param name="Text">One or more whole lines, or the part of a line, with its line ends.</param>
public sealed record LogEvent(string Stream, string Text) : AgentEvent;

public sealed record ProgressEvent(double? Percent, string? Message) : AgentEvent;

public sealed record UsageEvent(string Model, long InputTokens, long OutputTokens, decimal CostUsd) : AgentEvent;

/// <summary>Body of <c>POST /agent/v1/questions</c>.</summary>
public sealed record AskQuestion(string Prompt, IReadOnlyList<string>? Choices = null, int? TimeoutSeconds = null);

public sealed record AskedQuestion(Guid Id);

/// <param name="Status"><c>open</c>, <c>answered</c> or <c>expired</c>.</param>
public sealed record QuestionAnswer(string Status, string? Answer);

[JsonConverter(typeof(WireEnumConverter<AgentOutcome>))]
public enum AgentOutcome { Succeeded, Failed }

/// <summary>Body of <c>POST /agent/v1/result</c>; the first one counts.</summary>
/// <param name="ExitCode">The agent's exit code, from the runner; a signal's number + 128.</param>
/// <param name="Reason">Why it failed, where the runner knows better than <see cref="FailureReason.AgentError"/>.</param>
/// <param name="Error">What happened, for a person.</param>
public sealed record AgentResult(
    AgentOutcome Status, string? Summary = null, JsonElement? Output = null, string? Error = null, int? ExitCode = null, FailureReason? Reason = null);

/// <summary>Names of the environment variables of the agent protocol.</summary>
public static class AgentEnvironment
{
    public const string Url = "KOHAKKU_URL";
    /// <summary>Where the runner itself reaches the dispatcher: a Unix socket's path; unset when it is <see cref="Url"/>.</summary>
    public const string Socket = "KOHAKKU_SOCKET";
    public const string Token = "KOHAKKU_TOKEN";
    public const string TaskId = "KOHAKKU_TASK_ID";
    public const string AttemptId = "KOHAKKU_ATTEMPT_ID";
    public const string Workspace = "KOHAKKU_WORKSPACE";
    public const string Brief = "KOHAKKU_BRIEF";
    public const string Inputs = "KOHAKKU_INPUTS";
    public const string Skills = "KOHAKKU_SKILLS";
    public const string Output = "KOHAKKU_OUTPUT";
    public const string TraceParent = "TRACEPARENT";
}
