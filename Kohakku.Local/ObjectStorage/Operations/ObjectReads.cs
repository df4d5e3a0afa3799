using System.Buffers;
using System.Globalization;
using Kohakku.Local.ObjectStorage.Bodies;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>GET and HEAD of an object.</summary>
internal sealed class ObjectReads(ObjectStore store)
{
    private const int BufferSize = 256 * 1024;

    /// <summary>Query parameters of a (presigned) GET that stand in for the object's own headers.</summary>
    private static readonly string[] Overrides =
        ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];

    public async Task ReadAsync(S3Request request)
    {
        if (request.Has("partNumber")) throw S3Errors.NotImplemented("reading by part number");
        using var found = store.Open(request.Bucket, request.Key) ?? throw S3Errors.NoSuchKey();
        var response = request.Context.Response;
        var metadata = found.Metadata;
        var shouldSend = Conditions.ShouldSend(request, metadata);
        WriteHeaders(request, response, metadata);
        if (!shouldSend)
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        var (from, length) = ByteRange(request.Header("Range"), metadata.Size) ?? (0, metadata.Size);
        if (length != metadata.Size)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{from + length - 1}/{metadata.Size}");
        }
        response.ContentLength = length;
        if (HttpMethods.IsGet(request.Method)) await SendAsync(found, from, length, response, request.Context.RequestAborted);
    }

    /// <summary>No object here has tags, as nothing can set them; clients ask before they copy a large one.</summary>
    public Task TagsAsync(S3Request request)
    {
        using var found = store.Open(request.Bucket, request.Key) ?? throw S3Errors.NoSuchKey();
        return S3Xml.WriteAsync(request.Context, S3Xml.Element("Tagging", S3Xml.Element("TagSet")));
    }

    private static void WriteHeaders(S3Request request, HttpResponse response, ObjectMetadata metadata)
    {
        foreach (var (name, value) in metadata.Headers) response.Headers[name] = value;
        foreach (var name in Overrides)
        {
            if (request.Value($"response-{name}") is { } value) response.Headers[name] = value;
        }
        response.Headers.ETag = $"\"{metadata.ETag}\"";
        response.Headers.LastModified = metadata.LastModified.ToString("R", CultureInfo.InvariantCulture);
        response.Headers.AcceptRanges = "bytes";
        if (request.Header("x-amz-checksum-mode") != "ENABLED" || request.Header("Range") is not null) return;
        foreach (var (name, value) in metadata.Checksums) response.Headers[Checksum.HeaderPrefix + name] = value;
    }

    /// <summary><c>bytes=0-9</c>, <c>bytes=10-</c> or <c>bytes=-10</c>; null for the whole, as for what is not one range of bytes.</summary>
    internal static (long From, long Length)? ByteRange(string? header, long size)
    {
        if (header is null || !header.StartsWith("bytes=", StringComparison.Ordinal)) return null;
        var ends = header["bytes=".Length..].Split('-');
        if (ends.Length != 2 || !TryEnd(ends[0], out var first) || !TryEnd(ends[1], out var last) || (first ?? last) is null || last < first) return null;
        if (first is null)
        {
            if (last == 0 || size == 0) throw S3Errors.InvalidRange();
            var length = Math.Min(last!.Value, size);
            return (size - length, length);
        }
        if (first >= size) throw S3Errors.InvalidRange();
        return (first.Value, Math.Min(last ?? size - 1, size - 1) - first.Value + 1);
    }

    private static bool TryEnd(string text, out long? end)
    {
        end = null;
        if (text.Length == 0) return true;
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        end = number;
        return true;
    }

    private static async Task SendAsync(OpenObject found, long from, long length, HttpResponse response, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferSize, Math.Max(length, 1)));
        try
        {
            for (var end = from + length; from < end;)
            {
                var read = await found.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, end - from)), from, cancellationToken);
                if (read == 0) throw new InvalidDataException("The object's file became shorter while it was read.");
                await response.Body.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                from += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
