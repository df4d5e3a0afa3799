using System.Collections.Concurrent;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Controller.Webhooks;

/// <summary>What one delivery brought.</summary>
internal sealed record Received(string Path, string Id, string Timestamp, string Signatures, string? ContentType, byte[] Body)
{
    public WebhookEvent Event => JsonSerializer.Deserialize(Body, ContractsJson.Default.WebhookEvent)!;

    public SignatureVerdict Verify(DateTimeOffset now, params string[] secrets) =>
        StandardWebhooks.Verify([.. secrets.Select(StandardWebhooks.KeyBytes)], Id, Timestamp, Signatures, Body, now);
}

/// <summary>A receiver of webhooks on real HTTP, which answers as it is told.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebhookReceiver(WebApplication app) => _app = app;

    public ConcurrentQueue<Received> Deliveries { get; } = new();

    /// <summary>How it answers; 204 unless told otherwise.</summary>
    public Func<HttpContext, Received, Task> Answer { get; set; } = (context, _) =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    };

    public string Url => _app.Urls.First();

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var receiver = new WebhookReceiver(app);
        app.Run(receiver.ReceiveAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    public void AnswerWith(int status, string body = "", string? retryAfter = null) => Answer = (context, _) =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        return context.Response.WriteAsync(body);
    };

    public async ValueTask DisposeAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers;
        var received = new Received(
            context.Request.Path, headers[StandardWebhooks.IdHeader].ToString(), headers[StandardWebhooks.TimestampHeader].ToString(), headers[StandardWebhooks.SignatureHeader].ToString(),
            context.Request.ContentType, body.ToArray());
        Deliveries.Enqueue(received);
        await Answer(context, received);
    }
}
