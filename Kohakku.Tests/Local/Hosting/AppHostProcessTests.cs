using System.Net;
using Kohakku.Local.Hosting.Processes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>What an operator does to the AppHost, and what must be left.</summary>
public sealed class AppHostProcessTests : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("kohakku-apphost-").FullName;

    public AppHostProcessTests() => File.SetUnixFileMode(data, (UnixFileMode)0b111_101_101);

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public async Task It_runs_everything_serves_commands_beside_and_leaves_nothing_at_Ctrl_C()
    {
        Requirement.Program("initdb");
        using var host = AppHostProcess.Start(data);
        var processes = await host.WhenHealthyAsync(data);
        Assert.Superset(new HashSet<string> { "postgres", "s3", "temporal", "controller", "dispatcher" }, processes.Keys.ToHashSet());
        await AssertReadyAsync("controller");
        await AssertReadyAsync("dispatcher");
        Assert.DoesNotContain("assword", await File.ReadAllTextAsync(Path.Combine(data, "endpoints.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        using (var login = AppHostProcess.Start(data, ["run", "controller", "login"]))
        {
            Assert.Equal(0, await login.EndAsync());
            Assert.Contains((await AppHostProcess.AddressAsync(data, "controller")).Authority, login.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("Nothing of", login.Output, StringComparison.Ordinal);
        }
        await Eventually.Async(() => host.Output.Contains("Ctrl-C stops everything", StringComparison.Ordinal));

        host.Signal(LibC.SigInt);

        Assert.Equal(0, await host.EndAsync());
        Assert.All(processes.Values, process => Assert.False(process.IsAlive));
        Assert.False(File.Exists(Path.Combine(data, "endpoints.json")));
        Assert.Empty(Directory.GetFiles(Path.Combine(data, "run")));
    }

    [Fact]
    public async Task Killed_it_leaves_its_services_no_long_life_and_the_next_start_finds_all_well()
    {
        Requirement.Program("initdb");
        Dictionary<string, ProcessIdentity> left;
        using (var host = AppHostProcess.Start(data))
        {
            left = await host.WhenHealthyAsync(data);
            host.Signal(LibC.SigKill);
            await host.EndAsync();
        }

        using var next = AppHostProcess.Start(data);
        await Eventually.Async(() => left.Values.All(process => !process.IsAlive), TimeSpan.FromMinutes(2));
        var processes = await next.WhenHealthyAsync(data);
        Assert.Empty(left.Values.Intersect(processes.Values));
        await AssertReadyAsync("controller");
    }

    [Fact]
    public async Task A_wrong_setting_stops_it_with_the_services_line()
    {
        Requirement.Program("initdb");
        using var host = AppHostProcess.Start(data, null, ("NUM_CONSUMERS", "three"));

        var exitCode = await host.EndAsync();

        Assert.True(exitCode == 1, $"{exitCode}: {host.Output}");

        Assert.Contains("NUM_CONSUMERS", host.Output, StringComparison.Ordinal);
        Assert.Contains("dispatcher refused its configuration", host.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("starting it again", host.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(data, "run")));
    }

    [Fact]
    public async Task A_command_starts_what_it_needs_where_nothing_runs_and_stops_it_after()
    {
        Requirement.Program("initdb");
        using var migrate = AppHostProcess.Start(data, ["run", "controller", "migrate"]);

        Assert.Equal(0, await migrate.EndAsync());

        Assert.Contains($"Nothing of {data} runs", migrate.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(data, "run")));
        Assert.False(File.Exists(Path.Combine(data, "endpoints.json")));
    }

    private async Task AssertReadyAsync(string resource)
    {
        using var client = new HttpClient { BaseAddress = await AppHostProcess.AddressAsync(data, resource) };
        using var answer = await client.GetAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
