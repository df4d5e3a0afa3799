using System.Collections.Concurrent;
using Kohakku.Tests.Controller;
using Kohakku.Tests.Fixtures;
using Microsoft.Playwright;

namespace Kohakku.Tests.Browser;

/// <summary>The machine's Chromium and a controller to look at, both started on first use.</summary>
public sealed class BrowserFixture(PostgresFixture postgres, ObjectStorageFixture objects) : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Chromium? _browser;
    private ControllerProcess? _controller;

    internal async Task<ControllerProcess> ControllerAsync()
    {
        await StartAsync();
        return _controller!;
    }

    /// <summary>A browser of its own: no cookies, no cache.</summary>
    internal async Task<ConsoleVisit> VisitAsync(BrowserNewContextOptions? options = null)
    {
        await StartAsync();
        var context = await _browser!.NewContextAsync(options);
        return new ConsoleVisit(_controller!, context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        if (_controller is not null) await _controller.DisposeAsync();
        _starting.Dispose();
    }

    private async Task StartAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_controller is not null) return;
            _browser ??= await Chromium.LaunchAsync();
            // Whatever runs on this machine besides, the tests' runs must not reach its Temporal: nothing listens there.
            _controller = await ControllerProcess.StartNewAsync(
                postgres, [.. (await objects.CreateSettingsAsync()).Select(pair => (pair.Key, pair.Value!)), ("TEMPORAL_ADDRESS", "127.0.0.1:9")]);
        }
        finally
        {
            _starting.Release();
        }
    }
}

/// <summary>One person's look at the console. Whatever goes wrong in the browser meanwhile, or is asked of another host, is kept.</summary>
internal sealed class ConsoleVisit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();

    public ConsoleVisit(ControllerProcess controller, IBrowserContext context, IPage page)
    {
        (Controller, _context, Page) = (controller, context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") _faults.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
        };
        page.PageError += (_, fault) => _faults.Enqueue(fault);
        page.Request += (_, request) =>
        {
            if (new Uri(request.Url) is { Scheme: "http" or "https" or "ws" or "wss" } address && address.Authority != controller.Url.Authority) _faults.Enqueue($"asks {request.Url}");
        };
    }

    public ControllerProcess Controller { get; }
    public IPage Page { get; }

    public async Task LoginAsync()
    {
        await Page.GotoAsync((await Controller.LoginLinkAsync()).ToString());
        await Page.WaitForURLAsync(Controller.Url.ToString());
        await Assertions.Expect(Page.GetByRole(AriaRole.Heading, new() { Name = "Tasks", Exact = true })).ToBeVisibleAsync();
    }

    public Task GotoAsync(string path) => Page.GotoAsync(new Uri(Controller.Url, path).ToString());

    /// <summary>Nothing went wrong in the browser, and no other host was asked for anything.</summary>
    public void IsClean() => Assert.Empty(_faults);

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
