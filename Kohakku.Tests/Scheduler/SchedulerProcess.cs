using System.Collections.Concurrent;
using System.Diagnostics;

namespace Kohakku.Tests.Scheduler;

/// <summary>A scheduler as it ships, on a database of the test's; Temporal and object storage are away.</summary>
internal sealed class SchedulerProcess : IDisposable
{
    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;

    public SchedulerProcess(string database, params (string Key, string Value)[] settings)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../Kohakku.Scheduler/bin", configuration, "net10.0/Kohakku.Scheduler.dll"));
        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("KOHAKKU_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["ConnectionStrings__controller"] = database,
            ["KOHAKKU_SECRET_KEY"] = "a-secret-of-more-than-32-bytes-for-the-tests",
            ["CALLBACK_SIGNING_KEY"] = "a-signing-key-of-more-than-32-bytes-for-the-tests",
            ["S3_ENDPOINT"] = "http://127.0.0.1:9",
            ["S3_ACCESS_KEY"] = "tests",
            ["S3_SECRET_KEY"] = "tests-secret",
            ["TEMPORAL_ADDRESS"] = "127.0.0.1:9",
        }) start.Environment[name] = value;
        foreach (var (name, value) in settings) start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException("The scheduler did not start.");
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>What it has printed so far.</summary>
    public string Output => string.Join('\n', _output);

    public bool HasExited => _process.HasExited;

    /// <summary>As a power cut would.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null) _output.Enqueue(line);
    }
}
