using System.Diagnostics.Metrics;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Triggers;

namespace Kohakku.Controller.Triggers;

internal sealed class TriggerMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _deliveries;

    public TriggerMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("Kohakku.Controller.Triggers");
        _deliveries = _meter.CreateCounter<long>("kohakku.hook.deliveries", "{delivery}", "Calls of hooks by result; unauthorized are those without a right signature.");
    }

    public void Delivered(DeliveryResult result) => Count(WireEnum<DeliveryResult>.NameOf(result));

    public void Refused() => Count("unauthorized");

    public void Dispose() => _meter.Dispose();

    private void Count(string result) => _deliveries.Add(1, new KeyValuePair<string, object?>("result", result));
}
