using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Kohakku.Contracts.Signing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>A dispatcher as far as logs go: it serves what a test writes, and breaks off when a test says so.</summary>
internal sealed class ScriptedDispatcher : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly StringBuilder _written = new();
    private readonly List<Channel<string>> _followers = [];
    private readonly Lock _gate = new();

    private ScriptedDispatcher(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();
    /// <summary>Path and query of each request.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();
    public bool WasSigned { get; private set; }

    public static async Task<ScriptedDispatcher> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var dispatcher = new ScriptedDispatcher(builder.Build());
        dispatcher._app.MapGet("/v1/attempts/{id:guid}/logs", dispatcher.ServeAsync);
        await dispatcher._app.StartAsync(cancellationToken);
        return dispatcher;
    }

    public void Write(string text)
    {
        lock (_gate)
        {
            _written.Append(text);
            foreach (var follower in _followers) follower.Writer.TryWrite(text);
        }
    }

    /// <summary>Ends every stream.</summary>
    public void BreakOff()
    {
        lock (_gate)
        {
            foreach (var follower in _followers) follower.Writer.TryComplete();
            _followers.Clear();
        }
    }

    public ValueTask DisposeAsync()
    {
        BreakOff();
        return _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        WasSigned = context.Request.Headers.ContainsKey(StandardWebhooks.SignatureHeader);
        var channel = Channel.CreateUnbounded<string>();
        lock (_gate)
        {
            if (context.Request.Query["tail"].ToString() is { Length: > 0 } tail)
                channel.Writer.TryWrite(string.Concat(_written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(int.Parse(tail, null)).Select(line => $"{line}\n")));
            else channel.Writer.TryWrite(_written.ToString());
            if (context.Request.Query["follow"] == "true") _followers.Add(channel);
            else channel.Writer.Complete();
            Requests.Enqueue($"{context.Request.Path}{context.Request.QueryString}");
        }

        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var text in channel.Reader.ReadAllAsync(context.RequestAborted))
        {
            await context.Response.WriteAsync(text, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
