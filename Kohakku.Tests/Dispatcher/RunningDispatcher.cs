using System.Net.Http.Headers;
using Kohakku.Dispatcher;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Dispatcher;

/// <summary>The whole dispatcher in this process, with a real database and a real object storage, against a scripted controller.</summary>
internal sealed class RunningDispatcher : IAsyncDisposable
{
    private readonly string folder;

    private RunningDispatcher(WebApplication app, ScriptedController controller, FakeRuntime runtime, string folder, string[] settings) =>
        (App, Controller, Runtime, this.folder, Settings) = (app, controller, runtime, folder, settings);

    public WebApplication App { get; }
    public ScriptedController Controller { get; }
    public FakeRuntime Runtime { get; }
    /// <summary>To start another with the same database and folder.</summary>
    public string[] Settings { get; }
    public Uri Url => new(App.Urls.First(url => !url.Contains("unix:", StringComparison.Ordinal)));
    public string SocketPath => Path.Combine(folder, "s", "agents.sock");
    public string DataFolder => folder;

    public static async Task<RunningDispatcher> StartAsync(PostgresFixture postgres, ObjectStorageFixture storage, params string[] settings)
    {
        var controller = await ScriptedController.StartAsync();
        var folder = Directory.CreateTempSubdirectory("kd-").FullName;
        string[] all =
        [
            "--environment=Development", "--urls=http://127.0.0.1:0", $"--CONTROLLER_URL={controller.Url}", $"--KOHAKKU_DATA={folder}", $"--SOCKET_DIR={folder}/s",
            $"--ConnectionStrings:dispatcher={await postgres.CreateDatabaseAsync()}", "--RUNTIME_BACKEND=process", $"--WORKSPACE_ROOT={folder}/w",
            .. (await storage.CreateSettingsAsync()).Select(setting => $"--{setting.Key}={setting.Value}"), .. settings,
        ];
        return await StartAsync(all, controller, new FakeRuntime(), folder);
    }

    /// <summary>Ends this one as an orderly stop does, and starts the next on what it left.</summary>
    public async Task<RunningDispatcher> RestartAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
        return await StartAsync(Settings, Controller, Runtime, folder);
    }

    /// <summary>An agent's own client, over TCP.</summary>
    public HttpClient Agent(string token)
    {
        var client = new HttpClient { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in Runtime.Started.Keys) await Runtime.StopAsync(id, "", TimeSpan.Zero, default);
        await App.StopAsync();
        await App.DisposeAsync();
        await Controller.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<RunningDispatcher> StartAsync(string[] settings, ScriptedController controller, FakeRuntime runtime, string folder)
    {
        var app = DispatcherApplication.Build(settings, builder =>
        {
            builder.Services.AddSingleton<IAgentRuntime>(runtime);
            builder.Logging.ClearProviders();
            if (Environment.GetEnvironmentVariable("KOHAKKU_TEST_LOGS") is not null) builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        });
        await app.StartAsync();
        return new RunningDispatcher(app, controller, runtime, folder, settings);
    }
}
