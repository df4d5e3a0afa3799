using System.Diagnostics;
using System.Security.Cryptography;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.ObjectStorage;

/// <summary>The server as operators' tools see it.</summary>
public sealed class CommandLineClientTests(ObjectStorageFixture fixture) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kohakku-s3-cli-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Aws_uploads_lists_syncs_downloads_and_deletes()
    {
        Requirement.Program("aws");
        var (small, large) = await MakeFilesAsync();
        await AwsAsync("s3", "mb", "s3://aws-cli");
        await AwsAsync("s3", "cp", small, "s3://aws-cli/docs/small file.txt", "--metadata", "owner=kohakku");
        // Above the tool's threshold: a multipart upload.
        await AwsAsync("s3", "cp", large, "s3://aws-cli/large.bin");
        await AwsAsync("s3", "cp", "s3://aws-cli/large.bin", "s3://aws-cli/copy.bin");
        Assert.Contains("small file.txt", await AwsAsync("s3", "ls", "s3://aws-cli/docs/"), StringComparison.Ordinal);
        Assert.Contains("PRE docs/", await AwsAsync("s3", "ls", "s3://aws-cli/"), StringComparison.Ordinal);
        // A key may begin with a slash; AWS's .NET SDK can't say so.
        await AwsAsync("s3api", "put-object", "--bucket", "aws-cli", "--key", "//rooted", "--body", small);
        Assert.Contains("\"//rooted\"", await AwsAsync("s3api", "list-objects-v2", "--bucket", "aws-cli", "--prefix", "/"), StringComparison.Ordinal);
        await AwsAsync("s3api", "delete-object", "--bucket", "aws-cli", "--key", "//rooted");
        Assert.Contains("kohakku", await AwsAsync("s3api", "head-object", "--bucket", "aws-cli", "--key", "docs/small file.txt"), StringComparison.Ordinal);

        await AwsAsync("s3", "sync", "s3://aws-cli", Path.Combine(_folder, "down"));
        Assert.Equal(await File.ReadAllTextAsync(small, Cancellation), await File.ReadAllTextAsync(Path.Combine(_folder, "down/docs/small file.txt"), Cancellation));
        Assert.Equal(await File.ReadAllBytesAsync(large, Cancellation), await File.ReadAllBytesAsync(Path.Combine(_folder, "down/copy.bin"), Cancellation));
        await AwsAsync("s3", "rb", "s3://aws-cli", "--force");
        Assert.DoesNotContain("aws-cli", await AwsAsync("s3", "ls"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3cmd_uploads_lists_downloads_and_deletes()
    {
        Requirement.Program("s3cmd");
        var (small, large) = await MakeFilesAsync();
        await S3cmdAsync("mb", "s3://s3cmd-cli");
        await S3cmdAsync("put", small, "s3://s3cmd-cli/docs/small file.txt");
        // Above the tool's threshold: a multipart upload.
        await S3cmdAsync("put", "--multipart-chunk-size-mb=5", large, "s3://s3cmd-cli/large.bin");
        Assert.Contains("s3://s3cmd-cli/docs/small file.txt", await S3cmdAsync("ls", "--recursive", "s3://s3cmd-cli"), StringComparison.Ordinal);
        var down = Path.Combine(_folder, "large.down");
        await S3cmdAsync("get", "s3://s3cmd-cli/large.bin", down);
        Assert.Equal(await File.ReadAllBytesAsync(large, Cancellation), await File.ReadAllBytesAsync(down, Cancellation));
        await S3cmdAsync("del", "--recursive", "--force", "s3://s3cmd-cli");
        await S3cmdAsync("rb", "s3://s3cmd-cli");
        Assert.DoesNotContain("s3cmd-cli", await S3cmdAsync("ls"), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<(string Small, string Large)> MakeFilesAsync()
    {
        var (small, large) = (Path.Combine(_folder, "small.txt"), Path.Combine(_folder, "large.bin"));
        await File.WriteAllTextAsync(small, "some text\n", Cancellation);
        await File.WriteAllBytesAsync(large, RandomNumberGenerator.GetBytes(18 * 1024 * 1024), Cancellation);
        return (small, large);
    }

    private async Task<string> AwsAsync(params string[] arguments) =>
        await RunAsync("aws", ["--endpoint-url", (await fixture.EndpointAsync()).GetLeftPart(UriPartial.Authority), .. arguments]);

    private async Task<string> S3cmdAsync(params string[] arguments)
    {
        var host = (await fixture.EndpointAsync()).Authority;
        return await RunAsync(
            "s3cmd",
            ["--config=/dev/null", $"--access_key={ObjectStorageFixture.AccessKey}", $"--secret_key={ObjectStorageFixture.SecretKey}", $"--host={host}", $"--host-bucket={host}",
                "--no-ssl", "--no-progress", .. arguments]);
    }

    private async Task<string> RunAsync(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(Requirement.Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder };
        start.Environment["AWS_ACCESS_KEY_ID"] = ObjectStorageFixture.AccessKey;
        start.Environment["AWS_SECRET_ACCESS_KEY"] = ObjectStorageFixture.SecretKey;
        start.Environment["AWS_DEFAULT_REGION"] = ObjectStorageFixture.Region;
        start.Environment["AWS_CONFIG_FILE"] = "/dev/null";
        start.Environment["AWS_SHARED_CREDENTIALS_FILE"] = "/dev/null";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}{await output}");
        return await output;
    }
}
