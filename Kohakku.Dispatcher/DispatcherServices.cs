using Kohakku.Dispatcher.AgentApi;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Claiming;
using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Heartbeat;
using Kohakku.Dispatcher.Logs;
using Kohakku.Dispatcher.Registration;
using Kohakku.Dispatcher.Reporting;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Docker;
using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Kohakku.Dispatcher.Runtimes.Process;
using Kohakku.Dispatcher.Sockets;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher;

/// <summary>The dispatcher's features, in one place. Hosted services start in this order and stop in the opposite.</summary>
internal static class DispatcherServices
{
    public static WebApplicationBuilder AddDispatcher(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        var options = DispatcherOptions.Read(settings);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<AttemptSockets>(_ => new AttemptSockets(options.SocketFolder));
        builder.AddRuntime(settings, options);
        builder.AddData();
        builder.AddAttempts(options);
        builder.AddController(options);
        builder.AddAgentApi();
        // Kestrel takes both kinds of address; what is configured for TCP stays.
        var tcp = builder.Configuration["urls"] ?? $"http://127.0.0.1:{options.Url.Port}";
        builder.WebHost.UseUrls(tcp.Split(';').Append($"http://unix:{new AttemptSockets(options.SocketFolder).ListeningPath}").ToArray());
        return builder;
    }

    private static void AddRuntime(this WebApplicationBuilder builder, SettingsReader settings, DispatcherOptions dispatcher)
    {
        var options = RuntimeOptions.Read(settings, dispatcher, builder.Environment.IsDevelopment());
        builder.Services.AddSingleton(options);
        switch (options.Backend)
        {
            case RuntimeBackend.Process:
                builder.Services.AddSingleton<IAgentRuntime, ProcessRuntime>();
                break;
            case RuntimeBackend.Worker:
                builder.Services.AddKubernetesRuntime();
                break;
            default:
                builder.Services.AddDockerRuntime();
                break;
        }
    }

    private static void AddData(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<InstanceLock>();
        builder.Services.AddSingleton<DispatcherDatabase>();
        builder.Services.AddSingleton<IDispatcherIdentity>(services => services.GetRequiredService<DispatcherDatabase>());
        builder.Services.AddSingleton<Journal>();
        builder.Services.AddSingleton<StoredAttempts>();
        builder.Services.AddSingleton<SecretSeal>();
        builder.Services.AddHostedService<Startup>();
    }

    private static void AddAttempts(this WebApplicationBuilder builder, DispatcherOptions options)
    {
        builder.Services.AddSingleton<AttemptTable>();
        builder.Services.AddSingleton<AttemptLogs>();
        builder.Services.AddSingleton<AttemptRunner>();
        builder.Services.AddSingleton<AttemptCleanup>();
        builder.Services.AddSingleton<AttemptSupervisor>();
        builder.Services.AddSingleton(new AgentSlots(options.Slots));
        builder.Services.AddSingleton<DispatcherMetrics>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AttemptSupervisor>());
    }

    private static void AddController(this WebApplicationBuilder builder, DispatcherOptions options)
    {
        builder.Services.AddSingleton(services => new ControllerClient(options.ControllerUrl, services.GetRequiredService<SigningHandler>));
        builder.Services.AddSingleton<DispatcherSession>();
        builder.Services.AddSingleton<DrainState>();
        builder.Services.AddSingleton<Outbox>();
        builder.Services.AddSingleton<OrderIntake>();
        builder.Services.AddHostedService<Reporter>();
        builder.Services.AddHostedService<HeartbeatLoop>();
        builder.Services.AddHostedService<Adoption>();
        builder.Services.AddHostedService<ClaimLoop>();
        builder.Services.AddHostedService<Shutdown>();
    }

    private static void AddAgentApi(this WebApplicationBuilder builder)
    {
        builder.Services.AddHttpClient<StorageClient>();
        builder.Services.AddSingleton<SkillCache>();
        builder.Services.AddSingleton<ArtifactStore>();
    }
}
