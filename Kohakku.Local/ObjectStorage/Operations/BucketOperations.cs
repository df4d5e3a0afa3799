using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>Buckets: list, create, head, delete, and the little that clients ask about them.</summary>
internal sealed class BucketOperations(ObjectStore store)
{
    public Task ListAsync(S3Request request) => S3Xml.WriteAsync(
        request.Context,
        S3Xml.Element(
            "ListAllMyBucketsResult",
            S3Xml.Element("Owner", S3Xml.Element("ID", "kohakku"), S3Xml.Element("DisplayName", "kohakku")),
            S3Xml.Element("Buckets", store.Buckets().Select(bucket => S3Xml.Element(
                "Bucket", S3Xml.Element("Name", bucket.Name), S3Xml.Element("CreationDate", S3Xml.Time(bucket.CreatedAt)))))));

    public void Create(S3Request request)
    {
        if (!store.CreateBucket(request.Bucket)) throw S3Errors.BucketAlreadyOwnedByYou();
        request.Context.Response.Headers.Location = $"/{request.Bucket}";
    }

    public void Head(S3Request request)
    {
        store.RequireBucket(request.Bucket);
        request.Context.Response.Headers["x-amz-bucket-region"] = "us-east-1";
    }

    public void Delete(S3Request request)
    {
        store.DeleteBucket(request.Bucket);
        request.Context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public Task LocationAsync(S3Request request)
    {
        store.RequireBucket(request.Bucket);
        return S3Xml.WriteAsync(request.Context, S3Xml.Element("LocationConstraint"));
    }

    /// <summary>Versioning was never switched on.</summary>
    public Task VersioningAsync(S3Request request)
    {
        store.RequireBucket(request.Bucket);
        return S3Xml.WriteAsync(request.Context, S3Xml.Element("VersioningConfiguration"));
    }
}
