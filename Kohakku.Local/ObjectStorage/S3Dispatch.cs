using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Operations;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Local.ObjectStorage;

/// <summary>Finds the operation that a request asks for, by method, bucket, key and query, and answers its errors.</summary>
internal sealed partial class S3Dispatch(ObjectStore store, SignatureVerifier verifier, TimeProvider time, ILogger<S3Dispatch> logger)
{
    /// <summary>What S3 can and this server can't: each would otherwise pass for a plain read or write of the object or bucket.</summary>
    private static readonly string[] Unknown =
    [
        "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging", "metrics",
        "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication", "requestPayment", "restore",
        "retention", "select", "tagging", "torrent", "versionId", "versions", "website",
    ];

    private readonly MultipartUploads _uploads = new(store);
    private readonly BucketOperations _buckets = new(store);
    private readonly ObjectLists _lists = new(store);
    private readonly ObjectReads _reads = new(store);
    private readonly ObjectWrites _writes = new(store, time);

    private MultipartOperations Multipart => new(store, _uploads, time);
    private ObjectCopies Copies => new(store, _uploads, time);

    public async Task HandleAsync(HttpContext context)
    {
        context.Response.Headers["x-amz-request-id"] = context.TraceIdentifier;
        try
        {
            var request = S3Request.Read(context);
            await RunAsync(request, verifier.Verify(request));
        }
        catch (S3Exception error)
        {
            await AnswerAsync(context, error);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to hear.
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            LogFailed(logger, exception, context.Request.Method, context.Request.Path);
            await AnswerAsync(context, S3Errors.InternalError());
        }
    }

    private Task RunAsync(S3Request request, VerifiedSignature signature)
    {
        if (request is { Method: "GET", Key.Length: > 0 } && request.Has("tagging")) return _reads.TagsAsync(request);
        if (Unknown.FirstOrDefault(request.Has) is { } unknown) throw S3Errors.NotImplemented($"'{unknown}'");
        if (request.Bucket.Length == 0) return request.Method == "GET" ? _buckets.ListAsync(request) : throw S3Errors.MethodNotAllowed();
        return request.Key.Length == 0 ? OnBucketAsync(request, signature) : OnObjectAsync(request, signature);
    }

    private Task OnBucketAsync(S3Request request, VerifiedSignature signature) => request.Method switch
    {
        "GET" when request.Has("location") => _buckets.LocationAsync(request),
        "GET" when request.Has("versioning") => _buckets.VersioningAsync(request),
        "GET" when request.Has("uploads") => Multipart.ListUploadsAsync(request),
        "GET" when request.Value("list-type") == "2" => _lists.ListV2Async(request),
        "GET" => _lists.ListV1Async(request),
        "HEAD" => Done(_buckets.Head, request),
        "PUT" when !request.Has("versioning") => Done(_buckets.Create, request),
        "DELETE" => Done(_buckets.Delete, request),
        "POST" when request.Has("delete") => _writes.DeleteManyAsync(request, signature),
        _ => throw S3Errors.MethodNotAllowed(),
    };

    private Task OnObjectAsync(S3Request request, VerifiedSignature signature) => request.Method switch
    {
        "GET" when request.Has("uploadId") => Multipart.ListPartsAsync(request),
        "GET" or "HEAD" => _reads.ReadAsync(request),
        "PUT" when request.Has("uploadId") && request.Header("x-amz-copy-source") is not null => Copies.CopyPartAsync(request),
        "PUT" when request.Has("uploadId") => Multipart.PutPartAsync(request, signature),
        "PUT" when request.Header("x-amz-copy-source") is not null => Copies.CopyAsync(request),
        "PUT" => _writes.PutAsync(request, signature),
        "POST" when request.Has("uploads") => Multipart.CreateAsync(request),
        "POST" when request.Has("uploadId") => Multipart.CompleteAsync(request, signature),
        "DELETE" when request.Has("uploadId") => Done(Multipart.Abort, request),
        "DELETE" => Done(_writes.Delete, request),
        _ => throw S3Errors.MethodNotAllowed(),
    };

    private static Task Done(Action<S3Request> operation, S3Request request)
    {
        operation(request);
        return Task.CompletedTask;
    }

    private static Task AnswerAsync(HttpContext context, S3Exception error)
    {
        if (context.Response.HasStarted)
        {
            // The bytes that were promised can't come: cut the connection, so that nobody takes what came for the whole.
            context.Abort();
            return Task.CompletedTask;
        }
        context.Response.Clear();
        context.Response.Headers["x-amz-request-id"] = context.TraceIdentifier;
        return S3Xml.WriteErrorAsync(context, error);
    }

    [LoggerMessage(2100, LogLevel.Error, "{Method} {Path} failed.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string method, PathString path);
}
