using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

public sealed class MultipartTests(ObjectStorageFixture fixture)
{
    private const int PartSize = 5 * 1024 * 1024;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Parts_in_any_order_become_one_object_and_completing_twice_says_the_same()
    {
        using var client = await fixture.CreateClientAsync();
        await client.PutBucketAsync("multipart", Cancellation);
        var content = RandomNumberGenerator.GetBytes(PartSize + 1000);
        var upload = await client.InitiateMultipartUploadAsync(
            new InitiateMultipartUploadRequest { BucketName = "multipart", Key = "big/one", ContentType = "video/x" }, Cancellation);
        var second = await PutPartAsync(client, upload, 2, content[PartSize..]);
        var first = await PutPartAsync(client, upload, 1, content[..PartSize]);
        var parts = await client.ListPartsAsync("multipart", "big/one", upload.UploadId, Cancellation);
        Assert.Equal([(1, PartSize), (2, 1000L)], parts.Parts.Select(part => (part.PartNumber!.Value, part.Size!.Value)));
        Assert.Single((await client.ListMultipartUploadsAsync("multipart", Cancellation)).MultipartUploads);

        var complete = new CompleteMultipartUploadRequest { BucketName = "multipart", Key = "big/one", UploadId = upload.UploadId, PartETags = [first, second] };
        var completed = await client.CompleteMultipartUploadAsync(complete, Cancellation);
        Assert.EndsWith("-2\"", completed.ETag, StringComparison.Ordinal);
        Assert.Equal(completed.ETag, (await client.CompleteMultipartUploadAsync(complete, Cancellation)).ETag);
        using var found = await client.GetObjectAsync("multipart", "big/one", Cancellation);
        using var read = new MemoryStream();
        await found.ResponseStream.CopyToAsync(read, Cancellation);
        Assert.Equal(content, read.ToArray());
        Assert.Equal("video/x", found.Headers.ContentType);
        Assert.Empty((await client.ListMultipartUploadsAsync("multipart", Cancellation)).MultipartUploads ?? []);
    }

    [Fact]
    public async Task Wrong_parts_are_refused_and_an_aborted_upload_leaves_nothing()
    {
        using var client = await fixture.CreateClientAsync();
        await client.PutBucketAsync("multipart-wrong", Cancellation);
        var upload = await client.InitiateMultipartUploadAsync("multipart-wrong", "one", Cancellation);
        var first = await PutPartAsync(client, upload, 1, new byte[10]);
        var second = await PutPartAsync(client, upload, 2, new byte[10]);

        await FailsAsync("EntityTooSmall", first, second);
        await FailsAsync("InvalidPart", first, new PartETag(3, "\"none\""));
        await client.AbortMultipartUploadAsync("multipart-wrong", "one", upload.UploadId, Cancellation);
        await FailsAsync("NoSuchUpload", first);
        var late = await Assert.ThrowsAsync<AmazonS3Exception>(() => PutPartAsync(client, upload, 1, new byte[10]));
        Assert.Equal("NoSuchUpload", late.ErrorCode);
        await client.DeleteBucketAsync("multipart-wrong", Cancellation);

        async Task FailsAsync(string code, params List<PartETag> parts)
        {
            var request = new CompleteMultipartUploadRequest { BucketName = "multipart-wrong", Key = "one", UploadId = upload.UploadId, PartETags = parts };
            var exception = await Assert.ThrowsAsync<AmazonS3Exception>(() => client.CompleteMultipartUploadAsync(request, Cancellation));
            Assert.Equal(code, exception.ErrorCode);
        }
    }

    private static async Task<PartETag> PutPartAsync(AmazonS3Client client, InitiateMultipartUploadResponse upload, int number, byte[] content)
    {
        var answer = await client.UploadPartAsync(
            new UploadPartRequest
            {
                BucketName = upload.BucketName, Key = upload.Key, UploadId = upload.UploadId, PartNumber = number,
                InputStream = new MemoryStream(content), PartSize = content.Length,
            },
            Cancellation);
        return new PartETag(number, answer.ETag);
    }
}
