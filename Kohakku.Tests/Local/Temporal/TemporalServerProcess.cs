using System.Diagnostics;
using System.Text;
using Kohakku.Tests.Fixtures;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>
/// The server as a process of its own, as AppHost runs it, so that it can be killed. Started again it is on the same port and has the same database.
/// </summary>
internal sealed class TemporalServerProcess(string database) : IAsyncDisposable
{
    private readonly int _port = Ports.Next();
    private readonly StringBuilder _output = new();
    private Process? _process;

    public string TargetHost => $"127.0.0.1:{_port}";

    /// <summary>Starts it and waits until it says that it is healthy.</summary>
    public async Task StartAsync()
    {
        _process?.Dispose();
        var start = new ProcessStartInfo(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "kohakku-local.dll"), "temporal", "--urls", $"http://{TargetHost}",
                "--namespace", TemporalServerFixture.Namespace,
            ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TEMPORAL_DATABASE"] = database;
        var process = _process = Process.Start(start)!;
        process.OutputDataReceived += OnLine;
        process.ErrorDataReceived += OnLine;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await Eventually.Async(
            () => process.HasExited ? throw new InvalidOperationException($"The server ended with {process.ExitCode}: {Output()}") : IsHealthyAsync(TargetHost),
            TimeSpan.FromMinutes(2),
            "the server is healthy");
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public string Output()
    {
        lock (_output) return _output.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    /// <summary>Whether a server there says that it is healthy.</summary>
    public static async Task<bool> IsHealthyAsync(string targetHost)
    {
        try
        {
            var connection = TemporalConnection.CreateLazy(new TemporalConnectionOptions(targetHost));
            return await connection.CheckHealthAsync(options: new RpcOptions { Retry = false, Timeout = TimeSpan.FromSeconds(5) });
        }
        catch (Exception exception) when (exception is RpcException or InvalidOperationException)
        {
            // It does not listen yet.
            return false;
        }
    }

    private void OnLine(object sender, DataReceivedEventArgs line)
    {
        lock (_output) _output.AppendLine(line.Data);
    }
}
