using System.Buffers;
using System.Security.Cryptography;
using Kohakku.Local.ObjectStorage.Storage;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>PUT with <c>x-amz-copy-source</c>: an object, or one part of a multipart upload, from another object.</summary>
internal sealed class ObjectCopies(ObjectStore store, MultipartUploads uploads, TimeProvider time)
{
    private const int BufferSize = 1024 * 1024;

    public async Task CopyAsync(S3Request request)
    {
        using var source = OpenSource(request);
        var replaces = request.Header("x-amz-metadata-directive") == "REPLACE";
        var headers = replaces ? ObjectHeaders.Of(request) : source.Metadata.Headers;
        var cancellationToken = request.Context.RequestAborted;
        await using var pending = store.CreatePending();
        var md5 = await CopyBytesAsync(source, 0, source.Metadata.Size, pending.Stream, cancellationToken);
        // The tag of an object from many parts is not its MD5; its copy is one piece.
        var copy = new ObjectMetadata(source.Metadata.Size, Convert.ToHexStringLower(md5), time.GetUtcNow(), headers, source.Metadata.Checksums, UploadId: null);
        await ObjectFile.FinishAsync(pending.Stream, copy, cancellationToken);
        store.Commit(pending, request.Bucket, request.Key, Conditions.ForWrite(request));
        await WriteResultAsync(request, "CopyObjectResult", copy);
    }

    public async Task CopyPartAsync(S3Request request)
    {
        var (id, number) = MultipartOperations.PartOf(request);
        if (uploads.Find(request.Bucket, request.Key, id) is null) throw S3Errors.NoSuchUpload();
        using var source = OpenSource(request);
        var (from, length) = ObjectReads.ByteRange(request.Header("x-amz-copy-source-range"), source.Metadata.Size) ?? (0, source.Metadata.Size);
        var cancellationToken = request.Context.RequestAborted;
        await using var pending = store.CreatePending();
        var md5 = await CopyBytesAsync(source, from, length, pending.Stream, cancellationToken);
        var part = new ObjectMetadata(length, Convert.ToHexStringLower(md5), time.GetUtcNow(), MultipartOperations.NoHeaders, MultipartOperations.NoHeaders, id);
        await ObjectFile.FinishAsync(pending.Stream, part, cancellationToken);
        uploads.CommitPart(pending, request.Bucket, id, number);
        await WriteResultAsync(request, "CopyPartResult", part);
    }

    /// <summary>Copies and answers the MD5 of what was copied.</summary>
    public static async Task<byte[]> CopyBytesAsync(OpenObject source, long from, long length, Stream destination, CancellationToken cancellationToken)
    {
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (var end = from + length; from < end;)
            {
                var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - from)), from, cancellationToken);
                if (read == 0) throw new InvalidDataException("The object's file became shorter while it was copied.");
                md5.AppendData(buffer, 0, read);
                await destination.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                from += read;
            }
            return md5.GetHashAndReset();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // /bucket/some%20key or bucket/some%20key
    private OpenObject OpenSource(S3Request request)
    {
        var path = S3Request.Decode(request.Header("x-amz-copy-source")!).TrimStart('/');
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == path.Length - 1) throw S3Errors.InvalidArgument("x-amz-copy-source must be like /bucket/key.");
        store.RequireBucket(request.Bucket);
        var source = store.Open(path[..slash], path[(slash + 1)..]) ?? throw S3Errors.NoSuchKey();
        try
        {
            Conditions.CheckCopySource(request, source.Metadata);
            return source;
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static Task WriteResultAsync(S3Request request, string name, ObjectMetadata copy) => S3Xml.WriteAsync(
        request.Context,
        S3Xml.Element(name, S3Xml.Element("LastModified", S3Xml.Time(copy.LastModified)), S3Xml.Element("ETag", $"\"{copy.ETag}\"")));
}
