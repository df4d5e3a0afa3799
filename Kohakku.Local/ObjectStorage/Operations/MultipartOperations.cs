using System.Security.Cryptography;
using System.Globalization;
using System.Xml.Linq;
using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Bodies;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>Multipart uploads: create, part, complete, abort, and the lists of parts and of uploads.</summary>
internal sealed class MultipartOperations(ObjectStore store, MultipartUploads uploads, TimeProvider time)
{
    private const int MaxParts = 10_000;
    private const int MinPartSize = 5 * 1024 * 1024;

    public static readonly IReadOnlyDictionary<string, string> NoHeaders = new Dictionary<string, string>();

    public static (string UploadId, int Number) PartOf(S3Request request)
    {
        var isNumber = int.TryParse(request.Value("partNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        return isNumber && number is >= 1 and <= MaxParts
            ? (request.Value("uploadId") ?? "", number)
            : throw S3Errors.InvalidArgument($"Part number must be an integer between 1 and {MaxParts}, inclusive.");
    }

    public async Task CreateAsync(S3Request request)
    {
        var upload = new UploadMetadata(request.Key, time.GetUtcNow(), ObjectHeaders.Of(request));
        var id = await uploads.CreateAsync(request.Bucket, upload, request.Context.RequestAborted);
        await S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "InitiateMultipartUploadResult",
                S3Xml.Element("Bucket", request.Bucket), S3Xml.Element("Key", request.Key), S3Xml.Element("UploadId", id)));
    }

    public async Task PutPartAsync(S3Request request, VerifiedSignature signature)
    {
        var (id, number) = PartOf(request);
        if (uploads.Find(request.Bucket, request.Key, id) is null) throw S3Errors.NoSuchUpload();
        var cancellationToken = request.Context.RequestAborted;
        await using var pending = store.CreatePending();
        var received = await BodyIntake.ReceiveAsync(request, signature, pending.Stream, cancellationToken);
        var etag = Convert.ToHexStringLower(received.Md5);
        await ObjectFile.FinishAsync(pending.Stream, new ObjectMetadata(received.Size, etag, time.GetUtcNow(), NoHeaders, received.Checksums, id), cancellationToken);
        uploads.CommitPart(pending, request.Bucket, id, number);
        request.Context.Response.Headers.ETag = $"\"{etag}\"";
        foreach (var (name, value) in received.Checksums) request.Context.Response.Headers[Checksum.HeaderPrefix + name] = value;
    }

