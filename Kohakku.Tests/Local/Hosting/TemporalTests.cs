using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.AppHost;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>Which Temporal server the AppHost runs: none, the machine's, or that of Kohakku.Local.</summary>
public sealed class TemporalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-temporal-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task With_an_address_of_the_operator_none_is_run_and_services_get_it()
    {
        AddProgram();
        var builder = Create(("TEMPORAL_ADDRESS", "temporal.example:7233"), ("TEMPORAL_NAMESPACE", "mine"), ("TEMPORAL_TLS", "true"));
        var service = AddTemporal(builder);

        Assert.DoesNotContain(builder.Resources, resource => resource.Name.StartsWith("temporal", StringComparison.Ordinal));
        var environment = await EnvironmentAsync(builder, service.WithOperatorSettings());
        Assert.Equal("temporal.example:7233", environment["TEMPORAL_ADDRESS"]);
        Assert.Equal("mine", environment["TEMPORAL_NAMESPACE"]);
        Assert.Equal("true", environment["TEMPORAL_TLS"]);
    }

    [Fact]
    public async Task A_program_of_the_machine_is_preferred_and_keeps_its_state_in_the_data_folder()
    {
        var program = AddProgram();
        var builder = Create();
        var service = AddTemporal(builder);

        var environment = await EnvironmentAsync(builder, service);
        var launch = await LaunchAsync(builder);

        Assert.Equal(program, launch.Program);
        string[] expected =
        [
            "server", "start-dev", "--ip", "127.0.0.1", "--port", "7233", "--ui-port", "8088",
            "--db-filename", Path.Combine(folder, "temporal", "temporal.db"), "--namespace", "default",
        ];
        Assert.Equal(expected, launch.Arguments);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.Combine(folder, "temporal")));
        Assert.DoesNotContain(builder.Resources, resource => resource.Name == "temporal-database");
        Assert.Equal("127.0.0.1:7233", environment["TEMPORAL_ADDRESS"]);
        Assert.Equal("default", environment["TEMPORAL_NAMESPACE"]);
    }

    [Fact]
    public async Task Without_one_it_is_the_local_server_on_a_database_of_its_own()
    {
        var builder = Create(("TEMPORAL_NAMESPACE", "mine"));
        var service = AddTemporal(builder);

        var environment = await EnvironmentAsync(builder, service);
        var launch = await LaunchAsync(builder);

        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "kohakku-local"), launch.Program);
        Assert.Equal(["temporal", "--urls", "http://127.0.0.1:7233", "--namespace", "mine"], launch.Arguments);
        Assert.Matches("^Host=127.0.0.1;Port=5432;Username=postgres;Password=.+;Database=temporal$", launch.Environment["TEMPORAL_DATABASE"]);
        Assert.Equal("127.0.0.1:7233", environment["TEMPORAL_ADDRESS"]);
        Assert.Equal("mine", environment["TEMPORAL_NAMESPACE"]);
        var graph = new ResourceGraph(builder.Resources);
        Assert.Equal(["postgres"], graph.NeededBy(Find(builder, "temporal")).Select(needed => needed.Name));
        Assert.Equal(["temporal"], graph.NeededBy(service.Resource).Select(needed => needed.Name));
    }

    [Fact]
    public async Task The_program_is_run_with_the_ports_that_were_free_and_is_healthy_once_its_frontend_serves()
    {
        var recorded = Path.Combine(folder, "arguments");
        AddProgram($"echo \"$@\" > {recorded}; exec /bin/sleep 1000");
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var builder = Create();
        builder.AddTemporal("temporal", Fixtures.Ports.Next(), builder.AddPostgres("unused"));
        builder.Resources.Remove(Find(builder, "unused"));
        await using var app = builder.Build();

        var start = app.StartAsync(patience.Token);
        await Fixtures.Eventually.Async(() => File.Exists(recorded) && File.ReadAllText(recorded).EndsWith('\n'));
        var arguments = (await File.ReadAllTextAsync(recorded, patience.Token)).Trim().Split(' ');
        var port = app.GetEndpoint("temporal", "grpc").Port;
        Assert.Equal($"{port}", arguments[Array.IndexOf(arguments, "--port") + 1]);
        Assert.Equal($"{app.GetEndpoint("temporal", "ui").Port}", arguments[Array.IndexOf(arguments, "--ui-port") + 1]);
        Assert.False(start.IsCompleted);
        // In place of what the script would do.
        await using var server = await GrpcServer.StartAsync(serving: true, port);

        await start;
        var endpoints = await File.ReadAllTextAsync(Path.Combine(folder, "endpoints.json"), patience.Token);
        Assert.Contains($"\"temporal\": \"http://127.0.0.1:{port}\"", endpoints, StringComparison.Ordinal);
        var (_, state, address) = Assert.Single(Summary.Rows(builder.Resources, app.Supervisors));
        Assert.Equal("healthy", state);
        Assert.StartsWith($"http://127.0.0.1:{port} http://127.0.0.1:", address, StringComparison.Ordinal);
    }

    private string Programs => Path.Combine(folder, "programs");

    private string AddProgram(string script = "exit 1")
    {
        Directory.CreateDirectory(Programs);
        var path = Path.Combine(Programs, "temporal");
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>On a machine whose PATH knows only what <see cref="AddProgram"/> has put there.</summary>
    private IDistributedApplicationBuilder Create(params (string Key, string Value)[] environment)
    {
        var values = environment.ToDictionary(pair => pair.Key, pair => (string?)pair.Value);
        // Not what whoever runs the tests has set.
        foreach (var key in (ReadOnlySpan<string>)["TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_TLS"]) values.TryAdd(key, null);
        values["KOHAKKU_DATA"] = folder;
        values["PATH"] = $"/nowhere:{Programs}";
        return DistributedApplicationTestingBuilder.Create([], values);
    }

    private static IResourceBuilder<ExecutableResource> AddTemporal(IDistributedApplicationBuilder builder)
    {
        var temporal = builder.AddTemporal("temporal", port: 7233, builder.AddPostgres("postgres", port: 5432));
        return builder.AddExecutable("service", "true", "/").WithTemporal(temporal).WaitForTemporal(temporal);
    }

    private static IResource Find(IDistributedApplicationBuilder builder, string name) => builder.Resources.First(resource => resource.Name == name);

    private static async Task<Dictionary<string, string?>> EnvironmentAsync(IDistributedApplicationBuilder builder, IResourceBuilder<ExecutableResource> service)
    {
        foreach (var (_, endpoint) in Endpoints.Of(builder.Resources)) endpoint.AllocatedPort = endpoint.Port;
        return await ResourceEnvironment.OfAsync(service.Resource, new Dictionary<string, string?>(), TestContext.Current.CancellationToken);
    }

    private async Task<Launch> LaunchAsync(IDistributedApplicationBuilder builder)
    {
        using var services = new ServiceFactory([.. builder.Resources], new DataFolder(folder), new Dictionary<string, string?>());
        return await services.ProgramOf((Resource)Find(builder, "temporal")).LaunchAsync(TestContext.Current.CancellationToken);
    }
}
