using System.Net;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>A gRPC server of HTTP/2 without TLS, as Temporal's, that says of its health what the test wants.</summary>
internal sealed class GrpcServer : IAsyncDisposable
{
    public const string Service = "temporal.api.workflowservice.v1.WorkflowService";
    private readonly WebApplication application;
    private readonly HealthServiceImpl health;

    private GrpcServer(WebApplication application, HealthServiceImpl health)
    {
        this.application = application;
        this.health = health;
    }

    public int Port => new Uri(application.Urls.Single()).Port;

    /// <param name="port">0 for any.</param>
    public static async Task<GrpcServer> StartAsync(bool serving, int port = 0)
    {
        var health = new HealthServiceImpl();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(health);
        var application = builder.Build();
        application.MapGrpcService<HealthServiceImpl>();
        var server = new GrpcServer(application, health);
        server.Serve(serving);
        await application.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    public void Serve(bool serving)
    {
        var status = serving ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;
        health.SetStatus("", status);
        health.SetStatus(Service, status);
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
