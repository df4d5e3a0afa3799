using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Bodies;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>PUT and DELETE of an object, and POST ?delete of many.</summary>
internal sealed class ObjectWrites(ObjectStore store, TimeProvider time)
{
    private const int MaxDeletes = 1000;

    public async Task PutAsync(S3Request request, VerifiedSignature signature)
    {
        var headers = ObjectHeaders.Of(request);
        var cancellationToken = request.Context.RequestAborted;
        store.RequireBucket(request.Bucket);
        await using var pending = store.CreatePending();
        var received = await BodyIntake.ReceiveAsync(request, signature, pending.Stream, cancellationToken);
        var etag = Convert.ToHexStringLower(received.Md5);
        await ObjectFile.FinishAsync(
            pending.Stream, new ObjectMetadata(received.Size, etag, time.GetUtcNow(), headers, received.Checksums, UploadId: null), cancellationToken);
        store.Commit(pending, request.Bucket, request.Key, Conditions.ForWrite(request));
        request.Context.Response.Headers.ETag = $"\"{etag}\"";
        foreach (var (name, value) in received.Checksums) request.Context.Response.Headers[Checksum.HeaderPrefix + name] = value;
    }

    public void Delete(S3Request request)
    {
        store.Delete(request.Bucket, request.Key);
        request.Context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    // <Delete><Quiet>true</Quiet><Object><Key>a/b</Key></Object>…</Delete>
    public async Task DeleteManyAsync(S3Request request, VerifiedSignature signature)
    {
        store.RequireBucket(request.Bucket);
        using var body = S3Xml.CreateBuffer(request.Context);
        await BodyIntake.ReceiveAsync(request, signature, body, request.Context.RequestAborted);
        var root = S3Xml.Parse(body);
        var keys = root.Children("Object").Select(item => item.Child("Key") ?? throw S3Errors.MalformedXml()).ToArray();
        if (root.Name.LocalName != "Delete" || keys.Length is 0 or > MaxDeletes || keys.Any(key => key.Length == 0)) throw S3Errors.MalformedXml();
        foreach (var key in keys) store.Delete(request.Bucket, key);
        var isQuiet = string.Equals(root.Child("Quiet"), "true", StringComparison.OrdinalIgnoreCase);
        await S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element("DeleteResult", isQuiet ? null : keys.Select(key => S3Xml.Element("Deleted", S3Xml.Element("Key", key)))));
    }
}
