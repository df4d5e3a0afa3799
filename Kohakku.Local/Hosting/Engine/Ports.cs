using System.Net;
using System.Net.Sockets;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// Finds free ports and keeps other AppHosts off them until the servers listen, and after: each port taken is marked by an
/// abstract Unix socket, which belongs to the same network namespace as the port and goes with this process, however it ends.
/// </summary>
internal sealed class Ports : IDisposable
{
    private const int Farthest = 1000;
    private readonly List<Socket> marks = [];

    /// <summary>The preferred port, or the next free one; any free one when none is preferred.</summary>
    public int Take(int? preferred)
    {
        for (var offset = 0; offset < Farthest; offset++)
        {
            if (TryTake(preferred is { } wanted ? wanted + offset : 0) is { } port) return port;
        }
        throw new InvalidOperationException($"No port is free from {preferred} to {preferred + Farthest}.");
    }

    public void Dispose()
    {
        foreach (var mark in marks) mark.Dispose();
    }

    private int? TryTake(int wanted)
    {
        var mark = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, wanted));
            listener.Listen();
            var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            mark.Bind(new UnixDomainSocketEndPoint($"\0kohakku-port-{port}"));
            marks.Add(mark);
            return port;
        }
        catch (SocketException)
        {
            mark.Dispose();
            return null;
        }
    }
}
