using Amazon.S3;
using Amazon.S3.Model;
using CsCheck;
using Kohakku.Local.ObjectStorage.Storage;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

public sealed class ListingTests(ObjectStorageFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Parts that collide where a mapping to files is naive, and that sort differently by UTF-16 and by UTF-8.</summary>
    private static readonly Gen<string> Keys = Gen.OneOf("a", "b", "-", ".", "..", "", "a.", "a-", "a0", "ü", "\uFF5E", "🦉", "%", "@", "~", new string('x', 250))
        .Array[1, 4].Select(parts => string.Join('/', parts)).Where(key => key.Length > 0 && key[0] != '/');

    [Fact]
    public void Any_keys_have_paths_of_their_own_inside_the_folder() =>
        Gen.Select(Keys, Keys).Sample((one, other) =>
        {
            var root = Path.GetFullPath("/root");
            var (first, second) = (Path.Combine(root, KeyPath.OfObject(one)), Path.Combine(root, KeyPath.OfObject(other)));
            Assert.StartsWith(root + "/", Path.GetFullPath(first), StringComparison.Ordinal);
            Assert.Equal(first, Path.GetFullPath(first));
            Assert.Equal(one == other, first == second);
            Assert.All(first.Split('/'), name => Assert.InRange(name.Length, 0, 255));
        });

    [Fact]
    public async Task Any_listing_is_what_a_sorted_set_of_the_keys_would_say()
    {
        using var client = await fixture.CreateClientAsync();
        var round = 0;
        var cases = Gen.Select(Keys.HashSet[0, 12], Gen.OneOf(Gen.Const(""), Keys), Gen.OneOf("", "/", "a"), Gen.Int[1, 4]);
        await cases.SampleAsync(
            async (keys, prefix, delimiter, pageSize) =>
            {
                var bucket = $"listing-{Interlocked.Increment(ref round)}";
                await client.PutBucketAsync(bucket, Cancellation);
                foreach (var key in keys) await client.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = key, ContentBody = "x" }, Cancellation);
                var expected = Expected(keys, prefix, delimiter);
                Assert.Equal(expected, await ListAsync(client, bucket, prefix, delimiter, pageSize));
                Assert.Equal(expected, await ListV1Async(client, bucket, prefix, delimiter, pageSize));
            },
            iter: 40, threads: 1);
    }

    [Fact]
    public async Task A_listing_begins_behind_a_key()
    {
        using var client = await fixture.CreateClientAsync();
        await client.PutBucketAsync("start-after", Cancellation);
        foreach (var key in (string[])["a", "a/1", "a/2", "b"])
            await client.PutObjectAsync(new PutObjectRequest { BucketName = "start-after", Key = key, ContentBody = "x" }, Cancellation);
        var listed = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "start-after", StartAfter = "a/1", Encoding = EncodingType.Url }, Cancellation);
        Assert.Equal(["a/2", "b"], listed.S3Objects.Select(item => item.Key));
    }

    private static List<string> Expected(IEnumerable<string> keys, string prefix, string delimiter) =>
        [.. keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(key => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(key)), StringComparer.Ordinal)
            .Select(key => delimiter.Length > 0 && key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is var end and >= 0
                ? "prefix " + key[..(end + delimiter.Length)]
                : "key " + key)
            .Distinct()];

    private static async Task<List<string>> ListAsync(AmazonS3Client client, string bucket, string prefix, string delimiter, int pageSize)
    {
        var found = new List<string>();
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix, Delimiter = delimiter, MaxKeys = pageSize, Encoding = EncodingType.Url };
        while (true)
        {
            var page = await client.ListObjectsV2Async(request, Cancellation);
            found.AddRange(Merge(page.S3Objects, page.CommonPrefixes));
            Assert.InRange((page.S3Objects?.Count ?? 0) + (page.CommonPrefixes?.Count ?? 0), 0, pageSize);
            if (page.IsTruncated is not true) return found;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    private static async Task<List<string>> ListV1Async(AmazonS3Client client, string bucket, string prefix, string delimiter, int pageSize)
    {
        var found = new List<string>();
        var request = new ListObjectsRequest { BucketName = bucket, Prefix = prefix, Delimiter = delimiter, MaxKeys = pageSize, Encoding = EncodingType.Url };
        while (true)
        {
            var page = await client.ListObjectsAsync(request, Cancellation);
            found.AddRange(Merge(page.S3Objects, page.CommonPrefixes));
            if (page.IsTruncated is not true) return found;
            request.Marker = Uri.UnescapeDataString(page.NextMarker);
        }
    }

    /// <summary>A page tells keys and prefixes apart; within it they are merged by their order. The SDK leaves them encoded.</summary>
    private static IEnumerable<string> Merge(List<S3Object>? objects, List<string>? prefixes) =>
        (objects ?? []).Select(item => (Key: Uri.UnescapeDataString(item.Key), Kind: "key "))
            .Concat((prefixes ?? []).Select(prefix => (Key: Uri.UnescapeDataString(prefix), Kind: "prefix ")))
            .OrderBy(item => Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(item.Key)), StringComparer.Ordinal)
            .Select(item => item.Kind + item.Key);
}
