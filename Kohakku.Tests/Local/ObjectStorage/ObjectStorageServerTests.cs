using System.Net;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

/// <summary>The S3 server as AWS's own SDK sees it.</summary>
public sealed class ObjectStorageServerTests(ObjectStorageFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a")]
    [InlineData("a/b")]
    [InlineData("a//b")]
    [InlineData("trailing/")]
    [InlineData("with space + plus & amp ? mark # hash % percent")]
    [InlineData("Größe/日本語/🦉")]
    [InlineData("@~%2F@~")]
    [InlineData("...")]
    [InlineData("quote\"'<>")]
    public async Task An_object_comes_back_under_any_key(string key)
    {
        using var client = await ClientWithBucketAsync("keys");
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "keys", Key = key, ContentBody = key, ContentType = "text/x-test" }, Cancellation);

        using var found = await client.GetObjectAsync("keys", key, Cancellation);
        using var reader = new StreamReader(found.ResponseStream);
        Assert.Equal(key, await reader.ReadToEndAsync(Cancellation));
        Assert.Equal("text/x-test", found.Headers.ContentType);
        var listed = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "keys", Prefix = key }, Cancellation);
        Assert.Contains(listed.S3Objects, item => item.Key == key && item.Size == Encoding.UTF8.GetByteCount(key));
    }

    [Fact]
    public async Task Keys_of_the_longest_kind_work_and_longer_ones_are_refused()
    {
        using var client = await ClientWithBucketAsync("long-keys");
        string[] keys = [new string('k', 1024), "a" + new string('/', 511) + new string('.', 512), string.Concat(Enumerable.Repeat("日", 341))];
        foreach (var key in keys) await client.PutObjectAsync(new PutObjectRequest { BucketName = "long-keys", Key = key, ContentBody = "x" }, Cancellation);

        var listed = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "long-keys" }, Cancellation);
        Assert.Equal(keys.Order(StringComparer.Ordinal), listed.S3Objects.Select(item => item.Key));
        await FailsAsync("KeyTooLongError", 400, () => client.PutObjectAsync(
            new PutObjectRequest { BucketName = "long-keys", Key = new string('k', 1025), ContentBody = "x" }, Cancellation));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Bodies_of_every_framing_arrive_whole(bool chunked, bool checksummed)
    {
        using var client = await ClientWithBucketAsync("framing");
        var content = RandomNumberGenerator.GetBytes(300_001);
        var request = new PutObjectRequest { BucketName = "framing", Key = "object", InputStream = new MemoryStream(content), UseChunkEncoding = chunked };
        if (checksummed) request.ChecksumAlgorithm = ChecksumAlgorithm.SHA256;
        var put = await client.PutObjectAsync(request, Cancellation);

        Assert.Equal($"\"{Md5(content)}\"", put.ETag);
        Assert.Equal(content, await ReadAsync(client, "framing", "object"));
    }

    [Theory]
    [InlineData("CRC32")]
    [InlineData("CRC32C")]
    [InlineData("SHA1")]
    [InlineData("SHA256")]
    [InlineData("CRC64NVME")]
    public async Task A_checksum_of_the_client_is_verified_and_comes_back(string algorithm)
    {
        using var client = await ClientWithBucketAsync("checksums");
        var content = "123456789"u8.ToArray();
        await client.PutObjectAsync(
            new PutObjectRequest { BucketName = "checksums", Key = algorithm, InputStream = new MemoryStream(content), ChecksumAlgorithm = ChecksumAlgorithm.FindValue(algorithm) },
            Cancellation);

        using var found = await client.GetObjectAsync(
            new GetObjectRequest { BucketName = "checksums", Key = algorithm, ChecksumMode = ChecksumMode.ENABLED }, Cancellation);
        // The published check values of the algorithms, and of SHA by another implementation.
        var (actual, expected) = algorithm switch
        {
            "CRC32" => (found.ChecksumCRC32, Convert.ToBase64String([0xCB, 0xF4, 0x39, 0x26])),
            "CRC32C" => (found.ChecksumCRC32C, Convert.ToBase64String([0xE3, 0x06, 0x92, 0x83])),
            "CRC64NVME" => (found.ChecksumCRC64NVME, Convert.ToBase64String([0xAE, 0x8B, 0x14, 0x86, 0x0A, 0x79, 0x98, 0x88])),
            "SHA1" => (found.ChecksumSHA1, Convert.ToBase64String(CryptographicOperations.HashData(HashAlgorithmName.SHA1, content))),
            _ => (found.ChecksumSHA256, Convert.ToBase64String(SHA256.HashData(content))),
        };
        Assert.Equal(expected, actual);
    }

    [Fact]
    public async Task A_body_that_is_not_what_was_announced_leaves_the_old_object()
    {
        using var client = await ClientWithBucketAsync("digests");
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "digests", Key = "object", ContentBody = "old" }, Cancellation);
        await FailsAsync("BadDigest", 400, () => client.PutObjectAsync(
            new PutObjectRequest { BucketName = "digests", Key = "object", ContentBody = "new", MD5Digest = Convert.ToBase64String(CryptographicOperations.HashData(HashAlgorithmName.MD5, "other"u8)) }, Cancellation));
        await FailsAsync("BadDigest", 400, () => client.PutObjectAsync(
            new PutObjectRequest { BucketName = "digests", Key = "object", ContentBody = "new", ChecksumCRC32 = "AAAAAA==" }, Cancellation));
        Assert.Equal("old"u8.ToArray(), await ReadAsync(client, "digests", "object"));
    }

    [Fact]
    public async Task Metadata_and_headers_come_back_and_can_be_replaced_by_a_copy()
    {
        using var client = await ClientWithBucketAsync("metadata");
        var request = new PutObjectRequest { BucketName = "metadata", Key = "one", ContentBody = "text", ContentType = "text/plain" };
        request.Headers.CacheControl = "no-store";
        request.Headers.ContentDisposition = "attachment; filename=\"a.txt\"";
        request.Metadata["owner"] = "kohakku";
        await client.PutObjectAsync(request, Cancellation);
        await client.CopyObjectAsync(new CopyObjectRequest { SourceBucket = "metadata", SourceKey = "one", DestinationBucket = "metadata", DestinationKey = "two words" }, Cancellation);
        var replacing = new CopyObjectRequest
        {
            SourceBucket = "metadata", SourceKey = "two words", DestinationBucket = "metadata", DestinationKey = "three",
            MetadataDirective = S3MetadataDirective.REPLACE, ContentType = "text/markdown",
        };
        await client.CopyObjectAsync(replacing, Cancellation);

        var copy = await client.GetObjectMetadataAsync("metadata", "two words", Cancellation);
        Assert.Equal(("text/plain", "no-store", "kohakku"), (copy.Headers.ContentType, copy.Headers.CacheControl, copy.Metadata["owner"]));
        var replaced = await client.GetObjectMetadataAsync("metadata", "three", Cancellation);
        Assert.Equal(("text/markdown", 0), (replaced.Headers.ContentType, replaced.Metadata.Count));
        Assert.Equal("text"u8.ToArray(), await ReadAsync(client, "metadata", "three"));
    }

    [Theory]
    [InlineData("bytes=0-9", 0, 10)]
    [InlineData("bytes=90-", 90, 10)]
    [InlineData("bytes=95-1000", 95, 5)]
    [InlineData("bytes=-7", 93, 7)]
    [InlineData("bytes=-1000", 0, 100)]
    public async Task A_range_is_that_part_of_the_object(string range, int from, int length)
    {
        using var client = await ClientWithBucketAsync("ranges");
        var content = RandomNumberGenerator.GetBytes(100);
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "ranges", Key = range, InputStream = new MemoryStream(content) }, Cancellation);
        using var found = await client.GetObjectAsync(new GetObjectRequest { BucketName = "ranges", Key = range, ByteRange = new ByteRange(range) }, Cancellation);
        using var part = new MemoryStream();
        await found.ResponseStream.CopyToAsync(part, Cancellation);
        Assert.Equal(content[from..(from + length)], part.ToArray());
        await FailsAsync("InvalidRange", 416, () => client.GetObjectAsync(
            new GetObjectRequest { BucketName = "ranges", Key = range, ByteRange = new ByteRange("bytes=100-") }, Cancellation));
    }

    [Fact]
    public async Task Conditions_of_reads_and_writes_hold()
    {
        using var client = await ClientWithBucketAsync("conditions");
        var put = await client.PutObjectAsync(new PutObjectRequest { BucketName = "conditions", Key = "object", ContentBody = "one" }, Cancellation);
        await FailsAsync("PreconditionFailed", 412, () => client.GetObjectAsync(
            new GetObjectRequest { BucketName = "conditions", Key = "object", EtagToMatch = "\"other\"" }, Cancellation));
        await FailsAsync("PreconditionFailed", 412, () => client.PutObjectAsync(
            new PutObjectRequest { BucketName = "conditions", Key = "object", ContentBody = "two", IfNoneMatch = "*" }, Cancellation));
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "conditions", Key = "object", ContentBody = "three", IfMatch = put.ETag }, Cancellation);
        await FailsAsync("PreconditionFailed", 412, () => client.PutObjectAsync(
            new PutObjectRequest { BucketName = "conditions", Key = "object", ContentBody = "four", IfMatch = put.ETag }, Cancellation));
        var unmodified = await Assert.ThrowsAsync<AmazonS3Exception>(() => client.GetObjectAsync(
            new GetObjectRequest { BucketName = "conditions", Key = "object", EtagToNotMatch = $"\"{Md5("three"u8.ToArray())}\"" }, Cancellation));
        Assert.Equal(HttpStatusCode.NotModified, unmodified.StatusCode);
    }

    [Fact]
    public async Task What_is_missing_is_said_to_be()
    {
        using var client = await ClientWithBucketAsync("missing");
        await FailsAsync("NoSuchKey", 404, () => client.GetObjectAsync("missing", "none", Cancellation));
        await FailsAsync("NoSuchBucket", 404, () => client.GetObjectAsync("no-such-bucket", "none", Cancellation));
        await FailsAsync("NoSuchBucket", 404, () => client.PutObjectAsync(new PutObjectRequest { BucketName = "no-such-bucket", Key = "a", ContentBody = "x" }, Cancellation));
        await FailsAsync("NoSuchUpload", 404, () => client.ListPartsAsync("missing", "none", "../../objects", Cancellation));
        await FailsAsync("NotImplemented", 501, () => client.GetBucketPolicyAsync("missing", Cancellation));
        var head = await Assert.ThrowsAsync<AmazonS3Exception>(() => client.GetObjectMetadataAsync("missing", "none", Cancellation));
        Assert.Equal(HttpStatusCode.NotFound, head.StatusCode);
        // Deleting what is not there is no fault.
        await client.DeleteObjectAsync("missing", "none", Cancellation);
    }

    [Fact]
    public async Task Buckets_are_made_listed_and_deleted_when_empty()
    {
        using var client = await ClientWithBucketAsync("buckets-one");
        await FailsAsync("BucketAlreadyOwnedByYou", 409, () => client.PutBucketAsync("buckets-one", Cancellation));
        await FailsAsync("InvalidBucketName", 400, () => client.PutBucketAsync(new PutBucketRequest { BucketName = "Not_A_Bucket" }, Cancellation));
        Assert.Contains((await client.ListBucketsAsync(Cancellation)).Buckets, bucket => bucket.BucketName == "buckets-one");
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "buckets-one", Key = "deep/down/object", ContentBody = "x" }, Cancellation);
        await FailsAsync("BucketNotEmpty", 409, () => client.DeleteBucketAsync("buckets-one", Cancellation));
        await client.DeleteObjectAsync("buckets-one", "deep/down/object", Cancellation);
        await client.DeleteBucketAsync("buckets-one", Cancellation);
        await FailsAsync("NoSuchBucket", 404, () => client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "buckets-one" }, Cancellation));
    }

    [Fact]
    public async Task Many_are_deleted_at_once()
    {
        using var client = await ClientWithBucketAsync("deletes");
        string[] keys = ["a", "a/b", "a//b", "ü <&>"];
        foreach (var key in keys) await client.PutObjectAsync(new PutObjectRequest { BucketName = "deletes", Key = key, ContentBody = "x" }, Cancellation);
        var deleted = await client.DeleteObjectsAsync(
            new DeleteObjectsRequest { BucketName = "deletes", Objects = [.. keys.Append("never there").Select(key => new KeyVersion { Key = key })] }, Cancellation);
        Assert.Equal(5, deleted.DeletedObjects.Count);
        Assert.Empty((await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "deletes" }, Cancellation)).S3Objects ?? []);
    }

    private async Task<AmazonS3Client> ClientWithBucketAsync(string bucket)
    {
        var client = await fixture.CreateClientAsync();
        try
        {
            await client.PutBucketAsync(bucket, Cancellation);
        }
        catch (AmazonS3Exception exception) when (exception.ErrorCode == "BucketAlreadyOwnedByYou")
        {
            // Another case of the same theory made it.
        }
        return client;
    }

    private static async Task<byte[]> ReadAsync(AmazonS3Client client, string bucket, string key)
    {
        using var found = await client.GetObjectAsync(bucket, key, Cancellation);
        using var content = new MemoryStream();
        await found.ResponseStream.CopyToAsync(content, Cancellation);
        return content.ToArray();
    }

    private static async Task FailsAsync(string code, int status, Func<Task> call)
    {
        var exception = await Assert.ThrowsAnyAsync<AmazonServiceException>(call);
        Assert.Equal((code, status), (exception.ErrorCode, (int)exception.StatusCode));
    }

    private static string Md5(byte[] content) => Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.MD5, content));
}
