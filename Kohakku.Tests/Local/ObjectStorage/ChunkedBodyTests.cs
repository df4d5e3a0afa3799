using System.IO.Pipelines;
using System.Text;
using Kohakku.Local.ObjectStorage;
using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Bodies;

namespace Kohakku.Tests.Local.ObjectStorage;

/// <summary>The example that AWS publishes for chunked uploads: a 66,560-byte object in two chunks.</summary>
public sealed class ChunkedBodyTests
{
    private static readonly VerifiedSignature Seed = new(
        new SigningScope("20130524", "us-east-1").Key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "20130524T000000Z", new SigningScope("20130524", "us-east-1"),
        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");

    private static readonly string Body =
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + new string('a', 65536) + "\r\n"
        + "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + new string('a', 1024) + "\r\n"
        + "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";

    [Fact]
    public async Task The_published_example_is_read() => Assert.Equal(new string('a', 66560), await ReadAsync(Body, Seed));

    [Theory]
    [InlineData("\r\naaa", "\r\naab")]
    [InlineData("ad80c730", "ad80c731")]
    [InlineData("b6c6ea8a", "b6c6ea8b")]
    [InlineData("0055627c", "zz")]
    public async Task A_change_in_any_chunk_is_found(string from, string to)
    {
        var exception = await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(ReplaceFirst(Body, from, to), Seed));
        Assert.Equal("SignatureDoesNotMatch", exception.Code);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100)]
    [InlineData(66_000)]
    [InlineData(66_700)]
    public async Task A_body_that_ends_early_is_not_taken_for_whole(int length)
    {
        var exception = await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(Body[..length], Seed));
        Assert.Equal("IncompleteBody", exception.Code);
    }

    [Theory]
    [InlineData("xyz\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("3\r\nabcd\r\n0\r\n\r\n")]
    [InlineData("ffffffffffffffffff\r\n")]
    public async Task Framing_that_is_broken_is_refused(string body) => await Assert.ThrowsAsync<S3Exception>(() => ReadAsync(body, null));

    private static async Task<string> ReadAsync(string body, VerifiedSignature? signature)
    {
        using var stream = new AwsChunkedStream(PipeReader.Create(new MemoryStream(Encoding.ASCII.GetBytes(body))), signature, hasTrailer: signature is null);
        using var content = new MemoryStream();
        var buffer = new byte[10_000];
        while (await stream.ReadAsync(buffer, TestContext.Current.CancellationToken) is var length and > 0) content.Write(buffer, 0, length);
        return Encoding.ASCII.GetString(content.ToArray());
    }

    private static string ReplaceFirst(string text, string from, string to)
    {
        var at = text.IndexOf(from, StringComparison.Ordinal);
        return text[..at] + to + text[(at + from.Length)..];
    }
}
