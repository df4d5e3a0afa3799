using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Amazon.S3;
using Kohakku.Local.ObjectStorage;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

/// <summary>The server as a process of its own, as AppHost runs it, so that it can be killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, Uri endpoint) => (_process, Endpoint) = (process, endpoint);

    public Uri Endpoint { get; }

    /// <summary>Starts it on a free port and waits until it answers.</summary>
    public static async Task<ServerProcess> StartAsync(string folder)
    {
        var endpoint = new Uri($"http://127.0.0.1:{Ports.Next()}");
        var start = new ProcessStartInfo("dotnet", [typeof(ObjectStorageServer).Assembly.Location, "s3", "--urls", endpoint.GetLeftPart(UriPartial.Authority), "--data", folder])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["S3_ACCESS_KEY"] = ObjectStorageFixture.AccessKey;
        start.Environment["S3_SECRET_KEY"] = ObjectStorageFixture.SecretKey;
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var server = new ServerProcess(process, endpoint);
        using var client = new HttpClient { BaseAddress = endpoint };
        await Eventually.Async(() => AnswersAsync(client), TimeSpan.FromMinutes(2), "the server answers");
        return server;
    }

    public AmazonS3Client CreateClient() => new(
        ObjectStorageFixture.AccessKey, ObjectStorageFixture.SecretKey,
        new AmazonS3Config { ServiceURL = Endpoint.ToString(), ForcePathStyle = true, AuthenticationRegion = ObjectStorageFixture.Region, MaxErrorRetry = 0 });

    /// <summary>As <c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            return (await client.GetAsync("/health", TestContext.Current.CancellationToken)).StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
