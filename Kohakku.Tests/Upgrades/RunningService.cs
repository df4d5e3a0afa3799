using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Upgrades;

/// <summary>A program of some release as a process of its own, with nothing of these tests' environment that is Kohakku's.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;

    public RunningService(string program, string[] arguments, IReadOnlyDictionary<string, string> environment, Uri? address = null)
    {
        (Name, Address) = ($"{Path.GetFileNameWithoutExtension(program)} {string.Join(' ', arguments)}".Trim(), address);
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("KOHAKKU_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    /// <summary>Where it listens; null for what does one thing and ends.</summary>
    public Uri? Address { get; }

    /// <summary>What it has printed so far.</summary>
    public string Output => string.Join('\n', _output);

    /// <summary>Waits until it says that it is ready.</summary>
    public async Task<RunningService> ReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = Address };
        var last = "nothing";
        var started = Stopwatch.GetTimestamp();
        await Eventually.Async(async () =>
        {
            Assert.False(_process.HasExited, $"{Name} ended: {Output}");
            try
            {
                using var answer = await client.GetAsync("/ready", TestContext.Current.CancellationToken);
                last = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (answer.IsSuccessStatusCode) return true;
            }
            catch (HttpRequestException fault)
            {
                last = fault.Message;
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"{Name} does not become ready, it says {last}: {Output}");
            return false;
        }, Patience * 2);
        return this;
    }

    /// <summary>SIGTERM, as a supervisor sends it.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", [_process.Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        return await EndAsync();
    }

    /// <summary>As a power cut would.</summary>
    public Task<int> KillAsync()
    {
        _process.Kill();
        return EndAsync();
    }

    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience * 2);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null) _output.Enqueue(line);
    }
}
