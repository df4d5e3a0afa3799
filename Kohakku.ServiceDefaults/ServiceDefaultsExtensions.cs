using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Kohakku.ServiceDefaults;

/// <summary>What every service is built on; the data clients and the signing are added beside it, by need.</summary>
public static class ServiceDefaultsExtensions
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, string serviceName)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.AddLogDefaults();
        builder.AddTelemetry(serviceName);
        builder.AddProblemAnswers();
        builder.AddServerDefaults();
        builder.AddHttpClientDefaults();
        builder.Services.AddHealthChecks();
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = ShutdownTimeout);
        return builder;
    }

    /// <summary>Stops the start where a setting is wrong; else problem answers, <c>/health</c>, <c>/ready</c> and <c>/metrics</c>.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">Settings are wrong; it carries every fault.</exception>
    public static WebApplication UseServiceDefaults(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.Services.GetService<SettingsReader>()?.ThrowIfAny();
        app.UseProblemAnswers();
        app.MapHealth();
        app.MapMetrics();
        return app;
    }
}
