using Kohakku.Contracts;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Webhooks;

internal static class WebhookEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var webhooks = endpoints.MapGroup("/webhooks").WithTags("Webhooks");
        webhooks.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListWebhooks");
        webhooks.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetWebhook");
        webhooks.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutWebhook");
        webhooks.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteWebhook");
        webhooks.MapPost("/{name}/rotate-secret", RotateAsync).RequireAuthorization(Policies.Operator).WithName("RotateWebhookSecret");
        webhooks.MapPost("/{name}/ping", PingAsync).RequireAuthorization(Policies.Operator).WithName("PingWebhook");
        webhooks.MapGet("/{name}/deliveries", DeliveriesAsync).RequireAuthorization(Policies.Viewer).WithName("ListDeliveries");
        webhooks.MapGet("/{name}/deliveries/{id:guid}", DeliveryAsync).RequireAuthorization(Policies.Viewer).WithName("GetDelivery");
        webhooks.MapPost("/{name}/deliveries/{id:guid}/replay", ReplayAsync).RequireAuthorization(Policies.Operator).WithName("ReplayDelivery");
    }

    private static async Task<Results<Ok<Page<WebhookView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, WebhookQueries queries, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        return TypedResults.Ok(page.Of(await queries.ListAsync(caller.ProjectId, page.After, page.Limit + 1, cancellationToken), view => view, view => view.Name));
    }

    private static async Task<Results<Ok<WebhookView>, ProblemHttpResult>> FindAsync(string name, Caller caller, WebhookQueries queries, CancellationToken cancellationToken) =>
        await queries.FindAsync(caller.ProjectId, name, cancellationToken) is { } webhook ? TypedResults.Ok(webhook) : NotFound(name);

    private static async Task<Results<Created<WebhookView>, Ok<WebhookView>, ProblemHttpResult>> PutAsync(
        string name, PutWebhook webhook, Caller caller, WebhookRegistry registry, WebhookQueries queries, WebhookOptions options, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        WebhookRules.Check(name, webhook, options, faults);
        if (faults.Any) return Problems.Unprocessable(faults);
        var secret = await registry.PutAsync(caller.ProjectId, name, webhook, cancellationToken);
        if (await queries.FindAsync(caller.ProjectId, name, cancellationToken) is not { } view) return NotFound(name);
        return secret is not null ? TypedResults.Created($"/api/v1/webhooks/{name}", view with { Secret = secret }) : TypedResults.Ok(view);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string name, Caller caller, WebhookRegistry registry, CancellationToken cancellationToken) =>
        await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) ? TypedResults.NoContent() : NotFound(name);

    /// <summary>Another secret, shown once; for a day deliveries carry the signatures of both.</summary>
    private static async Task<Results<Ok<WebhookView>, ProblemHttpResult>> RotateAsync(
        string name, Caller caller, WebhookRegistry registry, WebhookQueries queries, CancellationToken cancellationToken) =>
        await registry.RotateAsync(caller.ProjectId, name, cancellationToken) is { } secret && await queries.FindAsync(caller.ProjectId, name, cancellationToken) is { } view
            ? TypedResults.Ok(view with { Secret = secret })
            : NotFound(name);

    /// <summary>Sends an event of the type <c>webhook.ping</c>.</summary>
    private static async Task<Results<Accepted<DeliveryView>, ProblemHttpResult>> PingAsync(
        string name, Caller caller, WebhookReplays replays, WebhookQueries queries, CancellationToken cancellationToken) =>
        await replays.PingAsync(caller.ProjectId, name, caller.Name, cancellationToken) is { } id ? await AcceptedAsync(name, id, caller, queries, cancellationToken) : NotFound(name);

    private static async Task<Results<Ok<Page<DeliveryView>>, ProblemHttpResult>> DeliveriesAsync(
        string name, HttpRequest request, Caller caller, WebhookQueries queries, CancellationToken cancellationToken)
    {
        if (!IdPage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var deliveries = await queries.DeliveriesAsync(caller.ProjectId, name, page.Before, page.Limit + 1, cancellationToken);
        if (deliveries.Count == 0 && await queries.FindAsync(caller.ProjectId, name, cancellationToken) is null) return NotFound(name);
        return TypedResults.Ok(page.Of(deliveries, delivery => delivery.Id));
    }

    private static async Task<Results<Ok<DeliveryView>, ProblemHttpResult>> DeliveryAsync(
        string name, Guid id, Caller caller, WebhookQueries queries, CancellationToken cancellationToken) =>
        await queries.DeliveryAsync(caller.ProjectId, name, id, cancellationToken) is { } delivery ? TypedResults.Ok(delivery) : NoDelivery(name, id);

    private static async Task<Results<Accepted<DeliveryView>, ProblemHttpResult>> ReplayAsync(
        string name, Guid id, Caller caller, WebhookReplays replays, WebhookQueries queries, CancellationToken cancellationToken) =>
        await replays.ReplayAsync(caller.ProjectId, name, id, cancellationToken) ? await AcceptedAsync(name, id, caller, queries, cancellationToken) : NoDelivery(name, id);

    private static async Task<Results<Accepted<DeliveryView>, ProblemHttpResult>> AcceptedAsync(
        string name, Guid id, Caller caller, WebhookQueries queries, CancellationToken cancellationToken) =>
        await queries.DeliveryAsync(caller.ProjectId, name, id, cancellationToken) is { } delivery
            ? TypedResults.Accepted($"/api/v1/webhooks/{name}/deliveries/{id}", delivery)
            : NoDelivery(name, id);

    private static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no webhook '{name}' in this project.");

    private static ProblemHttpResult NoDelivery(string name, Guid id) => Problems.NotFound($"There is no delivery {id} of a webhook '{name}' in this project.");
}
