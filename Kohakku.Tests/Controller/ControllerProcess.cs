using System.Net.Http.Headers;
using Kohakku.Controller.Identity;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Controller;

/// <summary>The controller as it ships: a process of its own on a free port, with a database and a data folder of its own.</summary>
internal sealed class ControllerProcess : IAsyncDisposable
{
    private readonly Dictionary<string, string?> _environment;
    private ProgramProcess? _process;

    private ControllerProcess(string database, string folder, int port)
    {
        (Database, DataFolder, Url) = (database, folder, new Uri($"http://127.0.0.1:{port}"));
        _environment = LoneService.Settings(database, Url.ToString());
        _environment["CONTROLLER_URL"] = Url.ToString();
        _environment["KOHAKKU_DATA"] = folder;
    }

    public Uri Url { get; }
    public int Id => _process?.Id ?? throw new InvalidOperationException("It is not started.");
    public string Database { get; }
    public string DataFolder { get; }
    /// <summary>What it has printed so far.</summary>
    public IReadOnlyCollection<string> Output => _process?.Output ?? [];
    public string TokenFile => Path.Combine(DataFolder, "api-token");

    /// <summary>Makes one that is not started, with variables besides its own.</summary>
    public static async Task<ControllerProcess> CreateAsync(PostgresFixture postgres, params (string Name, string Value)[] environment)
    {
        var database = await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        var controller = new ControllerProcess(database, Directory.CreateTempSubdirectory("kohakku-controller-").FullName, Ports.Next());
        foreach (var (name, value) in environment) controller._environment[name] = value;
        return controller;
    }

    public static async Task<ControllerProcess> StartNewAsync(PostgresFixture postgres, params (string Name, string Value)[] environment)
    {
        var controller = await CreateAsync(postgres, environment);
        await controller.StartAsync();
        return controller;
    }

    /// <summary>Starts it, and waits until it is healthy.</summary>
    public async Task StartAsync()
    {
        _process = Launch([], _environment);
        await _process.AnswersAsync("/health");
    }

    public async Task StopAsync()
    {
        if (_process is { HasExited: false }) await _process.StopAsync();
    }

    /// <summary>Runs one of its commands on the same database to its end.</summary>
    public async Task<(int ExitCode, string Output, string Errors)> RunAsync(string[] arguments, params (string Name, string? Value)[] changes)
    {
        var environment = new Dictionary<string, string?>(_environment);
        foreach (var (name, value) in changes) environment[name] = value;
        await using var command = Launch(arguments, environment);
        var exitCode = await command.EndAsync();
        return (exitCode, command.Printed(asErrors: false), command.Printed(asErrors: true));
    }

    /// <summary>A new link into the console, made as the command <c>login</c> makes it (which has its own test), but without a process for each.</summary>
    public async Task<Uri> LoginLinkAsync()
    {
        await using var database = NpgsqlDataSource.Create(Database);
        var options = new ControllerOptions { Url = Url.ToString().TrimEnd('/'), SecretKey = [], AllowedHosts = [], AgentImageRegistry = "" };
        return await new LoginLinks(ControllerDatabases.Of(database), options, TimeProvider.System).CreateAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Calls with a token; the default is the admin's of the token file, none is none.</summary>
    public HttpClient Client(string? token)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public HttpClient AdminClient() => Client(File.ReadAllText(TokenFile).Trim());

    public async Task<T?> QueryAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Database);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T?)await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_process is not null) await _process.DisposeAsync();
        Directory.Delete(DataFolder, recursive: true);
    }

    private ProgramProcess Launch(string[] arguments, Dictionary<string, string?> environment) => new(Release.This.Program("Kohakku.Controller"), arguments, environment, Url);
}
