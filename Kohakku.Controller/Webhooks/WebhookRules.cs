using System.Net;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Agents;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Webhooks;

/// <summary><c>WEBHOOKS_ALLOW_PRIVATE</c>: whether webhooks may lead to loopback and private addresses.</summary>
internal sealed record WebhookOptions(bool AllowPrivate)
{
    public static WebhookOptions Read(SettingsReader settings) => new(settings.Flag("WEBHOOKS_ALLOW_PRIVATE", false, "Lets [webhooks](webhooks.md) reach loopback, private and link-local addresses; the same on controllers and schedulers."));
}

/// <summary>What a webhook must be; every fault is named. Where a name leads is looked at when it is connected to: it may lead elsewhere by then.</summary>
internal static class WebhookRules
{
    private const int LongestUrl = 2_000;
    private const int MostEvents = 50;

    public static void Check(string name, PutWebhook webhook, WebhookOptions options, Faults faults)
    {
        if (!AgentRules.IsName(name)) faults.Add("name", AgentRules.NameRule);
        CheckUrl(webhook.Url, options, faults);
        if (webhook.Events is not { Count: > 0 and <= MostEvents } events) faults.Add("events", $"must be 1 to {MostEvents} types of events");
        else
            foreach (var unknown in events.Where(type => type is null || !WebhookEventTypes.IsPattern(type)).Distinct())
                faults.Add("events", $"has '{unknown}'; known are {string.Join(", ", WebhookEventTypes.All.Keys)}, 'task.*' for all of a kind, and '*'");
    }

    private static void CheckUrl(string? text, WebhookOptions options, Faults faults)
    {
        if (string.IsNullOrEmpty(text)) faults.Add("url", "is required");
        else if (text.Length > LongestUrl) faults.Add("url", $"must have at most {LongestUrl} characters");
        else if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.Host.Length == 0) faults.Add("url", "must be an absolute http or https address");
        else if (url.UserInfo.Length > 0) faults.Add("url", "must not hold a user name or password: they would be read by everyone who reads the webhook");
        else if (!options.AllowPrivate && (url.IsLoopback || IPAddress.TryParse(url.IdnHost, out var address) && OutgoingHttp.IsPrivate(address)))
            faults.Add("url", "is a private address; this installation lets webhooks reach those only with WEBHOOKS_ALLOW_PRIVATE=true");
    }
}
