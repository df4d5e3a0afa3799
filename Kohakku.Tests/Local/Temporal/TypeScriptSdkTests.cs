using System.Diagnostics;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>
/// The server as another SDK sees it, which shares no code with the one we use: the checks of <c>TypeScript/</c> with their own workers and
/// workflows. They replay each history that they leave.
/// </summary>
public sealed class TypeScriptSdkTests(PostgresFixture postgres)
{
    private const int OldestNode = 20;
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan CheckLimit = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task The_checks_of_the_TypeScript_SDK_pass()
    {
        Requirement.Program("npm");
        var node = await RunAsync("node", ["--version"], AppContext.BaseDirectory, InstallLimit);
        Requirement.Met(node.Output.StartsWith('v') && int.Parse(node.Output[1..node.Output.IndexOf('.')]) >= OldestNode, $"Node.js {OldestNode} or newer is not installed");
        var folder = Path.Combine(AppContext.BaseDirectory, "Local", "Temporal", "TypeScript");
        // Kept between runs, so that only a change of the versions asks the registry again.
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            var install = await RunAsync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], folder, InstallLimit);
            Assert.True(install.ExitCode == 0, $"npm ci: {install.Output}");
        }
        await using var server = new TemporalServerProcess(await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken));
        await server.StartAsync();

        var checks = await RunAsync("npm", ["test"], folder, CheckLimit, ("TEMPORAL_ADDRESS", server.TargetHost));

        Assert.True(checks.ExitCode == 0, $"{checks.Output}\nThe server: {server.Output()}");
        Assert.Matches("# pass [1-9][0-9]", checks.Output);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, string folder, TimeSpan limit, params (string Name, string Value)[] environment)
    {
        if (Requirement.Find(program) is not { } path) return (-1, "");
        var start = new ProcessStartInfo(path, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        end.CancelAfter(limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(end.Token);
            var error = process.StandardError.ReadToEndAsync(end.Token);
            await process.WaitForExitAsync(end.Token);
            return (process.ExitCode, await output + await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
