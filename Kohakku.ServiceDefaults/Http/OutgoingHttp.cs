using System.Net;
using System.Net.Sockets;

namespace Kohakku.ServiceDefaults;

/// <summary>A name leads to loopback, a private or a link-local address, and this installation does not let webhooks go there.</summary>
public sealed class PrivateAddressException(string host)
    : IOException($"{host} is a private address; webhooks reach those only with WEBHOOKS_ALLOW_PRIVATE=true.");

/// <summary>
/// The way out to addresses that people write down. It goes only where this installation lets it: loopback, private and link-local addresses are refused
/// unless <c>WEBHOOKS_ALLOW_PRIVATE</c> is set, judged by the address that is connected to, not by the name. No redirects, cookies or proxies.
/// </summary>
public static class OutgoingHttp
{
    /// <param name="timeout">Of a whole request.</param>
    /// <remarks>A send to a private address fails by an <see cref="HttpRequestException"/> whose inner exception is a <see cref="PrivateAddressException"/>.</remarks>
    public static HttpClient Create(bool allowPrivate, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        if (!allowPrivate) handler.ConnectCallback = ConnectAsync;
        return new HttpClient(handler) { Timeout = timeout };
    }

    /// <summary>Also of addresses that lead there by another road: IPv4 within IPv6 (mapped, 6to4, NAT64), multicast, carrier-grade NAT.</summary>
    public static bool IsPrivate(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (Embedded(address) is { } inner) address = inner;
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) return true;
        if (address.AddressFamily == AddressFamily.InterNetworkV6) return address.IsIPv6LinkLocal || address.IsIPv6UniqueLocal || address.IsIPv6SiteLocal || address.IsIPv6Multicast;
        var parts = address.GetAddressBytes();
        return parts switch
        {
            [0 or 10 or 127 or >= 224, ..] => true,
            [100, >= 64 and <= 127, ..] => true,
            [169, 254, ..] => true,
            [172, >= 16 and <= 31, ..] => true,
            [192, 168, ..] => true,
            [192, 0, 0, _] => true,
            [198, 18 or 19, ..] => true,
            _ => false,
        };
    }

    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (bytes is [0x20, 0x02, ..]) return new IPAddress(bytes.AsSpan(2, 4));
        return bytes.AsSpan().StartsWith(new byte[] { 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 }) ? new IPAddress(bytes.AsSpan(12, 4)) : null;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancellationToken);
        var allowed = Array.FindAll(addresses, address => !IsPrivate(address));
        if (allowed.Length == 0) throw new PrivateAddressException(context.DnsEndPoint.Host);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
