using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http.Resilience;

namespace Kohakku.ServiceDefaults;

public static class HttpClientDefaults
{
    /// <summary>
    /// For long polls and endless streams: no retry, no timeout, no circuit breaker; whoever polls decides what a failure
    /// means. Call it before adding handlers of your own.
    /// </summary>
    public static IHttpClientBuilder ForLongPolls(this IHttpClientBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
#pragma warning disable EXTEXP0001 // Marked experimental, yet the only way out of a default handler.
        builder.RemoveAllResilienceHandlers();
#pragma warning restore EXTEXP0001
        return builder.ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan);
    }

    internal static void AddHttpClientDefaults(this WebApplicationBuilder builder)
    {
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            http.RemoveAllLoggers();
            // A POST may have done its work although its answer was lost: only its caller knows whether it may be sent again.
            http.AddStandardResilienceHandler(options => options.Retry.DisableForUnsafeHttpMethods());
            http.AddServiceDiscovery();
        });
    }
}
