using System.Diagnostics;
using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Agent;

/// <summary>The real runner as a real process, with a workspace of its own; gone with all it started at the end.</summary>
internal sealed class RunnerUnderTest : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-runner-").FullName;
    private readonly Process process;
    private readonly Task<string> errors;

    private RunnerUnderTest(ScriptedDispatcher dispatcher, IReadOnlyDictionary<string, string> environment)
    {
        // Whoever the agent runs as must be able to reach its workspace.
        File.SetUnixFileMode(folder, (UnixFileMode)0x1ED); // 0755
        // Whoever runs the tests in the background has SIGINT ignored, and so would it.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal", Binary(), "exec"]) { RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        start.Environment[AgentEnvironment.Token] = "the-token";
        start.Environment[AgentEnvironment.Workspace] = Workspace;
        start.Environment["KOHAKKU_EXIT_FILE"] = ExitFile;
        if (dispatcher.Socket is { } socket) start.Environment[AgentEnvironment.Socket] = socket;
        else start.Environment[AgentEnvironment.Url] = dispatcher.Url.ToString();
        foreach (var (name, value) in environment) start.Environment[name] = value;
        process = Process.Start(start)!;
        errors = process.StandardError.ReadToEndAsync();
    }

    public string Workspace => Path.Combine(folder, "workspace");
    public int ProcessId => process.Id;
    private string ExitFile => Path.Combine(folder, "exit.json");

    public static RunnerUnderTest Start(ScriptedDispatcher dispatcher, params (string Name, string Value)[] environment) =>
        new(dispatcher, environment.ToDictionary(variable => variable.Name, variable => variable.Value));

    /// <summary>The native runner that the build has put beside the dispatcher.</summary>
    public static string Binary([System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        var path = Path.Combine(AppContext.BaseDirectory, "runner", "kohakku-agent");
        Requirement.Met(File.Exists(path), "there is no native runner (gcc, and a new build, make it)", test);
        return path;
    }

    /// <summary>Runs the scripted attempt to its end, which must be reported.</summary>
    public static async Task<AgentResult> RunAsync(ScriptedDispatcher dispatcher, params (string Name, string Value)[] environment)
    {
        await using var runner = Start(dispatcher, environment);
        var (exitCode, errors) = await runner.WhenEndedAsync();
        Assert.True(exitCode == 0, $"The runner ended with {exitCode}: {errors}");
        return Assert.Single(dispatcher.Results);
    }

    /// <summary>Its exit code, which it must also have left in the file.</summary>
    public async Task<(int ExitCode, string Errors)> WhenEndedAsync()
    {
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(120));
        using var left = JsonDocument.Parse(await File.ReadAllTextAsync(ExitFile));
        Assert.Equal(process.ExitCode, left.RootElement.GetProperty("exitCode").GetInt32());
        return (process.ExitCode, await errors);
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", ["-s", name, $"{process.Id}"]);
        kill.WaitForExit();
    }

    /// <summary>The most memory it has had so far, in KiB.</summary>
    public long PeakMemory() => File.ReadLines($"/proc/{process.Id}/status").Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture)).Single();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