    // <CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"…"</ETag></Part>…</CompleteMultipartUpload>
    public async Task CompleteAsync(S3Request request, VerifiedSignature signature)
    {
        var id = request.Value("uploadId") ?? "";
        using var body = S3Xml.CreateBuffer(request.Context);
        await BodyIntake.ReceiveAsync(request, signature, body, request.Context.RequestAborted);
        var parts = ReadParts(S3Xml.Parse(body));
        var etag = uploads.Find(request.Bucket, request.Key, id) is { } upload
            ? await AssembleAsync(request, id, upload, parts)
            : CompletedBefore(request, id);
        await S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "CompleteMultipartUploadResult",
                S3Xml.Element("Location", $"{request.Context.Request.Scheme}://{request.Context.Request.Host}{CanonicalRequest.Encode(request.Path, keepSlash: true)}"),
                S3Xml.Element("Bucket", request.Bucket), S3Xml.Element("Key", request.Key), S3Xml.Element("ETag", $"\"{etag}\"")));
    }

    public void Abort(S3Request request)
    {
        var id = request.Value("uploadId") ?? "";
        if (uploads.Find(request.Bucket, request.Key, id) is null) throw S3Errors.NoSuchUpload();
        uploads.Remove(request.Bucket, id);
        request.Context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public Task ListPartsAsync(S3Request request)
    {
        var id = request.Value("uploadId") ?? "";
        if (uploads.Find(request.Bucket, request.Key, id) is null) throw S3Errors.NoSuchUpload();
        var max = request.Number("max-parts", 1000, 1, 1000);
        var after = request.Number("part-number-marker", 0, 0, MaxParts);
        var numbers = uploads.PartNumbers(request.Bucket, id).Where(number => number > after).Take(max + 1).ToArray();
        var parts = new List<XElement>();
        foreach (var number in numbers.Take(max))
        {
            using var part = uploads.OpenPart(request.Bucket, id, number);
            if (part is null) continue;
            parts.Add(S3Xml.Element(
                "Part",
                S3Xml.Element("PartNumber", number), S3Xml.Element("LastModified", S3Xml.Time(part.Metadata.LastModified)),
                S3Xml.Element("ETag", $"\"{part.Metadata.ETag}\""), S3Xml.Element("Size", part.Metadata.Size)));
        }
        return S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "ListPartsResult",
                S3Xml.Element("Bucket", request.Bucket), S3Xml.Element("Key", request.Key), S3Xml.Element("UploadId", id),
                S3Xml.Element("PartNumberMarker", after), S3Xml.Element("NextPartNumberMarker", numbers.Length == 0 ? 0 : numbers[Math.Min(max, numbers.Length) - 1]),
                S3Xml.Element("MaxParts", max), S3Xml.Element("IsTruncated", numbers.Length > max), parts));
    }

    public Task ListUploadsAsync(S3Request request)
    {
        var prefix = request.Value("prefix") ?? "";
        var max = request.Number("max-uploads", 1000, 1, 1000);
        var keyMarker = request.Value("key-marker") ?? "";
        var idMarker = request.Value("upload-id-marker") ?? "";
        var found = uploads.List(request.Bucket, prefix)
            .Where(entry => KeyOrder.Instance.Compare(entry.Upload.Key, keyMarker) is var order
                && (order > 0 || (order == 0 && idMarker.Length > 0 && string.CompareOrdinal(entry.Id, idMarker) > 0)))
            .Take(max + 1).ToArray();
        var last = found.Length > max ? found[max - 1] : default;
        return S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "ListMultipartUploadsResult",
                S3Xml.Element("Bucket", request.Bucket), S3Xml.Element("KeyMarker", keyMarker), S3Xml.Element("UploadIdMarker", idMarker), S3Xml.Element("Prefix", prefix),
                S3Xml.Element("NextKeyMarker", last.Upload?.Key), S3Xml.Element("NextUploadIdMarker", last.Id),
                S3Xml.Element("MaxUploads", max), S3Xml.Element("IsTruncated", found.Length > max),
                found.Take(max).Select(entry => S3Xml.Element(
                    "Upload",
                    S3Xml.Element("Key", entry.Upload.Key), S3Xml.Element("UploadId", entry.Id), S3Xml.Element("Initiated", S3Xml.Time(entry.Upload.Initiated))))));
    }

    private static (int Number, string ETag)[] ReadParts(XElement root)
    {
        var parts = root.Children("Part")
            .Select(part => (
                Number: int.TryParse(part.Child("PartNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw S3Errors.MalformedXml(),
                ETag: part.Child("ETag")?.Trim('"') ?? throw S3Errors.MalformedXml()))
            .ToArray();
        if (root.Name.LocalName != "CompleteMultipartUpload" || parts.Length == 0) throw S3Errors.MalformedXml();
        return parts.Zip(parts.Skip(1)).All(pair => pair.First.Number < pair.Second.Number) ? parts : throw S3Errors.InvalidPartOrder();
    }

    /// <summary>Joins the parts into the object and forgets the upload; answers the object's tag.</summary>
    private async Task<string> AssembleAsync(S3Request request, string id, UploadMetadata upload, (int Number, string ETag)[] parts)
    {
        var cancellationToken = request.Context.RequestAborted;
        await using var pending = store.CreatePending();
        using var tags = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        long size = 0;
        foreach (var (number, etag) in parts)
        {
            using var part = uploads.OpenPart(request.Bucket, id, number);
            if (part is null || part.Metadata.ETag != etag) throw S3Errors.InvalidPart();
            if (part.Metadata.Size < MinPartSize && number != parts[^1].Number) throw S3Errors.EntityTooSmall();
            tags.AppendData(await ObjectCopies.CopyBytesAsync(part, 0, part.Metadata.Size, pending.Stream, cancellationToken));
            size += part.Metadata.Size;
        }
        var whole = string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexStringLower(tags.GetHashAndReset())}-{parts.Length}");
        await ObjectFile.FinishAsync(pending.Stream, new ObjectMetadata(size, whole, time.GetUtcNow(), upload.Headers, NoHeaders, id), cancellationToken);
        store.Commit(pending, request.Bucket, request.Key, Conditions.ForWrite(request));
        uploads.Remove(request.Bucket, id);
        return whole;
    }

    /// <summary>The tag of what the same upload became: a client that did not hear the first answer asks again.</summary>
    private string CompletedBefore(S3Request request, string id)
    {
        using var present = store.Open(request.Bucket, request.Key);
        return present?.Metadata.UploadId == id && id.Length > 0 ? present.Metadata.ETag : throw S3Errors.NoSuchUpload();
    }
}
