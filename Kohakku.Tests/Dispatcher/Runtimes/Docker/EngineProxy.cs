using System.Net.Sockets;
using System.Text;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

/// <summary>Stands between a runtime and the engine, to take the engine away and to lose its answers.</summary>
internal sealed class EngineProxy : IAsyncDisposable
{
    private readonly string path;
    private readonly Lock gate = new();
    private readonly List<Socket> open = [];
    private Socket? listener;
    private string? losing;

    public EngineProxy(string path)
    {
        this.path = path;
        Start();
    }

    public Uri Address => new($"unix://{path}");

    public int Lost { get; private set; }

    /// <summary>The next answer to such a request is lost on its way, after the engine has done what was asked.</summary>
    public void LoseAnswerTo(string request) => losing = request;

    /// <summary>As when the engine is killed: every connection breaks and none can be made.</summary>
    public void Stop()
    {
        lock (gate)
        {
            listener?.Dispose();
            listener = null;
            foreach (var socket in open) socket.Dispose();
            open.Clear();
            File.Delete(path);
        }
    }

    public void Start()
    {
        var fresh = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        fresh.Bind(new UnixDomainSocketEndPoint(path));
        fresh.Listen();
        lock (gate) listener = fresh;
        _ = AcceptAsync(fresh);
    }

    public ValueTask DisposeAsync()
    {
        Stop();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(Socket accepting)
    {
        try
        {
            while (true)
            {
                var client = await accepting.AcceptAsync();
                var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await engine.ConnectAsync(new UnixDomainSocketEndPoint("/var/run/docker.sock"));
                lock (gate) open.AddRange([client, engine]);
                var loses = new bool[1];
                _ = PumpAsync(client, engine, request => loses[0] |= Matches(request));
                _ = PumpAsync(engine, client, _ => { }, () => loses[0]);
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private bool Matches(string request)
    {
        if (losing is not { } wanted || !request.Contains(wanted, StringComparison.Ordinal)) return false;
        losing = null;
        Lost++;
        return true;
    }

    private static async Task PumpAsync(Socket from, Socket to, Action<string> seen, Func<bool>? cut = null)
    {
        var buffer = new byte[65_536];
        try
        {
            for (int read; (read = await from.ReceiveAsync(buffer)) > 0;)
            {
                seen(Encoding.Latin1.GetString(buffer, 0, Math.Min(read, 300)));
                if (cut?.Invoke() ?? false) break;
                await to.SendAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Either end is gone, and so is the other.
        }
        from.Dispose();
        to.Dispose();
    }
}
