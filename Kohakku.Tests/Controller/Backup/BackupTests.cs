using System.Text.Json;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Controller.Backup;

/// <summary>The commands <c>backup</c> and <c>restore</c> as an operator gives them, with the real pg_dump, Postgres and S3. A whole installation is EndToEnd's.</summary>
public sealed class BackupTests(PostgresFixture postgres, ObjectStorageFixture objects) : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kohakku-backups-");
    private ControllerProcess _controller = null!;
    private ObjectStorage _bucket = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_controller, _bucket) = await InstallationAsync();
        await RunsWellAsync(_controller, "migrate");
        await _bucket.EnsureBucketAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _bucket.Dispose();
        await _controller.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task What_was_backed_up_is_there_again_in_an_empty_installation()
    {
        await ExecuteAsync(_controller.Database, "INSERT INTO outbox (kind, payload, created_at, due_at, tries) VALUES ('test', '{\"text\":\"ünï 'quoted'\"}', now(), now(), 7)");
        byte[] large = [.. Enumerable.Range(0, 12_000_000).Select(i => (byte)(i * 31 % 251))];
        using (var stream = new MemoryStream(large)) await _bucket.PutAsync("tasks/1/large", stream, "application/zip", Cancel);
        await _bucket.PutAsync("tasks/1", "a name that is a folder of another"u8.ToArray(), "text/plain", Cancel);
        await _bucket.PutAsync($"tasks/2/{new string('x', 300)} ü/..%2F..", "odd"u8.ToArray(), "text/plain", Cancel);
        await _bucket.PutAsync("tasks/3/same", "odd"u8.ToArray(), "text/html", Cancel);
        Assert.Contains("objects:  4,", await RunsWellAsync(_controller, "backup", _folder.FullName), StringComparison.Ordinal);

        var (other, bucket) = await InstallationAsync();
        await using var closes = other;
        using (bucket)
        {
            var said = await RunsWellAsync(other, "restore", _folder.FullName);
            Assert.Contains("objects:  4 restored", said, StringComparison.Ordinal);
            Assert.Equal("7", await ScalarAsync(other.Database, "SELECT tries::text FROM outbox WHERE kind = 'test' AND payload->>'text' = 'ünï ''quoted'''"));
            Assert.Equal(await ScalarAsync(_controller.Database, Migrations), await ScalarAsync(other.Database, Migrations));
            Assert.Equal(large, await bucket.ReadAsync("tasks/1/large", Cancel));
            Assert.Equal("odd"u8.ToArray(), await bucket.ReadAsync($"tasks/2/{new string('x', 300)} ü/..%2F..", Cancel));
            await using var found = await bucket.GetAsync("tasks/3/same", null, null, Cancel);
            Assert.Equal("text/html", found!.ContentType);
            Assert.Equal(4, await bucket.ListAsync("", Cancel).CountAsync(Cancel));
        }

        // Not once more over it.
        await FailsAsync(other, "The database is not empty", "restore", _folder.FullName);
    }

    [Fact]
    public async Task Backups_share_what_has_not_changed_and_old_ones_go()
    {
        await _bucket.PutAsync("one", "1"u8.ToArray(), "text/plain", Cancel);
        await _bucket.PutAsync("two", "2"u8.ToArray(), "text/plain", Cancel);
        Assert.Contains("2 of them new", await RunsWellAsync(_controller, "backup", _folder.FullName), StringComparison.Ordinal);
        await _bucket.PutAsync("three", "3"u8.ToArray(), "text/plain", Cancel);
        await _bucket.DeleteAsync(["one"], Cancel);
        // What a process that was killed has left.
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "0123.unfinished"));
        Assert.Contains("objects:  2, 2 bytes; 1 of them new", await RunsWellAsync(_controller, "backup", _folder.FullName, "--keep", "1"), StringComparison.Ordinal);

        var folder = Assert.Single(_folder.GetDirectories(), directory => directory.Name != "objects");
        Assert.Equal(["backup.json", "database.dump", "objects.jsonl"], folder.GetFiles().Select(file => file.Name).Order());
        Assert.Equal(["2", "3"], _folder.GetDirectories("objects")[0].GetFiles("*", SearchOption.AllDirectories).Select(file => File.ReadAllText(file.FullName)).Order());
        Assert.Equal("drwx------", Mode(_folder));
        var text = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "backup.json"), Cancel);
        Assert.DoesNotContain("a-secret-of", text, StringComparison.Ordinal);
        Assert.Equal(2, JsonElement.Parse(text).GetProperty("objects").GetInt32());
    }

    [Fact]
    public async Task What_can_not_be_restored_is_told_in_a_line_and_changes_nothing()
    {
        await FailsAsync(_controller, "There is no backup in", "restore", _folder.FullName);
        await _bucket.PutAsync("one", "1"u8.ToArray(), "text/plain", Cancel);
        await RunsWellAsync(_controller, "backup", _folder.FullName);
        var (other, bucket) = await InstallationAsync();
        await using var closes = other;
        bucket.Dispose();

        await FailsAsync(other, "KOHAKKU_SECRET_KEY is not the one of this backup", [("KOHAKKU_SECRET_KEY", new string('k', 40))], "restore", _folder.FullName);
        var manifest = _folder.GetFiles("backup.json", SearchOption.AllDirectories)[0];
        var whole = await File.ReadAllTextAsync(manifest.FullName, Cancel);
        await File.WriteAllTextAsync(manifest.FullName, whole.Replace("\"format\":1", "\"format\":2", StringComparison.Ordinal), Cancel);
        await FailsAsync(other, "in format 2; this release reads format 1", "restore", _folder.FullName);
        var migration = JsonElement.Parse(whole).GetProperty("migration").GetString()!;
        await File.WriteAllTextAsync(manifest.FullName, whole.Replace(migration, "29990101000000_Later", StringComparison.Ordinal), Cancel);
        await FailsAsync(other, "which is newer than this one", "restore", _folder.FullName);
        await File.WriteAllTextAsync(manifest.FullName, whole, Cancel);

        var content = _folder.GetDirectories("objects")[0].GetFiles("*", SearchOption.AllDirectories)[0];
        await File.WriteAllTextAsync(content.FullName, "x", Cancel);
        await FailsAsync(other, "The content of one is damaged", "restore", _folder.FullName);
        content.Delete();
        await FailsAsync(other, "The content of one is missing", "restore", _folder.FullName);
        Assert.Equal("0", await ScalarAsync(other.Database, "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_those_before_it_as_they_are()
    {
        await RunsWellAsync(_controller, "backup", _folder.FullName);
        await FailsAsync(_controller, "pg_dump ended with 1", [("ConnectionStrings__controller", $"{_controller.Database};Database=nowhere")], "backup", _folder.FullName);
        Assert.Single(_folder.GetFiles("backup.json", SearchOption.AllDirectories));
        await FailsAsync(_controller, "--keep must be at least 1", "backup", _folder.FullName, "--keep", "0");
    }

    private const string Migrations = """SELECT string_agg("MigrationId", ' ' ORDER BY 1) FROM "__EFMigrationsHistory" """;

    private async Task<(ControllerProcess Controller, ObjectStorage Bucket)> InstallationAsync()
    {
        Requirement.Met(Directory.Exists("/usr/lib/postgresql") || File.Exists("/usr/bin/pg_dump"), "pg_dump is not installed");
        var options = await objects.CreateOptionsAsync();
        var controller = await ControllerProcess.CreateAsync(
            postgres, ("S3_ENDPOINT", options.Endpoint.ToString()), ("S3_ACCESS_KEY", options.AccessKey), ("S3_SECRET_KEY", options.SecretKey), ("S3_BUCKET", options.Bucket));
        return (controller, new ObjectStorage(options, TimeProvider.System));
    }

    private static async Task<string> RunsWellAsync(ControllerProcess controller, params string[] arguments)
    {
        var (code, output, errors) = await controller.RunAsync(arguments);
        Assert.True(code == 0, output + errors);
        return output;
    }

    private static Task FailsAsync(ControllerProcess controller, string why, params string[] arguments) => FailsAsync(controller, why, [], arguments);

    private static async Task FailsAsync(ControllerProcess controller, string why, (string, string?)[] environment, params string[] arguments)
    {
        var (code, output, errors) = await controller.RunAsync(arguments, environment);
        Assert.NotEqual(0, code);
        Assert.Contains(why, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors + output, StringComparison.Ordinal);
    }

    private static string Mode(DirectoryInfo folder) => folder.UnixFileMode == (UnixFileMode)0b111_000_000 ? "drwx------" : folder.UnixFileMode.ToString();

    private static async Task ExecuteAsync(string database, string sql) => await ScalarAsync(database, sql);

    private static async Task<string?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return (string?)await command.ExecuteScalarAsync(Cancel);
    }
}
