using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// <c>/alive</c>: does this process answer at all? <c>/health</c>: is it of use (its database there)? <c>/ready</c>: is everything there that it works with?
/// Answers <c>{ "status": "healthy", "checks": { "database": { "status": "healthy", "durationMs": 0.8 } } }</c>, 503 when not.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>Tag of the checks that count for <c>/health</c> too.</summary>
    public const string Live = "live";

    /// <summary>Longer than any healthy answer takes, shorter than any prober waits.</summary>
    public static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    // A path with a slash at its end matches the same route.
    public static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync }).AllowAnonymous().FinishThoughUnheard();
        app.MapHealthChecks("/health", new HealthCheckOptions { Predicate = check => check.Tags.Contains(Live), ResponseWriter = WriteAsync }).AllowAnonymous().FinishThoughUnheard();
        app.MapHealthChecks("/ready", new HealthCheckOptions { ResponseWriter = WriteAsync }).AllowAnonymous().FinishThoughUnheard();
    }

    /// <summary>A prober that gives up must not have what it asked about look unwell in the log. Each check has a time limit of its own.</summary>
    private static void FinishThoughUnheard(this IEndpointConventionBuilder endpoint) => endpoint.Add(builder =>
    {
        var inner = builder.RequestDelegate!;
        builder.RequestDelegate = context =>
        {
            context.RequestAborted = CancellationToken.None;
            return inner(context);
        };
    });

    private static async Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("status", NameOf(report.Status));
        writer.WriteStartObject("checks");
        foreach (var (name, entry) in report.Entries)
        {
            writer.WriteStartObject(name);
            writer.WriteString("status", NameOf(entry.Status));
            writer.WriteNumber("durationMs", Math.Round(entry.Duration.TotalMilliseconds, 2));
            if (entry.Description is not null) writer.WriteString("detail", entry.Description);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        await writer.FlushAsync(context.RequestAborted);
    }

    private static string NameOf(HealthStatus status) => status switch
    {
        HealthStatus.Healthy => "healthy",
        HealthStatus.Degraded => "degraded",
        _ => "unhealthy",
    };
}
