using System.Net.Sockets;
using Amazon.S3;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

/// <summary>The server as a process of its own, as AppHost runs it, so that it can be killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly ProgramProcess _process;

    private ServerProcess(ProgramProcess process) => _process = process;

    public Uri Endpoint => _process.Address!;

    /// <summary>Starts it on a free port and waits until it answers.</summary>
    public static async Task<ServerProcess> StartAsync(string folder)
    {
        var endpoint = new Uri($"http://127.0.0.1:{Ports.Next()}");
        var process = new ProgramProcess(
            Release.This.Program("Kohakku.Local", "kohakku-local"), ["s3", "--urls", endpoint.GetLeftPart(UriPartial.Authority), "--data", folder],
            new Dictionary<string, string?> { ["S3_ACCESS_KEY"] = ObjectStorageFixture.AccessKey, ["S3_SECRET_KEY"] = ObjectStorageFixture.SecretKey }, endpoint);
        return new ServerProcess(await process.AnswersAsync("/health"));
    }

    public AmazonS3Client CreateClient() => new(
        ObjectStorageFixture.AccessKey, ObjectStorageFixture.SecretKey,
        new AmazonS3Config { ServiceURL = Endpoint.ToString(), ForcePathStyle = true, AuthenticationRegion = ObjectStorageFixture.Region, MaxErrorRetry = 0 });

    /// <summary>As <c>kill -9</c>.</summary>
    public Task KillAsync() => _process.KillAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
