using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Agent.Attempt;

namespace Kohakku.Agent.Protocol;

/// <summary>
/// Every call to the dispatcher. A call is repeated until it is answered, with backoff, until the dispatcher has said that the
/// attempt is over (401, 409) or has not been reached for <see cref="PatienceWhenUnreachable"/>: then all calls end with
/// <see cref="LinkEndedException"/>. All members may be called from any thread.
/// </summary>
internal sealed class DispatcherLink : IDisposable
{
    public static readonly TimeSpan PatienceWhenUnreachable = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(2);

    private readonly HttpClient http;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource ended = new();
    private readonly Lock gate = new();
    private long? unreachedSince;

    public DispatcherLink(RunnerSettings settings, TimeProvider time)
    {
        this.time = time;
        // No proxy from the environment, no redirects, no trace headers of .NET's own: plain calls to one known peer.
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            Expect100ContinueTimeout = TimeSpan.FromSeconds(5),
        };
        if (settings.Socket is { } path) handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(path, cancellationToken);
        http = new HttpClient(handler) { BaseAddress = new Uri(settings.Url, "/agent/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
        if (settings.TraceParent is { } parent) http.DefaultRequestHeaders.TryAddWithoutValidation("traceparent", parent);
    }

    /// <summary>Cancelled when the link has ended.</summary>
    public CancellationToken Ended => ended.Token;

    /// <summary>Why it has ended; null while it has not.</summary>
    public LinkEnd? End { get; private set; }

    /// <param name="request">Made anew for every try.</param>
    /// <param name="limit">How long one try may take until the answer's head is there.</param>
    /// <param name="mostTries">After so many tries a fault of the connection is the caller's, while the dispatcher is reached otherwise.</param>
    /// <returns>An answer below 500 that is not 401, 408, 409 or 429.</returns>
    /// <exception cref="LinkEndedException">There is nobody to talk to any more.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> request, TimeSpan limit, CancellationToken cancellationToken, int mostTries = int.MaxValue)
    {
        for (var tries = 1; ; tries++)
        {
            ThrowIfEnded();
            try
            {
                if (await TryAsync(request, limit, cancellationToken) is { } answer) return answer;
            }
            catch (Exception fault) when (fault is HttpRequestException or IOException or SocketException or TimeoutException)
            {
                ThrowIfEnded();
                NoteUnreached();
                ThrowIfEnded();
                if (tries >= mostTries) throw new IOException($"{tries} tries failed, the last with: {fault.Message}", fault);
            }
            await BackOffAsync(tries, cancellationToken);
        }
    }

    /// <summary>As <see cref="SendAsync"/>, for answers that must be a success with a known body.</summary>
    /// <exception cref="RunnerFault">The dispatcher answered something else.</exception>
    public async Task<T> ReadAsync<T>(
        Func<HttpRequestMessage> request, JsonTypeInfo<T> type, TimeSpan limit, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            using var response = await SendAsync(request, limit, cancellationToken);
            await ThrowUnlessSuccessAsync(response, cancellationToken);
            try
            {
                var body = await BoundedAsync(response.Content.ReadAsByteArrayAsync, limit, cancellationToken);
                return JsonSerializer.Deserialize(body, type) ?? throw new RunnerFault($"{Name(response)} answered null.");
            }
            catch (JsonException fault)
            {
                throw new RunnerFault($"{Name(response)} answered what this runner does not understand: {fault.Message}", fault);
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException or TimeoutException)
            {
                // Cut in the middle of the answer; all that is read this way may be asked for again.
                await BackOffAsync(tries, cancellationToken);
            }
        }
    }

    /// <exception cref="RunnerFault">The answer is not a success; says which call, what came, and the problem's detail.</exception>
    public static async Task ThrowUnlessSuccessAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode) return;
        throw new RunnerFault($"{Name(response)} answered {(int)response.StatusCode}: {await Problem.ReadAsync(response, cancellationToken)}");
    }

    public void Dispose()
    {
        http.Dispose();
        ended.Dispose();
    }

    /// <returns>Null when it should be tried again.</returns>
    private async Task<HttpResponseMessage?> TryAsync(Func<HttpRequestMessage> request, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var message = request();
        var response = await BoundedAsync(
            bounded => http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, bounded), limit, cancellationToken);
        lock (gate) unreachedSince = null;
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized or HttpStatusCode.Conflict:
                var detail = await Problem.ReadAsync(response, cancellationToken);
                response.Dispose();
                EndWith(new LinkEnd(ExitCodes.Superseded, $"The dispatcher says that this attempt is over: {detail}"));
                throw new LinkEndedException(End!);
            case HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                response.Dispose();
                return null;
            default:
                return response;
        }
    }

    /// <summary>Runs a part of a call, which ends with the link and after its time.</summary>
    /// <exception cref="TimeoutException">It took longer.</exception>
    public async Task<T> BoundedAsync<T>(Func<CancellationToken, Task<T>> part, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ended.Token);
        bounded.CancelAfter(limit);
        try
        {
            return await part(bounded.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            ThrowIfEnded();
            throw new TimeoutException($"no answer within {limit.TotalSeconds:0} s");
        }
    }

    private async Task BackOffAsync(int tries, CancellationToken cancellationToken)
    {
        // Full jitter: many runners wait for one dispatcher.
        var ceiling = Math.Min(LongestBackoff.TotalMilliseconds, 50 * Math.Pow(2, Math.Min(tries, 10)));
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ended.Token);
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20 + Random.Shared.NextDouble() * ceiling), time, either.Token);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            throw new LinkEndedException(End!);
        }
    }

    private void NoteUnreached()
    {
        lock (gate)
        {
            unreachedSince ??= time.GetTimestamp();
            if (time.GetElapsedTime(unreachedSince.Value) < PatienceWhenUnreachable) return;
        }
        EndWith(new LinkEnd(ExitCodes.Unreachable, $"The dispatcher could not be reached for {PatienceWhenUnreachable.TotalSeconds:0} s."));
    }

    private void EndWith(LinkEnd end)
    {
        lock (gate)
        {
            if (End is not null) return;
            End = end;
        }
        ended.Cancel();
    }

    private void ThrowIfEnded()
    {
        if (End is { } end) throw new LinkEndedException(end);
    }

    private static string Name(HttpResponseMessage response) =>
        $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}";

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <param name="ExitCode">How the runner then ends.</param>
/// <param name="Message">For a person.</param>
internal sealed record LinkEnd(int ExitCode, string Message);

/// <summary>There is no dispatcher that would take anything for this attempt any more.</summary>
internal sealed class LinkEndedException(LinkEnd end) : Exception(end.Message)
{
    public LinkEnd End { get; } = end;
}
