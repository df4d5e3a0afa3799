using System.Globalization;
using Kohakku.Contracts.Webhooks;

namespace Kohakku.Controller.Console.Webhooks;

/// <summary>Webhooks in words for a person.</summary>
internal static class WebhookWords
{
    public static string State(WebhookView webhook) => !webhook.Enabled ? "Disabled" : webhook.FailingSince is null ? "On" : "Failing";

    public static string Tone(WebhookView webhook) => !webhook.Enabled ? "calm" : webhook.FailingSince is null ? "good" : "bad";

    public static string Of(DeliveryView delivery) => delivery.Status switch
    {
        DeliveryState.Delivered => "Delivered",
        DeliveryState.Failed => "Given up",
        DeliveryState.Canceled => "Left out",
        _ => delivery.Attempts.Count == 0 ? "Waits" : "Again later",
    };

    public static string Tone(DeliveryState status) => status switch
    {
        DeliveryState.Delivered => "good",
        DeliveryState.Failed => "bad",
        DeliveryState.Canceled => "calm",
        _ => "soon",
    };

    public static string Of(DeliveryAttempt attempt) => string.Create(
        CultureInfo.InvariantCulture, $"{attempt.Status?.ToString(CultureInfo.InvariantCulture) ?? "no answer"}, {attempt.DurationMs} ms{(attempt.Fault is { Length: > 0 } fault ? $": {fault}" : "")}");

    /// <summary>The page of what an event is about; null where it has none.</summary>
    public static string? Link(DeliveryView delivery) => delivery.Subject.Split('/') switch
    {
        ["tasks" or "runs" or "failures", _] => $"/{delivery.Subject}",
        ["questions", _] => "/questions",
        ["dispatchers", _] => "/dispatchers",
        ["failures"] => "/failures",
        ["status"] => "/status",
        _ => null,
    };
}
