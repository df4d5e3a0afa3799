using System.Net;
using System.Net.Sockets;
using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Protocol;

/// <summary>
/// Lets the agent speak plain HTTP where there is only a Unix socket: listens on loopback and copies bytes both ways. It looks
/// at none of them; the token in them is what opens the dispatcher.
/// </summary>
internal sealed class Forwarder : IDisposable
{
    private const int MostConnections = 256;
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly SemaphoreSlim free = new(MostConnections);
    private readonly string path;

    private Forwarder(string path) => this.path = path;

    /// <summary>Where the agent finds it.</summary>
    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}");

    public static Forwarder Start(string socketPath)
    {
        var forwarder = new Forwarder(socketPath);
        forwarder.listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        forwarder.listener.Listen(128);
        _ = forwarder.AcceptAsync();
        return forwarder;
    }

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            await free.WaitAsync();
            try
            {
                _ = ForwardAsync(await listener.AcceptAsync());
            }
            catch (Exception fault) when (fault is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException fault)
            {
                // One connection that came to nothing, or no descriptor free: the next may do better.
                free.Release();
                Terminal.Say($"a connection of the agent could not be taken: {fault.Message}");
            }
        }
    }

    private async Task ForwardAsync(Socket agent)
    {
        using var dispatcher = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await dispatcher.ConnectAsync(new UnixDomainSocketEndPoint(path));
            await Task.WhenAll(CopyAsync(agent, dispatcher), CopyAsync(dispatcher, agent));
        }
        catch (Exception fault) when (fault is SocketException or ObjectDisposedException)
        {
            // Either side may go at any time; the other sees its connection end.
        }
        finally
        {
            agent.Dispose();
            free.Release();
        }
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is var count and > 0)
            {
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
