using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// One bucket of an S3 storage. A missing object is null or nothing to delete; any other fault is an
/// <see cref="ObjectStorageException"/>. Safe for any thread; memory is bounded by <see cref="MultipartUpload.PartSize"/> per upload.
/// </summary>
public sealed class ObjectStorage : IDisposable
{
    private const int MaxKeysPerDelete = 1000;

    private readonly AmazonS3Client _client;
    private readonly ObjectStorageOptions _options;
    private readonly TimeProvider _time;

    public ObjectStorage(ObjectStorageOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _time = time;
        _client = options.CreateClient();
    }

    /// <summary>Stores what the stream gives until its end; what was there under the key is replaced at once, or not at all.</summary>
    /// <exception cref="IOException">The stream can't be read; nothing was stored.</exception>
    public async Task PutAsync(string key, Stream content, string contentType, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(content);
        var upload = new MultipartUpload(_client, _options.Bucket, key, contentType);
        try
        {
            await GuardAsync($"store {key}", () => upload.RunAsync(content, first => PutAsync(key, first, contentType, cancellationToken), cancellationToken), cancellationToken);
        }
        catch (MultipartUpload.SourceException exception)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException!);
        }
    }

    public Task PutAsync(string key, ReadOnlyMemory<byte> content, string contentType, CancellationToken cancellationToken) =>
        GuardAsync(
            $"store {key}",
            async () =>
            {
                try
                {
                    await PutOnceAsync(key, content, contentType, cancellationToken);
                }
                catch (AmazonS3Exception exception) when (exception.ErrorCode == "NoSuchBucket")
                {
                    // A storage that was emptied, or that came up after this process and before its bucket was made.
                    await EnsureBucketAsync(cancellationToken);
                    await PutOnceAsync(key, content, contentType, cancellationToken);
                }
                return true;
            },
            cancellationToken);

    /// <summary>The object, or the bytes of it from <paramref name="from"/> through <paramref name="to"/>; null where there is none.</summary>
    public async Task<StoredObject?> GetAsync(string key, long? from, long? to, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = key };
        if (from is not null || to is not null) request.ByteRange = to is null ? new ByteRange($"bytes={from}-") : new ByteRange(from ?? 0, to.Value);
        var response = await GuardAsync($"read {key}", () => FoundAsync(() => _client.GetObjectAsync(request, cancellationToken)), cancellationToken);
        if (response is null) return null;
        return new StoredObject(response)
        {
            Content = response.ResponseStream,
            Length = response.ContentLength,
            TotalLength = TotalLength(response),
            ContentType = response.Headers.ContentType ?? "application/octet-stream",
            ETag = response.ETag ?? "",
        };
    }

    /// <summary>The whole object in memory, for what is known to be small; null where there is none.</summary>
    public async Task<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await using var found = await GetAsync(key, null, null, cancellationToken);
        if (found is null) return null;
        return await GuardAsync(
            $"read {key}",
            async () =>
            {
                var content = new byte[found.Length];
                await found.Content.ReadExactlyAsync(content, cancellationToken);
                return content;
            },
            cancellationToken);
    }

    /// <summary>Every object whose key starts with <paramref name="prefix"/>, in the order of their keys.</summary>
    public async IAsyncEnumerable<StoredObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = prefix };
        while (true)
        {
            var page = await GuardAsync($"list {prefix}", () => _client.ListObjectsV2Async(request, cancellationToken), cancellationToken);
            foreach (var found in page.S3Objects ?? [])
                yield return new StoredObjectInfo(found.Key, found.Size ?? 0, new DateTimeOffset((found.LastModified ?? default).ToUniversalTime(), TimeSpan.Zero));
            if (page.IsTruncated is not true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public async Task DeleteAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        foreach (var some in keys.Chunk(MaxKeysPerDelete))
        {
            var request = new DeleteObjectsRequest { BucketName = _options.Bucket, Quiet = true, Objects = [.. some.Select(key => new KeyVersion { Key = key })] };
            await GuardAsync($"delete {some.Length} objects", () => _client.DeleteObjectsAsync(request, cancellationToken), cancellationToken);
        }
    }

    /// <summary>An address that answers the object to anyone who has it, until then.</summary>
    public Uri PresignGet(string key, TimeSpan validFor) => new(_client.GetPreSignedURL(new GetPreSignedUrlRequest
    {
        BucketName = _options.Bucket,
        Key = key,
        Verb = HttpVerb.GET,
        Protocol = _options.Endpoint.Scheme == Uri.UriSchemeHttps ? Protocol.HTTPS : Protocol.HTTP,
        Expires = (_time.GetUtcNow() + validFor).UtcDateTime,
    }));

    public void Dispose() => _client.Dispose();

    /// <summary>Makes the bucket where it is missing.</summary>
    public Task EnsureBucketAsync(CancellationToken cancellationToken) =>
        GuardAsync(
            $"make the bucket {_options.Bucket}",
            async () =>
            {
                if (await FoundAsync(() => _client.HeadBucketAsync(new HeadBucketRequest { BucketName = _options.Bucket }, cancellationToken)) is not null) return true;
                try
                {
                    await _client.PutBucketAsync(new PutBucketRequest { BucketName = _options.Bucket }, cancellationToken);
                }
                catch (AmazonS3Exception exception) when (exception.ErrorCode is "BucketAlreadyOwnedByYou" or "BucketAlreadyExists")
                {
                    // Another process was faster.
                }
                return true;
            },
            cancellationToken);

    /// <summary>One cheap call that needs the storage, the keys and the bucket to be right.</summary>
    internal Task ProbeAsync(CancellationToken cancellationToken) =>
        GuardAsync(
            $"list the bucket {_options.Bucket}",
            () => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _options.Bucket, MaxKeys = 1 }, cancellationToken),
            cancellationToken);

    private async Task PutOnceAsync(string key, ReadOnlyMemory<byte> content, string contentType, CancellationToken cancellationToken)
    {
        using var stream = AsStream(content);
        await _client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = _options.Bucket,
                Key = key,
                InputStream = stream,
                ContentType = contentType,
                AutoCloseStream = false,
                // One signature over the whole: not every S3 server takes a body signed in chunks.
                UseChunkEncoding = false,
            },
            cancellationToken);
    }

    private static MemoryStream AsStream(ReadOnlyMemory<byte> content) =>
        MemoryMarshal.TryGetArray(content, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(content.ToArray(), writable: false);

    private static async Task<T?> FoundAsync<T>(Func<Task<T>> call) where T : class
    {
        try
        {
            return await call();
        }
        catch (AmazonS3Exception exception) when (exception.StatusCode == HttpStatusCode.NotFound && exception.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    }

    /// <summary>Runs a call of the SDK and makes its faults ours.</summary>
    private static async Task<T> GuardAsync<T>(string what, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call();
        }
        catch (AmazonServiceException exception)
        {
            throw new ObjectStorageException($"The object storage did not {what}: {exception.Message}", IsTransient(exception), exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException or AmazonClientException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ObjectStorageException($"The object storage did not {what}: {exception.Message}", transient: true, exception);
        }
    }

    private static bool IsTransient(AmazonServiceException exception) =>
        exception.StatusCode is 0 or HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private static long TotalLength(GetObjectResponse response)
    {
        // bytes 0-99/1234
        var range = response.ContentRange;
        return range is not null && long.TryParse(range.AsSpan(range.LastIndexOf('/') + 1), out var total) ? total : response.ContentLength;
    }
}
