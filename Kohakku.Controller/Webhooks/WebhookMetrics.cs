using System.Diagnostics.Metrics;
using Kohakku.Controller.Webhooks.Sending;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Webhooks;

/// <summary>What an operator watches of deliveries.</summary>
internal sealed class WebhookMetrics : IDisposable
{
    public const string Name = "Kohakku.Controller.Webhooks";

    private readonly Meter _meter;
    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _duration;

    public WebhookMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        _attempts = _meter.CreateCounter<long>("kohakku.webhook.attempts", "{attempt}", "Attempts at deliveries by result.");
        _duration = _meter.CreateHistogram<double>("kohakku.webhook.duration", "s", "How long receivers took to answer.", tags: null, Durations.Buckets);
    }

    public void Sent(AttemptEnd end)
    {
        _attempts.Add(1, new KeyValuePair<string, object?>("result", end.Succeeded ? "delivered" : end.Attempt.Status is null ? "unanswered" : "refused"));
        if (end.Attempt.Status is not null) _duration.Record(end.Attempt.DurationMs / 1000d);
    }

    public void Dispose() => _meter.Dispose();
}
