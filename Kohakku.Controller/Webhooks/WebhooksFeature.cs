using Kohakku.Controller.Webhooks.Sending;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Webhooks;

/// <summary>Outgoing webhooks: what people say of them is here, and where things happen their deliveries are written; the scheduler's process sends them.</summary>
internal static class WebhooksFeature
{
    public static WebApplicationBuilder AddWebhooks(this WebApplicationBuilder builder)
    {
        builder.AddWebhookParts();
        builder.Services.AddSingleton<WebhookRegistry>().AddSingleton<WebhookQueries>().AddSingleton<WebhookReplays>();
        return builder;
    }

    /// <summary>What sends them.</summary>
    public static WebApplicationBuilder AddWebhookSending(this WebApplicationBuilder builder)
    {
        builder.AddWebhookParts();
        builder.Services.AddSingleton<WebhookMetrics>().AddSingleton<DeliveryAttempts>().AddSingleton<WebhookSending>();
        return builder;
    }

    public static void MapWebhooks(this IEndpointRouteBuilder endpoints) => WebhookEndpoints.Map(endpoints);

    private static void AddWebhookParts(this WebApplicationBuilder builder)
    {
        var options = WebhookOptions.Read(builder.Settings());
        builder.Services.AddSingleton(options).AddSingleton<WebhookSecrets>();
    }
}
