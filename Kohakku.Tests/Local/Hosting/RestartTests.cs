using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Processes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

public sealed class RestartTests
{
    [Fact]
    public async Task A_killed_service_is_started_again_on_its_port()
    {
        await using var test = new TestApplication();
        var server = test.AddServer("server");
        var app = await test.StartAsync();
        var killed = Assert.NotNull(app.ProcessOf("server"));

        killed.Signal(LibC.SigKill);

        await Eventually.Async(() => test.Supervisor("server") is { Restarts: 1, State: ServiceState.Healthy });
        Assert.NotEqual(killed, app.ProcessOf("server"));
        using var client = app.CreateHttpClient("server");
        Assert.Equal("here", await client.GetStringAsync("/", TestContext.Current.CancellationToken));
        Assert.Contains("ended with 137; starting it again", test.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_crashes_at_first_is_tried_again_until_it_runs()
    {
        await using var test = new TestApplication();
        test.AddServer("server", "echo x >> tries; [ $(wc -l < tries) -ge 4 ] || exit 1");

        await test.StartAsync();

        Assert.Equal(3, test.Supervisor("server").Restarts);
    }

    [Fact]
    public async Task What_keeps_a_service_that_ran_from_starting_again_may_pass_and_is_waited_for()
    {
        Requirement.Program("busybox");
        await using var test = new TestApplication();
        var home = Directory.CreateDirectory(test.PathOf("home")).FullName;
        await File.WriteAllTextAsync(Path.Combine(home, "index.html"), "here", TestContext.Current.CancellationToken);
        test.Builder.AddExecutable("server", "sh", home, "-c", "exec busybox httpd -f -p 127.0.0.1:$PORT -h .").WithHttpEndpoint(env: "PORT").WithHttpHealthCheck("/");
        var app = await test.StartAsync();
        Directory.Move(home, test.PathOf("away"));

        Assert.NotNull(app.ProcessOf("server")).Signal(LibC.SigKill);

        await Eventually.Async(() => test.Output.Contains("could not be started", StringComparison.Ordinal));
        Directory.Move(test.PathOf("away"), home);
        await Eventually.Async(() => test.Supervisor("server").State == ServiceState.Healthy);
        using var client = app.CreateHttpClient("server");
        Assert.Equal("here", await client.GetStringAsync("/", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_refused_configuration_is_not_tried_again_and_stops_the_start_with_the_services_own_line()
    {
        await using var test = new TestApplication();
        test.AddServer("server", "echo x >> tries; echo 'NUM_CONSUMERS is three; it takes 1 to 1000.' >&2; exit 78");
        test.AddServer("other");

        var fault = await Assert.ThrowsAsync<WrongConfigurationException>(test.StartAsync);

        Assert.Equal(["NUM_CONSUMERS is three; it takes 1 to 1000."], fault.Lines);
        await test.StopAsync();
        Assert.Single(await File.ReadAllLinesAsync(test.PathOf("tries"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void The_wait_before_a_restart_grows_and_begins_anew_after_a_good_while()
    {
        var backoff = new Backoff();
        var delays = Enumerable.Range(0, 12).Select(_ => backoff.Next(TimeSpan.FromSeconds(1))).ToList();

        Assert.Equal(TimeSpan.FromMilliseconds(100), delays[0]);
        Assert.Equal(TimeSpan.FromMilliseconds(400), delays[2]);
        Assert.Equal(TimeSpan.FromSeconds(20), delays[^1]);
        Assert.Equal(TimeSpan.FromMilliseconds(100), backoff.Next(TimeSpan.FromMinutes(1)));
    }
}
