using System.Diagnostics;
using System.Diagnostics.Metrics;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Claiming;
using Kohakku.Dispatcher.Reporting;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher;

/// <summary>What the dispatcher measures of itself.</summary>
internal sealed class DispatcherMetrics
{
    public static readonly ActivitySource Source = new("Kohakku.Dispatcher");

    private readonly Counter<long> claimed;
    private readonly Counter<long> ended;
    private readonly Histogram<double> starts;
    private readonly Histogram<double> callbacks;
    private readonly Counter<long> events;

    public DispatcherMetrics(IMeterFactory meters, AgentSlots slots, Outbox outbox)
    {
        var meter = meters.Create("Kohakku.Dispatcher");
        claimed = meter.CreateCounter<long>("kohakku.dispatcher.claimed", "{attempt}", "Orders that claims brought.");
        ended = meter.CreateCounter<long>("kohakku.dispatcher.attempts", "{attempt}", "Attempts that ended here, by state and reason.");
        starts = meter.CreateHistogram<double>("kohakku.dispatcher.start.duration", "s", "From the beginning of the preparation until the runner runs.", tags: null, Durations.Buckets);
        callbacks = meter.CreateHistogram<double>("kohakku.dispatcher.callback.duration", "s", "One batch of events, until the controller's answer.", tags: null, Durations.Buckets);
        events = meter.CreateCounter<long>("kohakku.dispatcher.events", "{event}", "Events that the controller acknowledged.");
        meter.CreateObservableGauge("kohakku.dispatcher.slots.used", () => slots.Used, "{slot}", "Slots that agents occupy.");
        meter.CreateObservableGauge("kohakku.dispatcher.slots.capacity", () => slots.Capacity, "{slot}", "All slots.");
        meter.CreateObservableGauge("kohakku.dispatcher.outbox.depth", () => outbox.Depth, "{event}", "Events the controller has not acknowledged.");
    }

    public void Claimed(int orders) => claimed.Add(orders);

    public void Started(TimeSpan duration) => starts.Record(duration.TotalSeconds);

    public void Ended(AttemptStatus status)
    {
        // A dropped attempt was taken away, whatever became of it here.
        var state = status.End is { } end ? WireEnum<AttemptState>.NameOf(end.Status) : "dropped";
        var reason = status.End?.Reason is { } why ? WireEnum<FailureReason>.NameOf(why) : "none";
        ended.Add(1, new("state", state), new("reason", reason));
    }

    public void EndedInline(int attempts) => ended.Add(attempts, new("state", "succeeded"), new("reason", "none"));

    public void Reported(TimeSpan duration, int acknowledged)
    {
        callbacks.Record(duration.TotalSeconds);
        events.Add(acknowledged);
    }
}
