using System.Text.Json;
using Google.Protobuf;
using Kohakku.Contracts;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Interpreter;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>The Temporal history of a run's workflow: of its newest execution, where a long run has gone on as another.</summary>
internal sealed class RunHistory(ITemporalClient temporal)
{
    public const int MostEvents = 1_000;
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);

    /// <summary>Events after one, in their order; the cursor is the last one's number. Null: Temporal has none of it (yet, or any more).</summary>
    /// <exception cref="RpcException">Temporal can't be reached.</exception>
    public async Task<Page<TemporalEventView>?> ReadAsync(Guid runId, long after, int limit, CancellationToken cancellationToken)
    {
        var options = new WorkflowHistoryEventFetchOptions { Rpc = new RpcOptions { Timeout = CallTimeout, CancellationToken = cancellationToken } };
        List<TemporalEventView> events = [];
        try
        {
            await foreach (var entry in temporal.GetWorkflowHandle(RunWorkflow.IdOf(runId)).FetchHistoryEventsAsync(options).WithCancellation(cancellationToken))
            {
                if (entry.EventId <= after) continue;
                if (events.Count == limit) return new Page<TemporalEventView>(events, $"{events[^1].Id}");
                events.Add(View(entry));
            }
        }
        catch (RpcException fault) when (fault.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }

        return new Page<TemporalEventView>(events, null);
    }

    private static TemporalEventView View(HistoryEvent entry)
    {
        // Its attributes are the only field whose name ends so.
        var json = JsonElement.Parse(Formatter.Format(entry));
        JsonElement? attributes = null;
        foreach (var property in json.EnumerateObject())
            if (property.Name.EndsWith("EventAttributes", StringComparison.Ordinal)) attributes = property.Value;
        return new TemporalEventView(entry.EventId, entry.EventTime.ToDateTimeOffset(), entry.EventType.ToString(), attributes);
    }
}
