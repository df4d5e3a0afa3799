using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Dispatching;

/// <summary>Body of <c>POST /api/v1/callbacks</c>.</summary>
public sealed record CallbackBatch(Guid Session, IReadOnlyList<AttemptEvent> Events);

/// <param name="Sequence">From 1, without gaps within the attempt.</param>
/// <param name="Type">One of <see cref="AttemptEventTypes"/>; an unknown one is stored, acknowledged and shown.</param>
/// <param name="Data">As the type says (<see cref="RunningData"/>, <see cref="EndedData"/> …); null for <c>starting</c>.</param>
public sealed record AttemptEvent(Guid AttemptId, long Sequence, DateTimeOffset At, string Type, JsonElement? Data);

public sealed record CallbackAnswer(IReadOnlyList<CallbackResult> Results);

/// <param name="AcceptedThrough">The last sequence that is applied; 0 when there is none.</param>
/// <param name="Order">With <see cref="CallbackOrder.Stop"/> the attempt is over for the controller: kill it, drop its events.</param>
public sealed record CallbackResult(Guid AttemptId, long AcceptedThrough, CallbackOrder Order);

[JsonConverter(typeof(WireEnumConverter<CallbackOrder>))]
public enum CallbackOrder { Continue, Stop }

/// <summary>The event types a dispatcher sends.</summary>
public static class AttemptEventTypes
{
    public const string Pulling = "pulling";
    public const string Starting = "starting";
    public const string Running = "running";
    public const string Progress = "progress";
    public const string Question = "question";
    public const string Artifact = "artifact";
    public const string Usage = "usage";
    public const string Message = "message";
    public const string Ended = "ended";
}

public sealed record PullingData(string Image, int? Percent);

/// <param name="RuntimeId">The container's id, or <c>pid:start time</c>.</param>
public sealed record RunningData(string RuntimeId);

public sealed record ProgressData(double? Percent, string? Message);

public sealed record QuestionData(Guid Id, string Prompt, IReadOnlyList<string>? Choices, int? TimeoutSeconds);

public sealed record ArtifactData(string Path, long Size, string Sha256, string ContentType);

public sealed record UsageData(string Model, long InputTokens, long OutputTokens, decimal CostUsd);

public sealed record MessageData(string Text);

/// <param name="Status">An ended state: succeeded, failed, canceled or timedOut.</param>
/// <param name="Reason">Null on success.</param>
/// <param name="Message">What happened, for a person.</param>
/// <param name="LogTail">At most 16 KiB.</param>
/// <param name="Transient">False when an infrastructure reason can not pass by trying again, as with an image that does not exist.</param>
public sealed record EndedData(
    AttemptState Status, FailureReason? Reason, int? ExitCode, string? Message, JsonElement? Output, string? LogTail, bool Transient = true);
