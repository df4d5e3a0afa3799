using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Schedules;
using Kohakku.Controller.Skills;
using Kohakku.Controller.Status;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Triggers;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Workflows;
using Kohakku.Controller.Workflows.Definitions;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>
/// The controller's features in this process, on real HTTP and a real database of its own, with the sample agents and an admin's token; but without
/// dispatching and without a scheduler, so that tasks stay as a test leaves them.
/// </summary>
internal sealed class RunningController : IAsyncDisposable
{
    private const string Token = "a-token-for-the-tests-only";
    private readonly WebApplication _app;

    private RunningController(WebApplication app) => _app = app;

    /// <summary>Calls as an admin of the project <c>default</c>.</summary>
    public HttpClient Client { get; private set; } = null!;
    public Uri Address => new(_app.Urls.First());
    public IServiceProvider Services => _app.Services;
    public ObjectStorage Storage => Services.GetRequiredService<ObjectStorage>();
    public NpgsqlDataSource Database => Services.GetRequiredService<NpgsqlDataSource>();

    public static async Task<RunningController> StartAsync(
        PostgresFixture postgres, ObjectStorageFixture storage, TimeProvider? time = null, CancellationToken cancellationToken = default, params (string Key, string Value)[] settings)
    {
        var builder = ServiceBuilder.Create();
        if (time is not null) builder.Services.AddSingleton(time);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["urls"] = "http://127.0.0.1:0",
            // It runs in Production, which wants a password, though this server asks for none.
            ["ConnectionStrings:controller"] = $"{await postgres.CreateDatabaseAsync(cancellationToken)};Password=a-password-of-the-tests",
            ["KOHAKKU_API_TOKEN"] = Token,
            ["KOHAKKU_SECRET_KEY"] = "a-secret-of-32-bytes-for-the-tests",
            ["CALLBACK_SIGNING_KEY"] = "a-signing-key-of-32-bytes-for-the-tests",
            ["TEMPORAL_ADDRESS"] = "127.0.0.1:9",
        });
        builder.Configuration.AddInMemoryCollection(await storage.CreateSettingsAsync());
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value));
        builder.Logging.ClearProviders();
        builder.AddServiceDefaults("controller").AddPostgres("controller").AddObjectStorage().AddSigning();
        builder.AddControllerData().AddIdentity().AddProjects().AddAgents().AddSkills().AddTasks().AddTaskChanges().AddRunSubmission().AddSchedules().AddTriggers().AddScheduleFiring().AddTaskLifetime().AddStatus().AddFailures().AddFailureDigests().AddWebhooks().AddWebhookSending();
        // Its samples are seeded with the agents; what runs them needs dispatching.
        builder.Services.AddSingleton<WorkflowRegistry>().AddSingleton<SampleWorkflows>();
        var app = builder.Build();
        app.UseServiceDefaults().UseIdentity();
        var api = app.MapGroup("/api/v1");
        api.MapProjects();
        api.MapAgents();
        api.MapSkills();
        api.MapTasks();
        api.MapSchedules();
        api.MapTriggers();
        api.MapStatus();
        api.MapFailures();
        api.MapWebhooks();

        var controller = new RunningController(app);
        await app.PrepareAsync(withSamples: true, cancellationToken);
        await app.StartAsync(cancellationToken);
        await controller.Storage.EnsureBucketAsync(cancellationToken);
        controller.Client = controller.ClientOf(Token);
        return controller;
    }

    public HttpClient ClientOf(string? token)
    {
        var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>A client of another project of its own.</summary>
    public async Task<HttpClient> OtherProjectAsync(CancellationToken cancellationToken)
    {
        var name = $"p{Guid.NewGuid():N}";
        (await Client.PostAsJsonAsync("/api/v1/projects", new CreateProject { Name = name }, ContractsJson.Default.CreateProject, cancellationToken)).EnsureSuccessStatusCode();
        using var answer = await Client.PostAsJsonAsync(
            "/api/v1/tokens", new CreateToken { Name = "other", Project = name, Role = Role.Operator }, ContractsJson.Default.CreateToken, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var token = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.CreatedToken, cancellationToken))!;
        return ClientOf(token.Token);
    }

    public async Task<TaskView> SubmitAsync(SubmitTask task, CancellationToken cancellationToken)
    {
        using var answer = await Client.PostAsJsonAsync("/api/v1/tasks", task, ContractsJson.Default.SubmitTask, cancellationToken);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView, cancellationToken))!;
    }

    public async Task<Page<TaskView>> ListAsync(string query, CancellationToken cancellationToken) =>
        (await Client.GetFromJsonAsync($"/api/v1/tasks?{query}", ContractsJson.Default.PageTaskView, cancellationToken))!;

    public async Task<TaskView> TaskAsync(Guid id, CancellationToken cancellationToken) =>
        (await Client.GetFromJsonAsync($"/api/v1/tasks/{id}", ContractsJson.Default.TaskView, cancellationToken))!;

    public Task<Answer> PostAsync(string path, string json, CancellationToken cancellationToken, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, "application/json"), cancellationToken, headers);

    public async Task<Answer> SendAsync(
        HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await Client.SendAsync(request, cancellationToken);
        return await Answer.ReadAsync(answer, cancellationToken);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

/// <summary>An answer, read whole.</summary>
internal sealed record Answer(int Status, string? ContentType, JsonElement Body, string Text)
{
    public static async Task<Answer> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        var type = answer.Content.Headers.ContentType?.MediaType;
        return new Answer((int)answer.StatusCode, type, type?.EndsWith("json", StringComparison.Ordinal) == true ? JsonElement.Parse(text) : default, text);
    }

    /// <summary>The fields that a problem names.</summary>
    public IReadOnlyList<string> Fields => Body.TryGetProperty("errors", out var errors) ? [.. errors.EnumerateObject().Select(fault => fault.Name).Order(StringComparer.Ordinal)] : [];

    public Guid Id => Body.GetProperty("id").GetGuid();

    /// <summary>It is a problem as every error answer must be, of this status, about these fields.</summary>
    public void IsProblem(int status, params string[] fields)
    {
        Assert.True(status == Status, $"{Status}: {Text}");
        Assert.Equal("application/problem+json", ContentType);
        Assert.Equal(status, Body.GetProperty("status").GetInt32());
        foreach (var member in (string[])["type", "title", "detail", "traceId"]) Assert.NotEqual("", Body.GetProperty(member).GetString());
        Assert.Equal(fields.Order(StringComparer.Ordinal), Fields);
        Assert.DoesNotContain("System.", Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Npgsql", Text, StringComparison.Ordinal);
    }
}
