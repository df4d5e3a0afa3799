using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Aspire.Hosting;
using Kohakku.Local.Hosting.Engine;

namespace Kohakku.Tests.Local.Hosting;

public sealed class PortTests
{
    [Fact]
    public async Task A_taken_port_moves_to_the_next_free_one_and_the_address_is_written_down()
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var test = new TestApplication();
        var server = test.AddServer("server", port: port);

        await test.StartAsync();

        Assert.True(server.GetEndpoint("http").Port > port);
        var endpoints = JsonDocument.Parse(await File.ReadAllTextAsync(test.PathOf("endpoints.json"), TestContext.Current.CancellationToken));
        Assert.Equal($"http://127.0.0.1:{server.GetEndpoint("http").Port}", endpoints.RootElement.GetProperty("server").GetString());
        Assert.Contains($"({port} is taken)", Summary.Rows(test.Builder.Resources, test.App!.Supervisors).Single().Address, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_applications_run_side_by_side_with_the_same_wishes()
    {
        using var free = new Ports();
        var port = free.Take(null);
        free.Dispose();
        await using var one = new TestApplication();
        await using var other = new TestApplication();
        var first = one.AddServer("server", "sleep 0.2", port);
        var second = other.AddServer("server", "sleep 0.2", port);

        await Task.WhenAll(one.StartAsync(), other.StartAsync());

        Assert.NotEqual(first.GetEndpoint("http").Port, second.GetEndpoint("http").Port);
    }

    [Fact]
    public void A_port_is_kept_from_others_before_its_server_listens()
    {
        using var mine = new Ports();
        using var theirs = new Ports();
        var port = mine.Take(null);
        Assert.NotEqual(port, theirs.Take(port));
    }
}
