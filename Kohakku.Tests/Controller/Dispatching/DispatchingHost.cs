using System.Net.Http.Json;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Skills;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kohakku.Tests.Controller.Dispatching;

/// <summary>Dispatching behind HTTP, with its signatures; who signs in is of another feature, so everybody here is an operator of the test's project.</summary>
internal sealed class DispatchingHost : IAsyncDisposable
{
    private static readonly byte[] Key = Encoding.UTF8.GetBytes("a signing key of a test: 32 bytes or more");
    private readonly WebApplication app;

    private DispatchingHost(WebApplication app, QueueFixture queue)
    {
        this.app = app;
        Queue = queue;
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Client = new HttpClient { BaseAddress = new Uri(address) };
    }

    /// <summary>The same database, to prepare and to look.</summary>
    public QueueFixture Queue { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => app.Services;

    public static async Task<DispatchingHost> StartAsync(QueueFixture queue)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Configuration["CALLBACK_SIGNING_KEY"] = Encoding.UTF8.GetString(Key);
        builder.Configuration["S3_ACCESS_KEY"] = builder.Configuration["S3_SECRET_KEY"] = "unused";
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults("controller").AddSigning().AddObjectStorage().AddControllerData().AddAgents().AddSkills().AddTasks();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(queue.Database).AddSingleton(QueueFixture.Options);
        builder.AddDispatching().AddFailures();
        // Approvals are answered in the same inbox.
        builder.Services.AddSingleton<RunAnswers>();
        builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, Everybody>("test", null);
        builder.Services.AddSingleton(new Caller(queue.Project, "default", Role.Operator, "a tester"));
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Viewer, policy => policy.RequireAuthenticatedUser()).AddPolicy(Policies.Operator, policy => policy.RequireRole("operator"));
        var app = builder.Build();
        app.UseServiceDefaults();
        app.UseAuthentication();
        app.UseAuthorization();
        var api = app.MapGroup("/api/v1");
        api.MapDispatching();
        api.MapFailures();
        await app.StartAsync();
        return new DispatchingHost(app, queue);
    }

    public async Task<(HttpResponseMessage Response, T? Body)> SendAsync<T>(string path, object body, JsonTypeInfo form, JsonTypeInfo<T> answer, byte[]? key = null, string? id = null)
        where T : class
    {
        var response = await SignAndSendAsync(path, JsonSerializer.SerializeToUtf8Bytes(body, form), key, id);
        return (response, response.IsSuccessStatusCode ? await response.Content.ReadFromJsonAsync(answer) : null);
    }

    public async Task<HttpResponseMessage> SignAndSendAsync(string path, byte[] content, byte[]? key = null, string? id = null, string? signedPath = null)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        id ??= Guid.NewGuid().ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(content) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add(StandardWebhooks.IdHeader, id);
        request.Headers.Add(StandardWebhooks.TimestampHeader, now.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add(
            StandardWebhooks.SignatureHeader, StandardWebhooks.Sign(key ?? Key, id, now, StandardWebhooks.RequestContent("POST", signedPath ?? path, content)));
        return await Client.SendAsync(request);
    }

    public async Task<TestDispatcher> RegisterAsync(string name, string labels = "{}", Guid? instance = null)
    {
        var request = new RegisterDispatcher(
            name, instance ?? Guid.NewGuid(), "http://127.0.0.1:1", "0.1.0", "process",
            JsonSerializer.Deserialize(labels, ContractsJson.Default.IReadOnlyDictionaryStringString)!, 10);
        var (_, registration) = await SendAsync("/api/v1/dispatchers", request, ContractsJson.Default.RegisterDispatcher, ContractsJson.Default.DispatcherRegistration);
        return new TestDispatcher(registration!.Id, registration.Session);
    }

    public Task<(HttpResponseMessage Response, ClaimAnswer? Body)> ClaimAsync(TestDispatcher dispatcher, int slots = 1, int wait = 0) => SendAsync(
        $"/api/v1/dispatchers/{dispatcher.Id}/claims", new ClaimRequest(dispatcher.Session, Guid.NewGuid(), slots, wait), ContractsJson.Default.ClaimRequest,
        ContractsJson.Default.ClaimAnswer);

    public Task<(HttpResponseMessage Response, HeartbeatAnswer? Body)> BeatAsync(TestDispatcher dispatcher, params Guid[] attempts) => SendAsync(
        $"/api/v1/dispatchers/{dispatcher.Id}/heartbeat", new HeartbeatRequest(dispatcher.Session, attempts, 1), ContractsJson.Default.HeartbeatRequest,
        ContractsJson.Default.HeartbeatAnswer);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private sealed class Everybody(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, Caller caller)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() =>
            Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller.ToIdentity("test")), "test")));
    }
}
