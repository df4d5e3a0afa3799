using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Deploy.Compose;

/// <summary>The compose files against what the services read, and profile small for real.</summary>
public sealed partial class ComposeTests
{
    private static readonly string Folder = Path.Combine(SourceTree.RepositoryRoot, "deploy", "compose");
    private static readonly string[] Files = Directory.GetFiles(Folder, "compose*.yaml");

    // What images of others read, and the stand-ins of Kohakku.Local.
    private static readonly string[] OthersSettings =
        ["POSTGRES_USER", "POSTGRES_PASSWORD", "PGPASSWORD", "REDISCLI_AUTH", "CONTROLLER_DB_PASSWORD", "DISPATCHER_DB_PASSWORD", "TEMPORAL_DB_PASSWORD", "TEMPORAL_DATABASE",
         "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "HOME", "DB", "DB_PORT", "POSTGRES_SEEDS", "POSTGRES_PWD", "DBNAME", "VISIBILITY_DBNAME", "SKIP_DB_CREATE",
         "DEFAULT_NAMESPACE", "DEFAULT_NAMESPACE_RETENTION", "TEMPORAL_CSRF_COOKIE_INSECURE", "DOTNET_gcServer"];

    [Fact]
    public void Every_variable_of_the_files_stands_in_the_example_and_every_one_there_is_used()
    {
        var used = Files.SelectMany(file => Variable().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        var told = Told().Matches(File.ReadAllText(Path.Combine(Folder, ".env.example"))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.Empty(used.Except(told));
        Assert.Empty(told.Except(used).Except(["COMPOSE_FILE", "COMPOSE_PROJECT_NAME"]));
    }

    [Fact]
    public void The_example_holds_no_secret()
    {
        var secrets = File.ReadLines(Path.Combine(Folder, ".env.example")).Where(line => Secret().IsMatch(line)).ToList();
        Assert.Equal(9, secrets.Count);
        Assert.All(secrets, line => Assert.EndsWith("=", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Services_are_told_nothing_that_nobody_reads()
    {
        var set = Files.SelectMany(file => Set().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(set);
        Assert.Empty(set.Except(KnownSettings.OfAny).Except(OthersSettings));
    }

    /// <summary>Minutes: it builds the images. What it does, step by step, stands in eng/test-compose.</summary>
    [Fact]
    public async Task Profile_small_comes_up_works_bears_restarts_and_leaves_nothing()
    {
        Requirement.DockerEngine();
        foreach (var program in (string[])["docker", "docker-compose", "docker-registry", "busybox", "initdb", "redis-server", "curl"]) Requirement.Program(program);
        Requirement.Met(File.Exists(Path.Combine(SourceTree.RepositoryRoot, "artifacts", "runner", "kohakku-agent")), "the native runner is not built: it takes gcc or clang");

        // The services as this build made them: …/bin/<configuration>/net10.0/.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo(Path.Combine(SourceTree.RepositoryRoot, "eng", "test-compose"), [configuration]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var script = Process.Start(start)!;
        var said = new StringBuilder();
        script.OutputDataReceived += (_, line) => Add(line.Data);
        script.ErrorDataReceived += (_, line) => Add(line.Data);
        script.BeginOutputReadLine();
        script.BeginErrorReadLine();
        try
        {
            await script.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Not at once: it takes away what it has made.
            using var interrupt = Process.Start("kill", ["-TERM", $"{script.Id}"]);
            throw;
        }
        TestContext.Current.TestOutputHelper?.WriteLine(said.ToString());
        Assert.True(script.ExitCode == 0, said.ToString());

        void Add(string? line)
        {
            lock (said) said.AppendLine(line);
        }
    }

    [GeneratedRegex(@"\$\{([A-Z0-9_]+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^(?:# )?([A-Z0-9_]+)=", RegexOptions.Multiline)]
    private static partial Regex Told();

    [GeneratedRegex("^(?:[A-Z0-9_]*(?:PASSWORD|_KEY|_TOKEN)|S3_SECRET_KEY)=(?!kohakku$)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"^(?: {2}| {6})([A-Z][A-Z0-9_]+|ConnectionStrings__\w+|DOTNET_\w+): ", RegexOptions.Multiline)]
    private static partial Regex Set();
}
