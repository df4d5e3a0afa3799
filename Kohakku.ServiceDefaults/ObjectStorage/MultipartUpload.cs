using System.Buffers;
using Amazon.S3;
using Amazon.S3.Model;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Stores a stream of unknown length in bounded memory: one buffer, filled and sent again and again. What fits into it is
/// stored with a single call instead.
/// </summary>
internal sealed class MultipartUpload(IAmazonS3 client, string bucket, string key, string contentType)
{
    /// <summary>S3 takes at least 5 MiB, and 10,000 parts: 80 GiB in all.</summary>
    public const int PartSize = 8 * 1024 * 1024;

    /// <param name="putWhole">Stores what turned out to be small.</param>
    public async Task<bool> RunAsync(Stream content, Func<ReadOnlyMemory<byte>, Task> putWhole, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(PartSize);
        try
        {
            var first = await FillAsync(content, buffer, cancellationToken);
            if (first < PartSize) await putWhole(buffer.AsMemory(0, first));
            else await UploadAsync(content, buffer, cancellationToken);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task UploadAsync(Stream content, byte[] buffer, CancellationToken cancellationToken)
    {
        var started = await client.InitiateMultipartUploadAsync(
            new InitiateMultipartUploadRequest { BucketName = bucket, Key = key, ContentType = contentType }, cancellationToken);
        try
        {
            var parts = new List<PartETag>();
            for (var length = PartSize; length > 0; length = await FillAsync(content, buffer, cancellationToken))
                parts.Add(await SendAsync(started.UploadId, parts.Count + 1, buffer, length, cancellationToken));
            await client.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = started.UploadId, PartETags = parts }, cancellationToken);
        }
        catch
        {
            await AbortAsync(started.UploadId);
            throw;
        }
    }

    private async Task<PartETag> SendAsync(string uploadId, int number, byte[] buffer, int length, CancellationToken cancellationToken)
    {
        using var part = new MemoryStream(buffer, 0, length, writable: false);
        var answer = await client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = bucket,
                Key = key,
                UploadId = uploadId,
                PartNumber = number,
                PartSize = length,
                InputStream = part,
                UseChunkEncoding = false,
            },
            cancellationToken);
        return new PartETag(number, answer.ETag);
    }

    /// <summary>Frees the parts sent so far, even if the caller has given up; the storage expires what this can't reach.</summary>
    private async Task AbortAsync(string uploadId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId }, patience.Token);
        }
        catch (Exception exception) when (exception is Amazon.Runtime.AmazonClientException or HttpRequestException or OperationCanceledException)
        {
            // The first fault is the one to tell.
        }
    }

    private static async Task<int> FillAsync(Stream content, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await content.ReadAtLeastAsync(buffer.AsMemory(0, PartSize), PartSize, throwOnEndOfStream: false, cancellationToken);
        }
        catch (IOException exception)
        {
            throw new SourceException(exception);
        }
    }

    /// <summary>The stream could not be read, as when its sender went away: no fault of the storage, whose faults are I/O faults too.</summary>
    internal sealed class SourceException(IOException source) : Exception(source.Message, source);
}
