using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.ServiceDefaults;

/// <summary>A service as all of ours are built, with endpoints of a test's choice, on Kestrel at a free loopback port.</summary>
internal sealed class TestService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestService(WebApplication app)
    {
        _app = app;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }
    public IServiceProvider Services => _app.Services;

    public static async Task<TestService> StartAsync(
        IReadOnlyDictionary<string, string?> settings, Action<WebApplicationBuilder> add, Action<WebApplication> map, string environment = "Development")
    {
        var app = Build(settings, add, map, environment);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestService(app);
    }

    public static WebApplication Build(
        IReadOnlyDictionary<string, string?> settings, Action<WebApplicationBuilder> add, Action<WebApplication> map, string environment = "Development")
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ApplicationName = typeof(TestService).Assembly.GetName().Name });
        builder.Configuration.AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), pair.Value)));
        // Quiet, but not off: it is for the log that the server makes a request's trace when nobody else listens.
        builder.Logging.AddFilter(level => level >= LogLevel.Critical);
        builder.Logging.AddFilter("Microsoft", LogLevel.Critical).AddFilter("Kohakku", LogLevel.Critical);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults("test");
        add(builder);
        var app = builder.Build();
        app.UseServiceDefaults();
        map(app);
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
