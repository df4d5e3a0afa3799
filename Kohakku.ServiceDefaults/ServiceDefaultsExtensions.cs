using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Kohakku.ServiceDefaults;

/// <summary>What every service is built on; the data clients and the signing are added beside it, by need.</summary>
public static class ServiceDefaultsExtensions
{
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <param name="listensAt">Where it listens when nobody says, for the reference.</param>
    public static WebApplicationBuilder AddServiceDefaults(this WebApplicationBuilder builder, string serviceName, string listensAt = "`http://localhost:5000`")
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.DeclareFrameworkSettings(listensAt);
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

    /// <summary>What ASP.NET Core itself reads, as far as operators want it.</summary>
    private static void DeclareFrameworkSettings(this WebApplicationBuilder builder, string listensAt)
    {
        var settings = builder.Settings();
        settings.Declare(new Setting("ASPNETCORE_ENVIRONMENT", "`Production` or `Development`", "`Production`", "`Development` takes known keys and missing passwords, which are refused otherwise. Read by ASP.NET Core."));
        settings.Declare(new Setting(
            "ASPNETCORE_URLS", "addresses separated by semicolons, like `http://0.0.0.0:8000`", listensAt, "Where the service listens; the command `health` asks there. Read by ASP.NET Core."));
        settings.Declare(new Setting("ASPNETCORE_HTTP_PORTS", "ports separated by semicolons", null, "The same as ports of all addresses, where `ASPNETCORE_URLS` is not set; .NET's images set it to 8080. Read by ASP.NET Core."));
        settings.Declare(new Setting(
            "Logging__LogLevel__Default", "`Trace`, `Debug`, `Information`, `Warning`, `Error`, `Critical` or `None`", "`Information`",
            "From which level on lines are logged; `Logging__LogLevel__<category>` says it of a category. Read by .NET."));
    }

    /// <summary>Stops the start where a setting is wrong; else problem answers, <c>/alive</c>, <c>/health</c>, <c>/ready</c> and <c>/metrics</c>.</summary>
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
