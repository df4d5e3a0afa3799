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
    private ProgramProcess? _process;

    public string TargetHost => $"127.0.0.1:{_port}";

    /// <summary>Starts it and waits until it says that it is healthy.</summary>
    public async Task StartAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        var process = _process = new ProgramProcess(
            Release.This.Program("Kohakku.Local", "kohakku-local"),
            ["temporal", "--urls", $"http://{TargetHost}", "--namespace", TemporalServerFixture.Namespace],
            new Dictionary<string, string?> { ["TEMPORAL_DATABASE"] = database });
        await Eventually.Async(
            () => process.HasExited ? throw new InvalidOperationException($"It ended: {process}") : IsHealthyAsync(TargetHost), TimeSpan.FromMinutes(2), "the server is healthy");
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public Task KillAsync() => _process!.KillAsync();

    public string Output() => string.Join('\n', _process?.Output ?? []);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
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
}
