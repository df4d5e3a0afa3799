using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

/// <summary>
/// A registry that has one image under the name <c>busybox:1</c>, on a loopback port (which engines take without TLS); it
/// says of others what registries say.
/// </summary>
internal sealed class FakeRegistry : IAsyncDisposable
{
    private const string ManifestType = "application/vnd.docker.distribution.manifest.v2+json";
    private readonly WebApplication app;
    private readonly Dictionary<string, byte[]> blobs = [];
    private readonly ConcurrentQueue<string> requests = new();
    private readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private FakeRegistry(WebApplication app) => this.app = app;

    public string Host => new Uri(app.Urls.First()).Authority;

    public string Image => $"{Host}/busybox:1";

    public int LayerDownloads => requests.Count(path => path.Contains("/blobs/", StringComparison.Ordinal)) - ConfigDownloads;

    private int ConfigDownloads => requests.Count(path => path.EndsWith(ConfigDigest, StringComparison.Ordinal));

    private string ConfigDigest { get; set; } = "";

    public static async Task<FakeRegistry> StartAsync(byte[] layerTar, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var registry = new FakeRegistry(builder.Build());
        var manifest = registry.AddImage(layerTar);
        registry.app.Run(context => registry.AnswerAsync(context, manifest));
        await registry.app.StartAsync(cancellationToken);
        return registry;
    }

    /// <summary>Layers are given out only from now on.</summary>
    public void GiveLayers() => gate.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        GiveLayers();
        await app.DisposeAsync();
    }

    private byte[] AddImage(byte[] layerTar)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(layerTar);
        var layer = packed.ToArray();
        var config = Encoding.UTF8.GetBytes(
            $$"""{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["{{Digest(layerTar)}}"]},"history":[{"created":"2026-01-01T00:00:00Z"}],"created":"2026-01-01T00:00:00Z","id":"{{Guid.NewGuid()}}"}""");
        blobs[Digest(layer)] = layer;
        blobs[ConfigDigest = Digest(config)] = config;
        return Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":{{config.Length}},"digest":"{{Digest(config)}}"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":{{layer.Length}},"digest":"{{Digest(layer)}}"}]}""");
    }

    private async Task AnswerAsync(HttpContext context, byte[] manifest)
    {
        var path = context.Request.Path.Value!;
        context.Response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        if (path == "/v2/") return;
        if (path == "/v2/busybox/manifests/1" || path == $"/v2/busybox/manifests/{Digest(manifest)}")
        {
            context.Response.Headers["Docker-Content-Digest"] = Digest(manifest);
            await AnswerAsync(context, manifest, ManifestType);
        }
        else if (path.Split('/')[^1] is var digest && blobs.TryGetValue(digest, out var blob))
        {
            requests.Enqueue(path);
            if (digest != ConfigDigest) await gate.Task.WaitAsync(context.RequestAborted);
            await AnswerAsync(context, blob, "application/octet-stream");
        }
        else if (path.Contains("/broken/", StringComparison.Ordinal))
        {
            context.Response.StatusCode = 503;
        }
        else
        {
            var isPrivate = path.Contains("/private/", StringComparison.Ordinal);
            context.Response.StatusCode = isPrivate ? 403 : 404;
            await context.Response.WriteAsync($$"""{"errors":[{"code":"{{(isPrivate ? "DENIED" : "MANIFEST_UNKNOWN")}}","message":"{{(isPrivate ? "requested access to the resource is denied" : "manifest unknown")}}"}]}""");
        }
    }

    private static async Task AnswerAsync(HttpContext context, byte[] content, string type)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        if (context.Request.Method != "HEAD") await context.Response.Body.WriteAsync(content);
    }

    private static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
