using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Kohakku.Tests.Fixtures;

/// <summary>
/// A program as it ships, as a process of its own that can be stopped and killed, with nothing of these tests' environment that is Kohakku's. With
/// <c>KOHAKKU_TEST_LOGS</c> set its lines are printed as they come.
/// </summary>
internal sealed class ProgramProcess : IAsyncDisposable
{
    private const string Kohakkus = "KOHAKKU_";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly bool Prints = Environment.GetEnvironmentVariable("KOHAKKU_TEST_LOGS") is { Length: > 0 };
    private readonly ConcurrentQueue<(string Text, bool IsError)> _lines = new();
    private readonly Process _process;

    /// <param name="program">Its assembly: see <see cref="Release.Program"/>.</param>
    /// <param name="environment">Besides the tests' own; null takes a variable away.</param>
    /// <param name="address">Where it will listen; null for what does one thing and ends.</param>
    public ProgramProcess(string program, IReadOnlyCollection<string> arguments, IReadOnlyDictionary<string, string?> environment, Uri? address = null)
    {
        (Name, Address) = ($"{Path.GetFileNameWithoutExtension(program)} {string.Join(' ', arguments)}".Trim(), address);
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith(Kohakkus, StringComparison.Ordinal) || name == Hosts.Reload).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data, isError: true);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }
    public Uri? Address { get; }
    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;

    /// <summary>The lines that it has printed so far, errors among them.</summary>
    public IReadOnlyCollection<string> Output => [.. _lines.Select(line => line.Text)];

    /// <summary>Those of one of its two outputs alone.</summary>
    public string Printed(bool asErrors) => string.Join('\n', _lines.Where(line => line.IsError == asErrors).Select(line => line.Text));

    /// <summary>All that it has printed so far, for a test that fails to show.</summary>
    public override string ToString() => $"{Name}:\n{string.Join('\n', Output)}";

    /// <summary>Waits until it says that it is there (<c>/health</c>), or with <paramref name="path"/> <c>/ready</c> that it can work too.</summary>
    public async Task<ProgramProcess> AnswersAsync(string path)
    {
        using var client = new HttpClient { BaseAddress = Address };
        var last = "nothing";
        var started = Stopwatch.GetTimestamp();
        await Eventually.Async(async () =>
        {
            Assert.False(HasExited, $"It ended: {this}");
            try
            {
                using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
                last = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                if (answer.IsSuccessStatusCode) return true;
            }
            catch (HttpRequestException fault)
            {
                last = fault.Message;
            }
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"{path} says {last}: {this}");
            return false;
        }, Patience * 2);
        return this;
    }

    /// <summary>SIGTERM, as a supervisor sends it, and its end.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", [Id.ToString(CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        return await EndAsync();
    }

    /// <summary>As a power cut would.</summary>
    public Task<int> KillAsync()
    {
        _process.Kill();
        return EndAsync();
    }

    /// <summary>Waits for its end, and for the last line that it has printed.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It does not end: {this}");
        }
        return _process.ExitCode;
    }

    /// <summary>A test that failed half-way leaves no process running.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Keep(string? line, bool isError = false)
    {
        if (line is null) return;
        _lines.Enqueue((line, isError));
        if (Prints) Console.WriteLine($"{Name}: {line}");
    }
}
