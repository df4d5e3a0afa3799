using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

public sealed class GrpcHealthTests
{
    [Theory]
    [InlineData(true, "", true)]
    [InlineData(true, GrpcServer.Service, true)]
    [InlineData(false, GrpcServer.Service, false)]
    [InlineData(true, "another.Service", false)]
    public async Task A_server_is_healthy_when_it_says_that_the_service_is_served(bool serving, string service, bool healthy)
    {
        await using var server = await GrpcServer.StartAsync(serving);
        Assert.Equal(healthy, await IsHealthyAsync(server.Port, service));
    }

    [Fact]
    public async Task Where_nothing_listens_nothing_is_healthy() => Assert.False(await IsHealthyAsync(Fixtures.Ports.Next()));

    [Fact]
    public async Task A_server_of_another_protocol_is_not_healthy()
    {
        await using var test = new TestApplication();
        var other = test.AddServer("other");
        await test.StartAsync();
        Assert.False(await IsHealthyAsync(other.GetEndpoint("http").Port));
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_not_waited_for()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var started = Stopwatch.GetTimestamp();

        Assert.False(await IsHealthyAsync(((IPEndPoint)silent.LocalEndpoint).Port));

        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_look_is_given_up_with_its_caller()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var caller = new CancellationTokenSource();
        using var probes = new HealthProbes();

        var look = probes.IsHealthyAsync(new GrpcHealthCheckAnnotation("", null), $"http://{silent.LocalEndpoint}", caller.Token);
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => look);
    }

    [Fact]
    public async Task A_resource_is_looked_at_until_its_server_serves()
    {
        await using var test = new TestApplication();
        var resource = test.Builder.AddExecutable("server", "sleep", test.DataFolder, "1000")
            .WithHttpEndpoint(Fixtures.Ports.Next(), name: "grpc")
            .WithGrpcHealthCheck(GrpcServer.Service, "grpc");
        test.AddServer("above").WaitFor(resource);

        var start = test.StartAsync();
        await Eventually.Async(() => test.Supervisor("server").Process is not null);
        // In place of what the process would do.
        await using var server = await GrpcServer.StartAsync(serving: false, resource.GetEndpoint("grpc").Port);
        Assert.Equal(ServiceState.Starting, test.Supervisor("server").State);
        Assert.False(test.Supervisor("above").Started.IsCompleted);
        server.Serve(true);

        await start;
        Assert.Equal(ServiceState.Healthy, test.Supervisor("server").State);
        Assert.Equal(ServiceState.Healthy, test.Supervisor("above").State);
    }

    private static async Task<bool> IsHealthyAsync(int port, string service = "")
    {
        using var probes = new HealthProbes();
        return await probes.IsHealthyAsync(new GrpcHealthCheckAnnotation(service, null), $"http://127.0.0.1:{port}", TestContext.Current.CancellationToken);
    }
}
