using System.Globalization;
using Amazon.Runtime;
using Amazon.S3;
using Kohakku.Local.ObjectStorage;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;

[assembly: AssemblyFixture(typeof(ObjectStorageFixture))]

namespace Kohakku.Tests.Fixtures;

/// <summary>
/// The S3 server of Kohakku.Local in this process, on a free loopback port, with a folder of its own. Each test (class)
/// takes itself a bucket. Started on first use; gone, with its data, at the end.
/// </summary>
public sealed class ObjectStorageFixture : IAsyncDisposable
{
    public const string AccessKey = "test-access-key";
    public const string SecretKey = "test/secret+key";
    public const string Region = "us-east-1";

    private readonly SemaphoreSlim _starting = new(1, 1);
    private string? _folder;
    private WebApplication? _server;
    private int _buckets;

    /// <summary>Where it listens, like <c>http://127.0.0.1:41234</c>.</summary>
    public async Task<Uri> EndpointAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            if (_server is null)
            {
                _folder = Directory.CreateTempSubdirectory("kohakku-s3-").FullName;
                var server = ObjectStorageServer.Build(new ObjectStorageServerOptions("http://127.0.0.1:0", _folder, AccessKey, SecretKey));
                await server.StartAsync(TestContext.Current.CancellationToken);
                _server = server;
            }
            return new Uri(_server.Urls.First());
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>A client of a bucket that nobody else has.</summary>
    public async Task<ObjectStorage> CreateStorageAsync()
    {
        var storage = new ObjectStorage(await CreateOptionsAsync(), TimeProvider.System);
        await storage.EnsureBucketAsync(TestContext.Current.CancellationToken);
        return storage;
    }

    /// <summary>What <c>S3_…</c> would say for a bucket that nobody else has; it is not made yet.</summary>
    public async Task<ObjectStorageOptions> CreateOptionsAsync() =>
        new(await EndpointAsync(), AccessKey, SecretKey, Region, $"test-{Interlocked.Increment(ref _buckets).ToString(CultureInfo.InvariantCulture)}");

    /// <summary>The settings of a bucket that nobody else has, for a process or a host under test.</summary>
    public async Task<Dictionary<string, string?>> CreateSettingsAsync()
    {
        var options = await CreateOptionsAsync();
        return new()
        {
            ["S3_ENDPOINT"] = options.Endpoint.ToString().TrimEnd('/'),
            ["S3_ACCESS_KEY"] = options.AccessKey,
            ["S3_SECRET_KEY"] = options.SecretKey,
            ["S3_REGION"] = options.Region,
            ["S3_BUCKET"] = options.Bucket,
        };
    }

    /// <summary>A plain client of the SDK, as set up for any S3 server.</summary>
    internal async Task<AmazonS3Client> CreateClientAsync(Action<AmazonS3Config>? configure = null, string accessKey = AccessKey, string secretKey = SecretKey)
    {
        var config = new AmazonS3Config { ServiceURL = (await EndpointAsync()).ToString(), ForcePathStyle = true, AuthenticationRegion = Region, MaxErrorRetry = 0 };
        configure?.Invoke(config);
        return new AmazonS3Client(new BasicAWSCredentials(accessKey, secretKey), config);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
        _starting.Dispose();
    }
}
