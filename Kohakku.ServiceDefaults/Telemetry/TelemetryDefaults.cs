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
        var name = settings.Text("OTEL_SERVICE_NAME", serviceName, "The service's name in telemetry.");
        var endpoint = settings.OptionalUrl(OtlpEndpoint, "http://localhost:4317", "Where traces, metrics and logs go by OTLP; `/metrics` is there always.");
        settings.Declare(new Setting("OTEL_EXPORTER_OTLP_PROTOCOL", "`grpc` or `http/protobuf`", "`grpc`", "How OTLP is spoken. Read by OpenTelemetry, as its other `OTEL_…` variables are."));
        settings.Declare(new Setting("OTEL_RESOURCE_ATTRIBUTES", "pairs like `service.instance.id=a,zone=b`", null, "What telemetry says of this process besides. Read by OpenTelemetry."));
        var version = Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3) ?? "0.0.0";
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(name, serviceNamespace: "kohakku", serviceVersion: version))
            .WithMetrics(metrics => metrics
                .AddMeter("Kohakku.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "Npgsql")
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter());
        if (endpoint is null) return;

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
        telemetry.UseOtlpExporter();
    }

    public static void MapMetrics(this WebApplication app) => app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous();

    /// <summary>Probes and scrapes would drown what people look for.</summary>
    private static bool IsWork(HttpContext context) =>
        !(context.Request.Path.StartsWithSegments("/alive") || context.Request.Path.StartsWithSegments("/health") || context.Request.Path.StartsWithSegments("/ready")
            || context.Request.Path.StartsWithSegments("/metrics"));
}
