using System.Diagnostics;
using System.Globalization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>Where deliveries come in. Nothing of a call is looked at, but for the size of its body, before it has proved that it is genuine.</summary>
internal static class HookEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapPost("/hooks/{name}", ReceiveAsync).WithTags("Hooks").AllowAnonymous().WithName("ReceiveDelivery");

    private static async Task<Results<Accepted<AcceptedDelivery>, Ok<SettledDelivery>, ProblemHttpResult>> ReceiveAsync(
        string name, HttpContext context, HookGate gate, HookDelivery delivery, DeliveryLog log, TriggerOptions options, TriggerMetrics metrics,
        CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (await ReadAsync(request, options.MaxBodyBytes, cancellationToken) is not { } body)
            return Problems.TooLarge(string.Create(CultureInfo.InvariantCulture, $"A delivery has at most {options.MaxBodyBytes / 1024} KiB."));
        if (await gate.OpenAsync(name, request.Headers, body, context.Connection.RemoteIpAddress, cancellationToken) is not { } trigger)
            return Problems.Unauthorized("There is no such hook, or this call does not prove that it may use it.");

        DeliveryOutcome outcome;
        if (HookMessage.Read(request.Headers, body, out var fault) is { } message)
            outcome = await delivery.DeliverAsync(trigger, message, SubmitEndpoints.TraceParentOf(request), cancellationToken);
        else
        {
            await log.WriteAsync(trigger, DeliveryOutcome.Unreadable(fault), payload: null);
            metrics.Delivered(DeliveryResult.Failed);
            return Problems.BadRequest(fault.Field, fault.Rule);
        }

        metrics.Delivered(outcome.Result);
        return outcome.Result switch
        {
            DeliveryResult.Accepted => TypedResults.Accepted(
                outcome.TaskId is { } task ? $"/api/v1/tasks/{task}" : $"/api/v1/runs/{outcome.RunId}", new AcceptedDelivery(outcome.TaskId, outcome.RunId)),
            DeliveryResult.Filtered or DeliveryResult.Duplicate => TypedResults.Ok(new SettledDelivery(outcome.Result, outcome.TaskId, outcome.RunId)),
            DeliveryResult.Refused or DeliveryResult.Failed => Problems.Unprocessable(outcome.Faults),
            _ => throw new UnreachableException($"A delivery came to {WireEnum<DeliveryResult>.NameOf(outcome.Result)}."),
        };
    }

    /// <summary>The whole body, byte by byte as it was signed; null where it is larger than that.</summary>
    private static async Task<byte[]?> ReadAsync(HttpRequest request, int largest, CancellationToken cancellationToken)
    {
        if (request.ContentLength > largest) return null;
        // What a stranger announces is not yet worth its memory.
        using var buffer = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, 64 * 1024));
        var part = new byte[16 * 1024];
        while (await request.Body.ReadAsync(part, cancellationToken) is var count and > 0)
        {
            if (buffer.Length + count > largest) return null;
            buffer.Write(part, 0, count);
        }

        return buffer.ToArray();
    }
}
