using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Interpreter;
using Temporalio.Client;
using Temporalio.Worker;

namespace Kohakku.Workflows.Connection;

public static class TemporalFeature
{
    /// <summary>The client of <c>TEMPORAL_…</c>, which connects when it is first used, so that a process starts without Temporal.</summary>
    public static WebApplicationBuilder AddTemporal(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = TemporalOptions.Read(builder.Settings());
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<ITemporalClient>(services =>
        {
            var connect = options.ToConnectOptions();
            connect.LoggerFactory = services.GetRequiredService<ILoggerFactory>();
            return TemporalClient.CreateLazy(connect);
        });
        return builder;
    }

    /// <summary>The worker of runs, and its way to the controller at <c>CONTROLLER_URL</c>.</summary>
    internal static WebApplicationBuilder AddRunWorker(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        var controller = settings.Url("CONTROLLER_URL", "http://localhost:8000", "The controller that runs are read from and reported to.");
        var allowPrivate = settings.Flag("WEBHOOKS_ALLOW_PRIVATE", false, "Lets webhook steps of workflows reach loopback, private and link-local addresses.");
        builder.Services.AddSingleton(services => new EngineClient(Http(controller, services.GetRequiredService<SigningHandler>())));
        builder.Services.AddSingleton<RunDocuments>().AddSingleton(_ => new WebhookSender(allowPrivate));
        builder.Services.AddSingleton(services => new RunActivities(
            services.GetRequiredService<EngineClient>(), services.GetRequiredService<RunDocuments>(), services.GetRequiredService<WebhookSender>(),
            services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHealthChecks().AddCheck<TemporalHealthCheck>("temporal", tags: ["ready"]);
        builder.Services.AddHostedService(services => new RunWorker(
            services.GetRequiredService<ITemporalClient>(), WorkerOptions(services), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RunWorker>>()));
        return builder;
    }

    private static TemporalWorkerOptions WorkerOptions(IServiceProvider services)
    {
        var options = new TemporalWorkerOptions(services.GetRequiredService<TemporalOptions>().TaskQueue)
        {
            LoggerFactory = services.GetRequiredService<ILoggerFactory>(),
            // What runs when the process is told to stop is given this long; what does not end is done by another worker.
            GracefulShutdownTimeout = TimeSpan.FromSeconds(10),
            MaxConcurrentActivities = 32,
        };
        return options.AddWorkflow<RunWorkflow>().AddAllActivities(services.GetRequiredService<RunActivities>());
    }

    private static HttpClient Http(Uri controller, SigningHandler signing)
    {
        signing.InnerHandler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        // Below the activity's own limit, so that a call that hangs is told from a worker that died.
        return new HttpClient(signing) { BaseAddress = controller, Timeout = TimeSpan.FromSeconds(20) };
    }
}
