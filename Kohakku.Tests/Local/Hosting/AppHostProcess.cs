using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Kohakku.Local.Hosting.Processes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>The real AppHost as a process of its own, with all it runs.</summary>
internal sealed class AppHostProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private readonly Process process;
    private readonly StringBuilder output = new();

    private AppHostProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += OnLine;
        process.ErrorDataReceived += OnLine;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    public static AppHostProcess Start(string dataFolder, string[]? arguments = null, params (string Key, string Value)[] environment)
    {
        // Whoever runs the tests in the background has SIGINT ignored, and so would it.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal", "dotnet", Path.Combine(AppContext.BaseDirectory, "Kohakku.AppHost.dll"), .. arguments ?? []])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["KOHAKKU_DATA"] = dataFolder;
        start.Environment["RUNTIME_BACKEND"] = "process";
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return new AppHostProcess(Process.Start(start)!);
    }

    /// <summary>Waits until all is healthy, and answers what each resource runs as.</summary>
    public async Task<Dictionary<string, ProcessIdentity>> WhenHealthyAsync(string dataFolder)
    {
        await Eventually.Async(
            () => process.HasExited ? throw new InvalidOperationException($"The AppHost ended with {process.ExitCode}: {Output}") : IsFresh(Path.Combine(dataFolder, "endpoints.json")),
            Patience);
        return Directory.GetFiles(Path.Combine(dataFolder, "run"), "*.pid")
            .ToDictionary(file => Path.GetFileNameWithoutExtension(file), file => Assert.NotNull(new PidFile(file).Read()));
    }

    public static async Task<Uri> AddressAsync(string dataFolder, string resource)
    {
        var endpoints = await File.ReadAllTextAsync(Path.Combine(dataFolder, "endpoints.json"), TestContext.Current.CancellationToken);
        return new Uri(JsonDocument.Parse(endpoints).RootElement.GetProperty(resource).GetString()!);
    }

    public void Signal(int signal) => _ = LibC.Kill(process.Id, signal);

    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(patience.Token);
        return process.ExitCode;
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Signal(LibC.SigTerm);
            process.WaitForExit(Patience);
        }
        process.Dispose();
    }

    /// <summary>Not what a killed one has left.</summary>
    private bool IsFresh(string file) => File.Exists(file) && File.GetLastWriteTime(file) > process.StartTime;

    private void OnLine(object sender, DataReceivedEventArgs line)
    {
        lock (output) output.AppendLine(line.Data);
    }
}
