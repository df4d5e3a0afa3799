using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Webhooks;

/// <summary>Body of <c>PUT /api/v1/webhooks/{name}</c>. Everything is nullable so that validation can name every missing or wrong field at once.</summary>
public sealed record PutWebhook
{
    /// <summary>Required; an http or https address of at most 2,000 characters, without user name or password.</summary>
    public string? Url { get; init; }
    /// <summary>Required, 1 to 50: types of <see cref="WebhookEventTypes"/>, <c>task.*</c> for all of a kind, <c>*</c> for all.</summary>
    public IReadOnlyList<string>? Events { get; init; }
    /// <summary>Default true: putting a webhook that was disabled enables it.</summary>
    public bool? Enabled { get; init; }
}

/// <param name="DisabledReason">Why it gets nothing: null while it is enabled.</param>
/// <param name="Pending">Deliveries that are yet to succeed.</param>
/// <param name="FailingSince">Since when no attempt went well; null where the last one did.</param>
/// <param name="Secret"><c>whsec_…</c>: what deliveries are signed with; only in the answer that makes it.</param>
public sealed record WebhookView(
    string Name, string Url, IReadOnlyList<string> Events, bool Enabled, string? DisabledReason, int Pending, DateTimeOffset? FailingSince, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null);

[JsonConverter(typeof(WireEnumConverter<DeliveryState>))]
public enum DeliveryState
{
    /// <summary>It is yet to be sent, or to be sent again.</summary>
    Pending,
    /// <summary>The receiver answered with 2xx.</summary>
    Delivered,
    /// <summary>It was tried for a day, or can't be sent.</summary>
    Failed,
    /// <summary>Its webhook was disabled before it went well.</summary>
    Canceled,
}

/// <param name="Status">The status that was answered; null when nothing was.</param>
/// <param name="Fault">What was wrong: the beginning of the answer, or why there was none.</param>
public sealed record DeliveryAttempt(DateTimeOffset At, int? Status, long DurationMs, string? Fault);

/// <param name="Id">The event's: it is sent as <c>webhook-id</c> and as <c>id</c>, the same with every attempt.</param>
/// <param name="At">When it happened.</param>
/// <param name="NextAttemptAt">Null when there is none to come.</param>
/// <param name="Attempts">The newest at most 20, oldest first.</param>
/// <param name="Body">What is sent.</param>
public sealed record DeliveryView(
    Guid Id, string Type, string Subject, DateTimeOffset At, DeliveryState Status, DateTimeOffset? NextAttemptAt, DateTimeOffset? EndedAt,
    IReadOnlyList<DeliveryAttempt> Attempts, WebhookEvent Body);

/// <summary>What a webhook is sent: a CloudEvents 1.0 event in structured JSON (<c>application/cloudevents+json</c>), signed by Standard Webhooks.</summary>
/// <param name="Source">The controller's address.</param>
/// <param name="Type">One of <see cref="WebhookEventTypes"/>.</param>
/// <param name="Subject">What it is about, as a path below <c>/api/v1/</c>.</param>
/// <param name="Project">An extension attribute: the project's name.</param>
public sealed record WebhookEvent(
    [property: JsonPropertyName("specversion")] string SpecVersion, Guid Id, string Source, string Type, string Subject, DateTimeOffset Time,
    [property: JsonPropertyName("datacontenttype")] string DataContentType, string Project, JsonElement Data);

/// <summary>What webhooks can tell of.</summary>
public static class WebhookEventTypes
{
    public const string Ping = "webhook.ping";
    public const string Digest = "failure.digest";

    /// <summary>Each with what it means; <see cref="Ping"/> goes to whom it is meant for, subscribed or not.</summary>
    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>
    {
        ["task.succeeded"] = "A task succeeded.",
        ["task.failed"] = "A task failed for good: its attempts are used up, or it can't be tried again.",
        ["task.timedOut"] = "A task did not end within its time-out.",
        ["task.canceled"] = "A task was canceled, or expired before anyone claimed it.",
        ["run.succeeded"] = "A run of a workflow succeeded.",
        ["run.failed"] = "A run failed.",
        ["run.timedOut"] = "A run did not end within its time-out.",
        ["run.canceled"] = "A run was canceled.",
        ["question.opened"] = "An agent asks a question, a run waits for an approval, or a lost attempt for a decision.",
        ["dispatcher.unreachable"] = "A dispatcher has not been heard of for a lease.",
        ["dispatcher.offline"] = "A dispatcher has been silent for long.",
        ["failure.opened"] = "Attempts fail in a way that was not seen before.",
        ["failure.reopened"] = "A failure that was held to be mended came back.",
        [Digest] = "Once a day, at 06:00 UTC, where anything failed: what broke, since when, how often.",
        ["service.down"] = "A service that Kohakku stands on does not answer.",
        ["service.recovered"] = "It answers again.",
        [Ping] = "Somebody asked for it, to see whether deliveries arrive.",
    };

    /// <summary>Whether it is a type, a kind with <c>.*</c>, or <c>*</c>.</summary>
    public static bool IsPattern(string pattern) =>
        pattern == "*" || All.ContainsKey(pattern) || All.Keys.Any(type => pattern == $"{type[..type.IndexOf('.', StringComparison.Ordinal)]}.*");
}
