using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Metrics always, for <c>/metrics</c>. Traces and logs only where an OTLP endpoint is set: without a listener the
/// runtime makes no spans, yet hands <c>traceparent</c> on, so that nothing on the hot path pays for telemetry nobody reads.
/// </summary>
internal static class TelemetryDefaults
{
    private const string OtlpEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetry(this WebApplicationBuilder builder, string serviceName)
    {
        var settings = builder.Settings();
        var name = settings.Text("OTEL_SERVICE_NAME", serviceName);
        var version = Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3) ?? "0.0.0";
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(name, serviceNamespace: "kohakku", serviceVersion: version))
            .WithMetrics(metrics => metrics
                .AddMeter("Kohakku.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Npgsql")
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter());
        if (settings.Text(OtlpEndpoint) is null) return;

        settings.Url(OtlpEndpoint, "http://localhost:4317");
        telemetry
            .WithTracing(traces => traces
                .AddSource("Kohakku.*")
                .AddAspNetCoreInstrumentation(options => options.Filter = IsWork)
                .AddHttpClientInstrumentation()
                .AddNpgsql())
            .WithLogging(null, options =>
            {
                options.IncludeFormattedMessage = true;
                options.IncludeScopes = true;
            });
        if (settings.Faults.Count == 0) telemetry.UseOtlpExporter();
    }

    public static void MapMetrics(this WebApplication app) => app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous();

    /// <summary>Probes and scrapes would drown what people look for.</summary>
    private static bool IsWork(HttpContext context) =>
        !(context.Request.Path.StartsWithSegments("/health") || context.Request.Path.StartsWithSegments("/ready")
            || context.Request.Path.StartsWithSegments("/metrics"));
}
