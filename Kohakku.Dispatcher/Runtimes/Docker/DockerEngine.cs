using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.NativeHttp;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>The engine did not answer, or its connection broke: nobody knows whether the call was done.</summary>
internal sealed class EngineUnreachableException(string message, Exception inner) : Exception(message, inner);

/// <summary>
/// The connection to the Docker engine. Every call has a time limit; calls that may be made twice are repeated over short
/// faults of the connection. Requests name no API version, so that each engine answers in its own: only fields that all
/// versions from 1.41 on know are sent. All members may be called at once.
/// </summary>
internal sealed class DockerEngine : IDisposable
{
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(15);
    /// <summary>For what works on the disk, which may be busy with pulls.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromMinutes(2);

    private static readonly Uri Default = new("unix:///var/run/docker.sock");
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan OutageTimeout = TimeSpan.FromMinutes(2);
    private const int Tries = 3;

    private readonly TimeProvider time;
    private readonly DockerClient client;
    private readonly Lock gate = new();
    private Task<bool>? outage;

    /// <param name="host"><c>DOCKER_HOST</c>; null for the engine's default.</param>
    public DockerEngine(Uri? host, TimeProvider time)
    {
        (Host, this.time) = (host ?? Default, time);
        // The library's own transport for Unix sockets connects anew for each call; this one keeps connections.
        client = new DockerClientBuilder()
            .WithEndpoint(new Uri("http://docker"))
            .WithTimeout(Timeout.InfiniteTimeSpan)
            .WithAuthProvider(new SendsOnce())
            .WithTransportOptions(new NativeHttpTransportOptions
            {
                ConfigureHandler = handler =>
                {
                    // Each running agent holds one connection, on which its end is told.
                    handler.MaxConnectionsPerServer = int.MaxValue;
                    handler.PooledConnectionLifetime = Timeout.InfiniteTimeSpan;
                    handler.ConnectTimeout = ConnectTimeout;
                    handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(Host, cancellationToken);
                },
            })
            .Build();
    }

    public Uri Host { get; }

    /// <summary>It shares this machine's files, so that a folder of ours can be mounted into its containers.</summary>
    public bool IsOnThisHost => Host.Scheme == "unix" || Host.IsLoopback;

    /// <summary>Makes one call; for what must not be done twice.</summary>
    /// <exception cref="EngineUnreachableException">No answer; it may have been done all the same.</exception>
    /// <exception cref="DockerApiException">The engine refused.</exception>
    public async Task<T> CallAsync<T>(TimeSpan limit, Func<IDockerClient, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await call(client, both.Token);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new EngineUnreachableException($"the Docker engine at {Host} can't be reached: {Innermost(fault)}", fault);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineUnreachableException($"the Docker engine at {Host} did not answer within {limit.TotalSeconds:0} s", fault);
        }
    }

    /// <summary>Makes a call that may be made twice, up to three times.</summary>
    public async Task<T> RepeatAsync<T>(TimeSpan limit, Func<IDockerClient, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CallAsync(limit, call, cancellationToken);
            }
            catch (EngineUnreachableException) when (attempt < Tries)
            {
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    public Task RepeatAsync(TimeSpan limit, Func<IDockerClient, CancellationToken, Task> call, CancellationToken cancellationToken) =>
        RepeatAsync(limit, async (docker, token) => { await call(docker, token); return true; }, cancellationToken);

    /// <summary>Waits for an engine that went away, such as one that is restarted; all who wait share the asking.</summary>
    /// <returns>False when it did not come back in time.</returns>
    public Task<bool> IsBackAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (outage is null or { IsCompleted: true }) outage = AskUntilBackAsync();
            return outage.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The engine's own words.</summary>
    public static string Words(DockerApiException fault)
    {
        try
        {
            // {"message":"No such image: nothing:latest"}
            using var body = JsonDocument.Parse(fault.ResponseBody ?? "");
            if (body.RootElement.TryGetProperty("message", out var message)) return message.GetString()?.Trim() ?? "";
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // A proxy's page, or nothing: then as it is.
        }
        return string.IsNullOrWhiteSpace(fault.ResponseBody) ? $"HTTP {(int)fault.StatusCode}" : fault.ResponseBody.Trim();
    }

    public void Dispose() => client.Dispose();

    private async Task<bool> AskUntilBackAsync()
    {
        var since = time.GetTimestamp();
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1.6));
        while (time.GetElapsedTime(since) < OutageTimeout)
        {
            await Task.Delay(backoff.Next(), time, CancellationToken.None);
            try
            {
                return await CallAsync(Quick, async (docker, token) => { await docker.System.PingAsync(token); return true; }, CancellationToken.None);
            }
            catch (Exception fault) when (fault is EngineUnreachableException or DockerApiException)
            {
                // Not yet.
            }
        }
        return false;
    }

    private static async ValueTask<Stream> ConnectAsync(Uri host, CancellationToken cancellationToken)
    {
        var isUnix = host.Scheme == "unix";
        var socket = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A wait may be silent for days: without this nobody would notice that the other machine is gone.
            if (!isUnix) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(
                isUnix ? new UnixDomainSocketEndPoint(host.AbsolutePath) : new DnsEndPoint(host.Host, host.Port < 0 ? 2375 : host.Port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Innermost(Exception fault) => fault.GetBaseException().Message;
}
