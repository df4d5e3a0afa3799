using System.Net;
using System.Net.Sockets;

namespace Kohakku.Tests.Fixtures;

/// <summary>
/// Loopback ports for servers that are processes of their own. They take a while to listen, so a port of the kernel's choice (port 0) could be given to
/// somebody else meanwhile; these are below its range, and each is given out once in this run.
/// </summary>
internal static class Ports
{
    private const int First = 20_000;
    private const int Count = 10_000;
    private static int _given = Environment.ProcessId * 50;

    public static int Next()
    {
        while (true)
        {
            var port = First + (Interlocked.Increment(ref _given) % Count);
            using var probe = new TcpListener(IPAddress.Loopback, port);
            try
            {
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's.
            }
        }
    }
}
