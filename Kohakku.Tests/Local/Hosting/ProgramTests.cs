using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>The AppHost's own Program.cs, built but not started.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task It_declares_the_processes_and_what_each_needs()
    {
        await using var app = await BuildAsync(new() { ["PATH"] = "/nowhere", ["TEMPORAL_ADDRESS"] = null });
        var graph = new ResourceGraph(app.Resources);
        string[] NeededBy(string name) => [.. graph.NeededInAllBy(Find(app, name)).Select(resource => resource.Name).Where(needed => needed != "redis").Order()];

        Assert.Equal(["postgres"], NeededBy("temporal"));
        Assert.Equal(["postgres", "s3"], NeededBy("controller"));
        Assert.Equal(["controller", "postgres", "s3"], NeededBy("dispatcher"));
    }

    [Fact]
    public async Task The_operators_own_settings_win_and_the_rest_is_wired()
    {
        await using var app = await BuildAsync(new()
        {
            ["RUNTIME_BACKEND"] = "process",
            ["REDIS_URL"] = "redis://elsewhere:6379",
            ["ConnectionStrings__controller"] = "Host=elsewhere",
            ["DISPATCHER_LABELS"] = "gpu=true",
        });
        var dispatcher = await EnvironmentAsync(app, "dispatcher");
        var controller = await EnvironmentAsync(app, "controller");

        Assert.Equal("process", dispatcher["RUNTIME_BACKEND"]);
        Assert.Equal("gpu=true", dispatcher["DISPATCHER_LABELS"]);
        Assert.Equal("redis://elsewhere:6379", dispatcher["REDIS_URL"]);
        Assert.DoesNotContain("ConnectionStrings__redis", dispatcher);
        Assert.Equal("Host=elsewhere", controller["ConnectionStrings__controller"]);
        Assert.Matches("^Host=127.0.0.1;Port=5432;Username=postgres;Password=.+;Database=dispatcher$", dispatcher["ConnectionStrings__dispatcher"]);
        Assert.Equal("http://127.0.0.1:8000", dispatcher["CONTROLLER_URL"]);
        Assert.Equal("http://127.0.0.1:8080", dispatcher["DISPATCHER_URL"]);
        Assert.Equal("http://127.0.0.1:8000", controller["ASPNETCORE_URLS"]);
        Assert.Equal("http://127.0.0.1:9000", controller["S3_ENDPOINT"]);
        Assert.Equal(app.Data.FullPath, controller["KOHAKKU_DATA"]);
        Assert.Equal("Development", controller["ASPNETCORE_ENVIRONMENT"]);
        Assert.True(controller["CALLBACK_SIGNING_KEY"]?.Length >= 32);
        Assert.Equal(controller["CALLBACK_SIGNING_KEY"], dispatcher["CALLBACK_SIGNING_KEY"]);
        Assert.Equal(controller["KOHAKKU_SECRET_KEY"], dispatcher["KOHAKKU_SECRET_KEY"]);
    }

    [Fact]
    public async Task Agents_run_as_processes_where_no_container_engine_answers()
    {
        await using var app = await BuildAsync(new() { ["DOCKER_HOST"] = "unix:///nowhere/docker.sock" });
        Assert.Equal("process", (await EnvironmentAsync(app, "dispatcher"))["RUNTIME_BACKEND"]);
        Assert.DoesNotContain(app.Resources, resource => resource.Name == "sample-image");
    }

    [Fact]
    public async Task Started_by_root_in_a_folder_closed_to_others_workspaces_are_where_agents_can_enter()
    {
        Fixtures.Requirement.Met(Environment.IsPrivilegedProcess, "this is about root");
        await using var app = await BuildAsync([]);
        Assert.Equal(Path.Combine(app.Data.Elsewhere, "workspaces"), (await EnvironmentAsync(app, "dispatcher"))["WORKSPACE_ROOT"]);
    }

    private static IResource Find(DistributedApplication app, string name) => app.Resources.First(resource => resource.Name == name);

    private static async Task<Dictionary<string, string?>> EnvironmentAsync(DistributedApplication app, string resource)
    {
        foreach (var (_, endpoint) in Endpoints.Of(app.Resources)) endpoint.AllocatedPort = endpoint.Port;
        return await ResourceEnvironment.OfAsync((Resource)Find(app, resource), new Dictionary<string, string?>(), TestContext.Current.CancellationToken);
    }

    private static async Task<DistributedApplication> BuildAsync(Dictionary<string, string?> environment)
    {
        environment["KOHAKKU_DATA"] = Directory.CreateTempSubdirectory("kohakku-program-").FullName; // 0700
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Kohakku_AppHost>([], environment, cancellationToken: TestContext.Current.CancellationToken);
        return await builder.BuildAsync(TestContext.Current.CancellationToken);
    }
}
