using System.CommandLine;
using Grpc.AspNetCore.Server.Model;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Histories;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Rpc;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Timers;
using Kohakku.Local.Temporal.Visibility;
using Kohakku.Local.Temporal.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.Local.Temporal;

/// <param name="Urls">Where to listen, separated by semicolons; port 0 takes a free one. HTTP/2 without TLS.</param>
/// <param name="Namespaces">Made if they are missing.</param>
/// <param name="Database">Connection string of a Postgres database of its own.</param>
/// <param name="Retention">How long a closed run is kept.</param>
internal sealed record TemporalServerOptions(string Urls, IReadOnlyList<string> Namespaces, string Database, TimeSpan Retention);

/// <summary>
/// A Temporal server for one machine: what a cluster is to a company, for whoever has none. It speaks the protocol of
/// <c>temporal.api.workflowservice.v1</c>, so that any SDK's clients and workers work with it, and keeps all in Postgres.
/// </summary>
internal static class TemporalServer
{
    public const string DatabaseVariable = "TEMPORAL_DATABASE";
    private const int DefaultRetentionDays = 7;
    private const int LargestMessage = 64 * 1024 * 1024;

    /// <summary>The command <c>temporal</c>; the connection string comes from the environment, where other processes can't see it.</summary>
    public static Command Command()
    {
        var urls = new Option<string>("--urls") { Description = "Where to listen (HTTP/2 without TLS).", DefaultValueFactory = _ => "http://127.0.0.1:7233" };
        var namespaces = new Option<string[]>("--namespace") { Description = "A namespace to make if it is missing; may be repeated.", DefaultValueFactory = _ => ["default"] };
        var retention = new Option<int>("--retention-days") { Description = "How many days closed workflows are kept (1 to 36500).", DefaultValueFactory = _ => DefaultRetentionDays };
        retention.Validators.Add(result =>
        {
            if (result.GetValue(retention) is < 1 or > 36500) result.AddError("--retention-days must be between 1 and 36500.");
        });
        var command = new Command("temporal", $"Serves workflows by Temporal's protocol. Database: {DatabaseVariable}, a Postgres connection string.") { urls, namespaces, retention };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            parsed.GetValue(urls)!, parsed.GetValue(namespaces)!, TimeSpan.FromDays(parsed.GetValue(retention)), cancellationToken));
        return command;
    }

    public static WebApplication Build(TemporalServerOptions options, TimeProvider? time = null)
    {
        var builder = ServerBuilder.Create();
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A worker holds many polls on one connection.
            kestrel.Limits.Http2.MaxStreamsPerConnection = 10_000;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 8 * 1024 * 1024;
            kestrel.Limits.Http2.InitialStreamWindowSize = 4 * 1024 * 1024;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Grpc", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        // Polls wait for a minute: a stop ends them rather than waits for them.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddStorage(options.Database);
        builder.Services.Configure<RetentionOptions>(retention => retention.Retention = options.Retention);
        builder.Services.AddVisibility();
        builder.Services.AddRuns();
        builder.Services.AddCalls();
        var app = builder.Build();
        app.MapGrpcService<WorkflowService>();
        app.MapGrpcService<OperatorService>();
        app.MapGrpcService<HealthServiceImpl>();
        return app;
    }

    private static void AddRuns(this IServiceCollection services)
    {
        services.AddSingleton<TaskQueues>();
        services.AddSingleton<TimerQueue>();
        services.AddSingleton<RunHost>();
        services.AddSingleton<RunLookup>();
        services.AddSingleton<Starter>();
        services.AddSingleton<EffectRunner>();
        services.AddSingleton<TaskCompletion>();
        services.AddSingleton<HistoryReads>();
        services.AddHostedService<Recovery>();
        services.AddHostedService(provider => provider.GetRequiredService<TimerQueue>());
        services.AddHostedService(provider => provider.GetRequiredService<EffectRunner>());
    }

    private static void AddCalls(this IServiceCollection services)
    {
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = LargestMessage;
            grpc.MaxSendMessageSize = LargestMessage;
            grpc.Interceptors.Add<RpcGuard>();
        });
        services.AddSingleton<RpcGuard>();
        services.AddSingleton<NamespaceCheck>();
        services.AddSingleton<NamespaceCalls>();
        services.AddSingleton<StartCalls>();
        services.AddSingleton<ExternalCalls>();
        services.AddSingleton<QueryCalls>();
        services.AddSingleton<UpdateCalls>();
        services.AddSingleton<DescribeCalls>();
        services.AddSingleton<ListCalls>();
        services.AddSingleton<WorkflowWorkerCalls>();
        services.AddSingleton<ActivityWorkerCalls>();
        services.AddSingleton<ActivityOperatorCalls>();
        services.AddSingleton<WorkflowService>();
        services.AddSingleton<OperatorService>();
        services.AddSingleton<IServiceMethodProvider<WorkflowService>, GrpcServiceMethods<WorkflowService>>();
        services.AddSingleton<IServiceMethodProvider<OperatorService>, GrpcServiceMethods<OperatorService>>();
        var health = new HealthServiceImpl();
        health.SetStatus("", HealthCheckResponse.Types.ServingStatus.Serving);
        health.SetStatus("temporal.api.workflowservice.v1.WorkflowService", HealthCheckResponse.Types.ServingStatus.Serving);
        health.SetStatus("temporal.api.operatorservice.v1.OperatorService", HealthCheckResponse.Types.ServingStatus.Serving);
        services.AddSingleton(health);
    }

    private static async Task<int> RunAsync(string urls, string[] namespaces, TimeSpan retention, CancellationToken cancellationToken)
    {
        var database = Environment.GetEnvironmentVariable(DatabaseVariable);
        if (string.IsNullOrEmpty(database))
        {
            await Console.Error.WriteLineAsync($"kohakku-local temporal: {DatabaseVariable} must be set to the connection string of a Postgres database.");
            return 78;
        }
        await using var app = Build(new TemporalServerOptions(urls, namespaces, database, retention));
        var store = app.Services.GetRequiredService<RunStore>();
        try
        {
            await HostingAbstractionsHostExtensions.RunAsync(app, cancellationToken);
            return store.Superseded.IsCompleted ? 1 : 0;
        }
        catch (Exception fault) when (fault is IOException or StorageException)
        {
            // Most often the port is taken, or another server owns the database.
            await Console.Error.WriteLineAsync($"kohakku-local temporal: {fault.Message}");
            return 1;
        }
    }
}
