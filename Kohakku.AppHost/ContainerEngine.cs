using System.Net.Sockets;
using System.Text;

namespace Kohakku.AppHost;

/// <summary>Asks whether a container engine is there.</summary>
internal static class ContainerEngine
{
    private const string DefaultSocket = "/var/run/docker.sock";
    private const int DefaultPort = 2375;
    private const int PatienceMilliseconds = 1000;

    /// <param name="dockerHost"><c>unix:///path</c> or <c>tcp://host:port</c>; null for the engine's default.</param>
    /// <returns>Whether something there speaks HTTP; what it says of a request without a certificate is the dispatcher's business.</returns>
    public static bool Answers(string? dockerHost)
    {
        try
        {
            using var socket = Connect(dockerHost);
            socket.SendTimeout = socket.ReceiveTimeout = PatienceMilliseconds;
            socket.Send("GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n"u8);
            var start = new byte[5];
            return socket.Receive(start) == start.Length && Encoding.ASCII.GetString(start) == "HTTP/";
        }
        catch (Exception fault) when (fault is SocketException or OperationCanceledException or UriFormatException or NotSupportedException)
        {
            return false;
        }
    }

    private static Socket Connect(string? dockerHost)
    {
        var address = new Uri(dockerHost ?? $"unix://{DefaultSocket}");
        if (address.Scheme == "unix")
        {
            var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            local.Connect(new UnixDomainSocketEndPoint(address.AbsolutePath));
            return local;
        }
        if (address.Scheme is not ("tcp" or "http" or "https")) throw new NotSupportedException($"An engine at {address} is not asked.");
        using var patience = new CancellationTokenSource(PatienceMilliseconds);
        var remote = new Socket(SocketType.Stream, ProtocolType.Tcp);
        remote.ConnectAsync(address.Host, address.Port > 0 ? address.Port : DefaultPort, patience.Token).AsTask().GetAwaiter().GetResult();
        return remote;
    }
}
