using Amazon.S3;
using Amazon.S3.Model;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

public sealed class CrashTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kohakku-s3-crash-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_killed_in_the_middle_of_an_upload_shows_the_old_object_and_keeps_all_others()
    {
        await using (var server = await ServerProcess.StartAsync(_folder))
        {
            using var client = server.CreateClient();
            await client.PutBucketAsync("crash", Cancellation);
            await client.PutObjectAsync(new PutObjectRequest { BucketName = "crash", Key = "replaced", ContentBody = "old" }, Cancellation);
            using var endless = new EndlessStream();
            var uploads = new[] { "replaced", "fresh" }.Select(key => client.PutObjectAsync(
                new PutObjectRequest { BucketName = "crash", Key = key, InputStream = endless, UseChunkEncoding = true, AutoCloseStream = false }, Cancellation)).ToArray();
            // Both are well on their way when the server dies.
            await Eventually.Async(() => Pending().Count(file => file.Length > 1_000_000) == 2, TimeSpan.FromMinutes(1));
            await server.KillAsync();
            foreach (var upload in uploads) await Assert.ThrowsAnyAsync<Exception>(() => upload);
            Assert.NotEmpty(Pending());
        }
        await using (var server = await ServerProcess.StartAsync(_folder))
        {
            using var client = server.CreateClient();
            var listed = await client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "crash" }, Cancellation);
            Assert.Equal(["replaced"], listed.S3Objects.Select(item => item.Key));
            using var found = await client.GetObjectAsync("crash", "replaced", Cancellation);
            using var reader = new StreamReader(found.ResponseStream);
            Assert.Equal("old", await reader.ReadToEndAsync(Cancellation));
            Assert.Empty(Pending());
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private FileInfo[] Pending() => new DirectoryInfo(Path.Combine(_folder, "tmp")).GetFiles();

    /// <summary>Says it has a gigabyte, and gives it slowly enough to be caught at it.</summary>
    private sealed class EndlessStream : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => true;
        public override bool CanWrite => false;
        public override long Length => 1L << 30;
        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count) => count;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(1, cancellationToken);
            return buffer.Length;
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => 0;
        public override void Flush() { }
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
