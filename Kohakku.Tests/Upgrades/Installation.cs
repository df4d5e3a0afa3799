using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Kohakku.Tests.Fixtures;
using Kohakku.Tests.Local.Temporal;
using Npgsql;

namespace Kohakku.Tests.Upgrades;

/// <summary>
/// The databases, the bucket and the addresses of one installation whose programs a test starts and ends one by one, each of the release that it says. Controllers
/// stand behind a load balancer, by which all others reach them.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private const string Token = "a-token-for-the-tests-only";
    private readonly ConcurrentQueue<ProgramProcess> _started = new();
    private readonly ConcurrentDictionary<string, string> _dispatcherDatabases = new();
    private readonly PostgresFixture _postgres;
    private readonly Dictionary<string, string?> _shared;
    private readonly string _folder;
    private readonly string _temporalAddress = $"127.0.0.1:{Ports.Next()}";
    private readonly string _temporalDatabase;

    private Installation(PostgresFixture postgres, Dictionary<string, string?> shared, string folder, string controllerDatabase, string temporalDatabase)
    {
        (_postgres, _folder, _temporalDatabase, _shared) = (postgres, folder, temporalDatabase, shared);
        Database = NpgsqlDataSource.Create(controllerDatabase);
        _shared["ASPNETCORE_ENVIRONMENT"] = "Development";
        _shared["CALLBACK_SIGNING_KEY"] = "a-signing-key-of-more-than-32-bytes-for-the-tests";
        _shared["KOHAKKU_SECRET_KEY"] = "a-secret-of-more-than-32-bytes-for-the-tests";
        _shared["KOHAKKU_API_TOKEN"] = Token;
        _shared["CONTROLLER_URL"] = Controllers.Address.ToString().TrimEnd('/');
        _shared["ConnectionStrings__controller"] = controllerDatabase;
        _shared["TEMPORAL_ADDRESS"] = _temporalAddress;
    }

    public LoadBalancer Controllers { get; } = new();

    /// <summary>The controllers' own.</summary>
    public NpgsqlDataSource Database { get; }

    public static async Task<Installation> CreateAsync(PostgresFixture postgres, ObjectStorageFixture storage)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("kup-").FullName;
        // Agents run as another user, who must be able to come in.
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
        var shared = await storage.CreateSettingsAsync();
        return new Installation(postgres, shared, folder, await postgres.CreateDatabaseAsync(cancellation), await postgres.CreateDatabaseAsync(cancellation));
    }

    /// <summary>Calls through the load balancer, as an admin.</summary>
    public HttpClient Client()
    {
        var client = new HttpClient { BaseAddress = Controllers.Address, Timeout = TimeSpan.FromSeconds(30) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return client;
    }

    /// <summary>One that is not in service yet.</summary>
    public ProgramProcess StartController(Release release) => Start(release, "Kohakku.Controller", []);

    /// <summary>One that is ready and in service.</summary>
    public async Task<ProgramProcess> AddControllerAsync(Release release)
    {
        var controller = await StartController(release).AnswersAsync("/ready");
        Controllers.Add(controller);
        return controller;
    }

    /// <summary>One of the controller's commands.</summary>
    public ProgramProcess StartCommand(Release release, string command) => Start(release, "Kohakku.Controller", [command]);

    public Task<ProgramProcess> StartWorkerAsync(Release release) => Start(release, "Kohakku.Workflows", []).AnswersAsync("/ready");

    public Task<ProgramProcess> StartSchedulerAsync(Release release) => Start(release, "Kohakku.Scheduler", []).AnswersAsync("/ready");

    /// <summary>With the database and the folder that any earlier one of its name had.</summary>
    public async Task<ProgramProcess> StartDispatcherAsync(Release release, string name)
    {
        if (!_dispatcherDatabases.TryGetValue(name, out var database))
            database = _dispatcherDatabases[name] = await _postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        return await Start(release, "Kohakku.Dispatcher", [], ("DISPATCHER_NAME", name), ("ConnectionStrings__dispatcher", database),
            ("RUNTIME_BACKEND", "process"), ("MAX_CONCURRENT_AGENTS", "8"), ("KOHAKKU_DATA", Path.Combine(_folder, name))).AnswersAsync("/ready");
    }

    /// <summary>Kohakku.Local's server, at the one address that it has here.</summary>
    public async Task<ProgramProcess> StartTemporalAsync(Release release)
    {
        var server = new ProgramProcess(
            release.Program("Kohakku.Local", "kohakku-local"), ["temporal", "--urls", $"http://{_temporalAddress}"],
            new Dictionary<string, string?> { ["TEMPORAL_DATABASE"] = _temporalDatabase });
        _started.Enqueue(server);
        await Eventually.Async(() => TemporalServerProcess.IsHealthyAsync(_temporalAddress), TimeSpan.FromMinutes(2), "Temporal is healthy");
        return server;
    }

    public async Task<T> ReadAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var parameter in parameters) command.Parameters.AddWithValue(parameter);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _started) await service.DisposeAsync();
        await Controllers.DisposeAsync();
        await Database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private ProgramProcess Start(Release release, string project, string[] arguments, params (string Name, string Value)[] settings)
    {
        var address = new Uri($"http://127.0.0.1:{Ports.Next()}");
        var environment = new Dictionary<string, string?>(_shared) { ["ASPNETCORE_URLS"] = address.ToString() };
        if (project == "Kohakku.Dispatcher") environment["DISPATCHER_URL"] = address.ToString();
        foreach (var (name, value) in settings) environment[name] = value;
        var service = new ProgramProcess(release.Program(project), arguments, environment, address);
        _started.Enqueue(service);
        return service;
    }
}
