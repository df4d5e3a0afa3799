using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using Kohakku.Local.ObjectStorage;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Local.ObjectStorage;

public sealed class AuthenticationTests(ObjectStorageFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_a_signature_nothing_is_answered_but_health()
    {
        using var client = new HttpClient { BaseAddress = await fixture.EndpointAsync() };
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health", Cancellation)).StatusCode);
        var answer = await client.GetAsync("/some-bucket/some-key", Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains("<Code>AccessDenied</Code>", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("other-key", ObjectStorageFixture.SecretKey, "InvalidAccessKeyId")]
    [InlineData(ObjectStorageFixture.AccessKey, "other-secret", "SignatureDoesNotMatch")]
    public async Task A_wrong_key_is_refused(string accessKey, string secretKey, string code)
    {
        using var client = await fixture.CreateClientAsync(accessKey: accessKey, secretKey: secretKey);
        var exception = await Assert.ThrowsAsync<AmazonS3Exception>(() => client.ListBucketsAsync(Cancellation));
        Assert.Equal((code, HttpStatusCode.Forbidden), (exception.ErrorCode, exception.StatusCode));
    }

    [Fact]
    public async Task A_presigned_address_opens_that_object_and_no_other()
    {
        using var storage = await fixture.CreateStorageAsync();
        await storage.PutAsync("one two/ü.txt", "content"u8.ToArray(), "text/plain", Cancellation);
        await storage.PutAsync("other", "secret"u8.ToArray(), "text/plain", Cancellation);
        using var client = new HttpClient();

        var address = storage.PresignGet("one two/ü.txt", TimeSpan.FromMinutes(5));
        Assert.Equal("content", await client.GetStringAsync(address, Cancellation));
        var moved = new UriBuilder(address) { Path = string.Concat(address.Segments[..2]) + "other" }.Uri;
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(moved, Cancellation)).StatusCode);
        using var deletion = await client.DeleteAsync(address, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, deletion.StatusCode);
        var longer = new Uri(address.AbsoluteUri.Replace("X-Amz-Expires=300", "X-Amz-Expires=600", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync(longer, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task An_answer_to_a_presigned_address_has_the_headers_that_were_signed_into_it()
    {
        using var client = await fixture.CreateClientAsync();
        await client.PutBucketAsync("overrides", Cancellation);
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "overrides", Key = "a", ContentBody = "x" }, Cancellation);
        var request = new GetPreSignedUrlRequest { BucketName = "overrides", Key = "a", Expires = DateTime.MaxValue, Protocol = Protocol.HTTP };
        request.Expires = TimeProvider.System.GetUtcNow().AddMinutes(1).UtcDateTime;
        request.ResponseHeaderOverrides.ContentDisposition = "attachment; filename=\"report 1.md\"";
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(await client.GetPreSignedURLAsync(request)), Cancellation);
        Assert.Equal("report 1.md", answer.Content.Headers.ContentDisposition?.FileName?.Trim('"'));
    }

    [Theory]
    [InlineData(14, true)]
    [InlineData(16, false)]
    [InlineData(-14, true)]
    [InlineData(-16, false)]
    public async Task A_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_refused(int minutes, bool isTaken)
    {
        await using var server = await ServerAt.CreateAsync(TimeSpan.FromMinutes(minutes));
        using var client = server.CreateClient();
        if (isTaken)
        {
            await client.ListBucketsAsync(Cancellation);
            return;
        }
        var exception = await Assert.ThrowsAsync<AmazonS3Exception>(() => client.ListBucketsAsync(Cancellation));
        Assert.Equal("RequestTimeTooSkewed", exception.ErrorCode);
    }

    [Fact]
    public async Task A_presigned_address_expires()
    {
        await using var server = await ServerAt.CreateAsync(TimeSpan.Zero);
        using var client = server.CreateClient();
        await client.PutBucketAsync("expiring", Cancellation);
        await client.PutObjectAsync(new PutObjectRequest { BucketName = "expiring", Key = "a", ContentBody = "x" }, Cancellation);
        var address = new Uri(await client.GetPreSignedURLAsync(new GetPreSignedUrlRequest
        {
            BucketName = "expiring", Key = "a", Protocol = Protocol.HTTP, Expires = TimeProvider.System.GetUtcNow().AddMinutes(1).UtcDateTime,
        }));
        using var http = new HttpClient();
        Assert.Equal("x", await http.GetStringAsync(address, Cancellation));
        server.Time.Advance(TimeSpan.FromMinutes(2));
        using var late = await http.GetAsync(address, Cancellation);
        Assert.Equal(HttpStatusCode.Forbidden, late.StatusCode);
        Assert.Contains("Request has expired", await late.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    /// <summary>A server whose clock is off.</summary>
    private sealed class ServerAt(Microsoft.AspNetCore.Builder.WebApplication server, string folder, FakeTimeProvider time) : IAsyncDisposable
    {
        public FakeTimeProvider Time => time;

        public static async Task<ServerAt> CreateAsync(TimeSpan offset)
        {
            var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow() + offset);
            var folder = Directory.CreateTempSubdirectory("kohakku-s3-").FullName;
            var server = ObjectStorageServer.Build(
                new ObjectStorageServerOptions("http://127.0.0.1:0", folder, ObjectStorageFixture.AccessKey, ObjectStorageFixture.SecretKey), time);
            await server.StartAsync(Cancellation);
            return new ServerAt(server, folder, time);
        }

        public AmazonS3Client CreateClient() => new(
            ObjectStorageFixture.AccessKey, ObjectStorageFixture.SecretKey,
            new AmazonS3Config { ServiceURL = server.Urls.First(), ForcePathStyle = true, AuthenticationRegion = ObjectStorageFixture.Region, MaxErrorRetry = 0 });

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }
    }
}
