using System.Security.Cryptography;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.ServiceDefaults;

public sealed class ObjectStorageTests(ObjectStorageFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_put_can_be_read_whole_and_in_part_listed_and_deleted()
    {
        using var storage = await fixture.CreateStorageAsync();
        await storage.PutAsync("logs/1/00000.log", "first line\n"u8.ToArray(), "text/plain", Cancellation);
        await storage.PutAsync("logs/1/00001.log", new MemoryStream("second\n"u8.ToArray()), "text/plain", Cancellation);
        await storage.PutAsync("logs/2/00000.log", ReadOnlyMemory<byte>.Empty, "text/plain", Cancellation);

        Assert.Equal("first line\n"u8.ToArray(), await storage.ReadAsync("logs/1/00000.log", Cancellation));
        Assert.Empty((await storage.ReadAsync("logs/2/00000.log", Cancellation))!);
        await using (var part = await storage.GetAsync("logs/1/00000.log", 6, 9, Cancellation))
        {
            using var reader = new StreamReader(part!.Content);
            Assert.Equal("line", await reader.ReadToEndAsync(Cancellation));
            Assert.Equal((4L, 11L, "text/plain"), (part.Length, part.TotalLength, part.ContentType));
        }
        await using (var rest = await storage.GetAsync("logs/1/00000.log", 6, null, Cancellation)) Assert.Equal((5L, 11L), (rest!.Length, rest.TotalLength));
        Assert.Equal(["logs/1/00000.log", "logs/1/00001.log"], await ListAsync(storage, "logs/1/"));
        await storage.DeleteAsync(["logs/1/00000.log", "never there"], Cancellation);
        Assert.Equal(["logs/1/00001.log", "logs/2/00000.log"], await ListAsync(storage, ""));
    }

    [Fact]
    public async Task What_is_not_there_is_null()
    {
        using var storage = await fixture.CreateStorageAsync();
        Assert.Null(await storage.GetAsync("none", null, null, Cancellation));
        Assert.Null(await storage.ReadAsync("none", Cancellation));
    }

    [Fact]
    public async Task More_than_a_page_is_listed_and_deleted()
    {
        using var storage = await fixture.CreateStorageAsync();
        var keys = Enumerable.Range(0, 1005).Select(number => $"many/{number:D5}").ToArray();
        await Parallel.ForEachAsync(keys, Cancellation, async (key, token) => await storage.PutAsync(key, "x"u8.ToArray(), "text/plain", token));
        Assert.Equal(keys, await ListAsync(storage, "many/"));
        await storage.DeleteAsync(keys, Cancellation);
        Assert.Empty(await ListAsync(storage, ""));
    }

    [Fact]
    public async Task A_large_stream_of_unknown_length_is_stored_in_parts()
    {
        using var storage = await fixture.CreateStorageAsync();
        var content = RandomNumberGenerator.GetBytes((2 * MultipartUpload.PartSize) + 12345);
        await storage.PutAsync("large", new Unseekable(content), "application/x-test", Cancellation);
        Assert.Equal(content, await storage.ReadAsync("large", Cancellation));
    }

    [Fact]
    public async Task A_stream_that_breaks_is_not_taken_for_a_fault_of_the_storage_and_leaves_no_object()
    {
        using var storage = await fixture.CreateStorageAsync();
        await Assert.ThrowsAsync<IOException>(() => storage.PutAsync(
            "broken", new Unseekable(new byte[MultipartUpload.PartSize + 10], breaksAtEnd: true), "text/plain", Cancellation));
        Assert.Null(await storage.ReadAsync("broken", Cancellation));
    }

    [Fact]
    public async Task A_bucket_that_is_missing_is_made_by_the_first_put()
    {
        using var storage = new ObjectStorage(await fixture.CreateOptionsAsync(), TimeProvider.System);
        await storage.PutAsync("one", "x"u8.ToArray(), "text/plain", Cancellation);
        Assert.NotNull(await storage.ReadAsync("one", Cancellation));
    }

    [Fact]
    public async Task A_storage_that_is_away_is_a_passing_fault_and_a_wrong_key_is_not()
    {
        var options = await fixture.CreateOptionsAsync();
        using var away = new ObjectStorage(options with { Endpoint = new Uri("http://127.0.0.1:1") }, TimeProvider.System);
        Assert.True((await Assert.ThrowsAsync<ObjectStorageException>(() => away.ReadAsync("a", Cancellation))).Transient);
        using var stranger = new ObjectStorage(options with { SecretKey = "other" }, TimeProvider.System);
        Assert.False((await Assert.ThrowsAsync<ObjectStorageException>(() => stranger.ReadAsync("a", Cancellation))).Transient);
    }

    private static async Task<List<string>> ListAsync(ObjectStorage storage, string prefix)
    {
        var keys = new List<string>();
        await foreach (var found in storage.ListAsync(prefix, Cancellation)) keys.Add(found.Key);
        return keys;
    }

    /// <summary>As a request's body: read once, forwards, in pieces.</summary>
    private sealed class Unseekable(byte[] content, bool breaksAtEnd = false) : Stream
    {
        private int _position;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var length = Math.Min(Math.Min(count, 100_000), content.Length - _position);
            if (length == 0 && breaksAtEnd) throw new IOException("The client went away.");
            content.AsSpan(_position, length).CopyTo(buffer.AsSpan(offset));
            _position += length;
            return length;
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
