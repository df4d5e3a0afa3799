using System.Diagnostics;

namespace Kohakku.Tests.Fixtures;

/// <summary>A PostgreSQL server with a folder and a free loopback port of its own; gone, with its data, when disposed of.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    private readonly string folder;
    private readonly int port = Ports.Next();

    private PostgresServer(string folder) => this.folder = folder;

    /// <summary>Of the database <c>postgres</c>.</summary>
    public string ConnectionString => $"Host=127.0.0.1;Port={port};Username=kohakku;Database=postgres;Pooling=false";

    public static async Task<PostgresServer> StartNewAsync(CancellationToken cancellationToken)
    {
        Requirement.Program("initdb", nameof(PostgresServer));
        var folder = Directory.CreateTempSubdirectory("kohakku-pg-").FullName;
        // The server refuses root: its user must be able to enter the folder.
        if (Environment.IsPrivilegedProcess) await ExecuteAsync("chown", ["postgres", folder], cancellationToken);
        await RunAsync("initdb", ["-D", $"{folder}/data", "-U", "kohakku", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"], cancellationToken);
        var server = new PostgresServer(folder);
        await server.StartAsync(cancellationToken);
        return server;
    }

    public Task StartAsync(CancellationToken cancellationToken) => RunAsync(
        "pg_ctl",
        ["-D", $"{folder}/data", "-l", $"{folder}/log", "-w", "-t", "60", "-o", $"-p {port} -h 127.0.0.1 -k {folder} -c max_connections=200", "start"],
        cancellationToken);

    /// <summary>At once and without a checkpoint, as if it had crashed; a start recovers what was committed.</summary>
    public Task KillAsync(CancellationToken cancellationToken) => RunAsync("pg_ctl", ["-D", $"{folder}/data", "-m", "immediate", "-w", "stop"], cancellationToken);

    /// <summary>In order, with its clients' sessions ended.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => RunAsync("pg_ctl", ["-D", $"{folder}/data", "-m", "fast", "-w", "stop"], cancellationToken);

    /// <summary>As if its disk or its machine hung: connections are taken and kept, and nothing is answered.</summary>
    public void Freeze() => Signal("STOP");

    public void Thaw() => Signal("CONT");

    public async ValueTask DisposeAsync()
    {
        Thaw();
        await KillAsync(CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }

    private void Signal(string name)
    {
        var server = File.ReadLines($"{folder}/data/postmaster.pid").First();
        // The server first: it starts no session while the others are gone through.
        using (var kill = Process.Start("kill", ["-s", name, server])) kill.WaitForExit();
        var sessions = File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var killAll = Process.Start("kill", ["-s", name, .. sessions]);
        killAll.WaitForExit();
    }

    private static Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var path = Requirement.Find(program) ?? throw new InvalidOperationException($"{program} is not installed.");
        return Environment.IsPrivilegedProcess
            ? ExecuteAsync("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", path, .. arguments], cancellationToken)
            : ExecuteAsync(path, arguments, cancellationToken);
    }

    private static async Task ExecuteAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        // The server keeps what it inherits open, so its output goes nowhere rather than into a pipe that never ends.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >/dev/null", "sh", program, .. arguments])
        {
            RedirectStandardError = false,
            WorkingDirectory = "/",
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
