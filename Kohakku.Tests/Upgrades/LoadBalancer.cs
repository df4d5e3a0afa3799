using System.Net;
using System.Net.Sockets;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Upgrades;

/// <summary>
/// One address before several services, as a load balancer has it: hands each connection to one of those in service, in turns, and to the next where one takes
/// none. What is taken out of service keeps the connections that it has.
/// </summary>
internal sealed class LoadBalancer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private volatile int[] _ports = [];
    private int _turn;
    private int _refused;

    public LoadBalancer()
    {
        var port = Ports.Next();
        Address = new Uri($"http://127.0.0.1:{port}");
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>How many connections none of those in service took.</summary>
    public int Refused => Volatile.Read(ref _refused);

    /// <summary>Used by one thread.</summary>
    public void Add(ProgramProcess service) => _ports = [.. _ports, service.Address!.Port];

    /// <inheritdoc cref="Add"/>
    public void Remove(ProgramProcess service) => _ports = [.. _ports.Where(port => port != service.Address!.Port)];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = HandOnAsync(await _listener.AcceptTcpClientAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task HandOnAsync(TcpClient caller)
    {
        using (caller)
        {
            using var service = await ConnectAsync();
            if (service is null) return;
            (caller.NoDelay, service.NoDelay) = (true, true);
            await Task.WhenAll(PumpAsync(caller, service), PumpAsync(service, caller));
        }
    }

    private async Task<TcpClient?> ConnectAsync()
    {
        var ports = _ports;
        var first = Interlocked.Increment(ref _turn) & int.MaxValue;
        for (var number = 0; number < ports.Length; number++)
        {
            var service = new TcpClient();
            try
            {
                await service.ConnectAsync(IPAddress.Loopback, ports[(first + number) % ports.Length], _end.Token);
                return service;
            }
            catch (Exception fault) when (fault is SocketException or OperationCanceledException)
            {
                service.Dispose();
            }
        }
        Interlocked.Increment(ref _refused);
        return null;
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), _end.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // One of the two is gone: so is the other's connection.
            from.Close();
            to.Close();
        }
    }
}
