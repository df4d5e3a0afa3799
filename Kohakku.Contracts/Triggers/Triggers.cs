using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Triggers;

/// <summary>How a delivery proves that it comes from who knows the secret.</summary>
[JsonConverter(typeof(WireEnumConverter<TriggerVerification>))]
public enum TriggerVerification
{
    /// <summary><c>X-Hub-Signature-256</c>: <c>sha256=</c> and the HMAC-SHA256 of the body in hex.</summary>
    Github,
    /// <summary>Standard Webhooks 1.0.0.</summary>
    Standard,
    /// <summary>The secret itself, as <c>Authorization: Bearer</c>, <c>X-Kohakku-Token</c> or <c>X-Gitlab-Token</c>.</summary>
    Token,
}

/// <summary>What became of a delivery that was genuine.</summary>
[JsonConverter(typeof(WireEnumConverter<DeliveryResult>))]
public enum DeliveryResult
{
    /// <summary>Its task or run was made.</summary>
    Accepted,
    /// <summary>The filter let it not through, or it is GitHub's ping.</summary>
    Filtered,
    /// <summary>One with the same key was accepted before.</summary>
    Duplicate,
    /// <summary>The rules of tasks or runs refused what it came to; its note says why.</summary>
    Refused,
    /// <summary>It could not be read, or a template not be rendered; its note says why.</summary>
    Failed,
}

/// <summary>
/// Body of <c>PUT /api/v1/triggers/{name}</c>. Everything is nullable so that validation can name every missing or wrong field at once. Its texts are Liquid, with
/// <c>trigger.name</c>, <c>payload</c>, <c>headers</c> (names in lower case, without those that prove or let in) and <c>event</c>.
/// </summary>
public sealed record PutTrigger
{
    /// <summary>Required.</summary>
    public TriggerVerification? Verify { get; init; }
    /// <summary>8 to 1,024 characters; never read back. Required for a new trigger; without one a trigger that is replaced keeps its own.</summary>
    public string? Secret { get; init; }
    /// <summary>Nothing begins where this comes to nothing, <c>false</c>, <c>0</c> or <c>no</c>. Default: all pass.</summary>
    public string? Filter { get; init; }
    /// <summary>
    /// Of the deliveries with the same key one begins something. Where it comes to nothing, each does. Default: <c>X-GitHub-Delivery</c>, <c>webhook-id</c>, or with
    /// <c>token</c> none.
    /// </summary>
    public string? DedupeKey { get; init; }
    /// <summary>Required.</summary>
    public WorkTarget? Target { get; init; }
}

/// <param name="Url">Where its deliveries go.</param>
/// <param name="LastDelivery">The newest, whatever became of it.</param>
public sealed record TriggerView(
    string Name, TriggerVerification Verify, string? Filter, string? DedupeKey, WorkTarget Target, string Url, TriggerDeliveryView? LastDelivery, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <param name="Event">What the sender calls it: <c>X-GitHub-Event</c>, or the payload's <c>type</c>.</param>
/// <param name="Note">Why it was filtered, refused or failed.</param>
/// <param name="TaskId">Of a duplicate: that of the first.</param>
/// <param name="TargetStatus">How its task or run stands, in the words of those.</param>
/// <param name="Payload">How its payload begins.</param>
public sealed record TriggerDeliveryView(
    Guid Id, DateTimeOffset At, DeliveryResult Result, string? Event, string? DedupeKey, string? Note, Guid? TaskId, Guid? RunId, string? TargetStatus, string? Payload);

/// <summary>Body of <c>POST /api/v1/triggers/{name}/test</c>: a delivery as it would come, but for its signature.</summary>
public sealed record TestTrigger
{
    public JsonElement? Payload { get; init; }
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
}

/// <summary>What would become of a delivery.</summary>
/// <param name="Filter">What the filter comes to; null where there is none.</param>
/// <param name="DedupeKey">Null: nothing tells its deliveries apart.</param>
/// <param name="Note">Why it would be filtered, where no filter says so.</param>
/// <param name="TaskId">Of a duplicate: what the first made.</param>
/// <param name="RunId">Of a duplicate: what the first made.</param>
/// <param name="Task">The task that would be submitted.</param>
/// <param name="Run">Or the run that would begin.</param>
public sealed record TestedTrigger(
    DeliveryResult Result, string? Event, string? Filter, string? DedupeKey,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Note = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? TaskId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? RunId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] SubmitTask? Task = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] WorkTarget? Run = null);

/// <summary>Answer to a delivery, with 202: what it began.</summary>
public sealed record AcceptedDelivery(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? TaskId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? RunId);

/// <summary>Answer to a delivery, with 200: why it began nothing.</summary>
/// <param name="TaskId">Of a duplicate: what the first made.</param>
/// <param name="RunId">Of a duplicate: what the first made.</param>
public sealed record SettledDelivery(
    DeliveryResult Result,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? TaskId = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? RunId = null);
