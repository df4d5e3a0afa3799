using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Registration;

/// <summary>
/// Section 3 of the interfaces, as calls. Nothing is retried here: every caller knows best what a lost answer means to it. Claims have
/// connections of their own, so that a long poll never stands before a callback. Safe for any thread.
/// </summary>
internal sealed class ControllerClient : IDisposable
{
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient calls;
    private readonly HttpClient polls;

    /// <param name="signing">Makes a new handler each time.</param>
    public ControllerClient(Uri controller, Func<SigningHandler> signing)
    {
        calls = Client(controller, signing());
        polls = Client(controller, signing());
    }

    public Task<DispatcherRegistration> RegisterAsync(RegisterDispatcher registration, CancellationToken cancellationToken) =>
        PostAsync(calls, "/api/v1/dispatchers", registration, ContractsJson.Default.RegisterDispatcher, ContractsJson.Default.DispatcherRegistration,
            CallTimeout, cancellationToken);

    public Task<ClaimAnswer> ClaimAsync(Guid dispatcherId, ClaimRequest request, CancellationToken cancellationToken) =>
        PostAsync(polls, $"/api/v1/dispatchers/{dispatcherId}/claims", request, ContractsJson.Default.ClaimRequest, ContractsJson.Default.ClaimAnswer,
            TimeSpan.FromSeconds(request.WaitSeconds) + CallTimeout, cancellationToken);

    public Task<HeartbeatAnswer> HeartbeatAsync(Guid dispatcherId, HeartbeatRequest request, TimeSpan timeout, CancellationToken cancellationToken) =>
        PostAsync(calls, $"/api/v1/dispatchers/{dispatcherId}/heartbeat", request, ContractsJson.Default.HeartbeatRequest, ContractsJson.Default.HeartbeatAnswer,
            timeout, cancellationToken);

    public Task<CallbackAnswer> ReportAsync(CallbackBatch batch, CancellationToken cancellationToken) =>
        PostAsync(calls, "/api/v1/callbacks", batch, ContractsJson.Default.CallbackBatch, ContractsJson.Default.CallbackAnswer, CallTimeout, cancellationToken);

    public void Dispose()
    {
        calls.Dispose();
        polls.Dispose();
    }

    private static HttpClient Client(Uri controller, SigningHandler signing)
    {
        signing.InnerHandler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // Names are looked up again now and then; in between connections stay open, also when idle.
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(5),
            UseCookies = false,
            AllowAutoRedirect = false,
        };
        return new HttpClient(signing) { BaseAddress = controller, Timeout = Timeout.InfiniteTimeSpan };
    }

    private static async Task<TAnswer> PostAsync<TRequest, TAnswer>(
        HttpClient client, string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TAnswer> answerType, TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, requestType));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var message = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            using var answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (!answer.IsSuccessStatusCode) throw await FaultAsync(path, answer, limit.Token);
            await using var body = await answer.Content.ReadAsStreamAsync(limit.Token);
            return await JsonSerializer.DeserializeAsync(body, answerType, limit.Token)
                ?? throw new ControllerException(ControllerFault.Away, $"{path} answered null.");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or JsonException
            || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ControllerException(ControllerFault.Away, $"{path}: {fault.Message}", fault);
        }
    }

    private static async Task<ControllerException> FaultAsync(string path, HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var fault = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.NotFound => ControllerFault.UnknownSession,
            HttpStatusCode.Conflict => ControllerFault.Superseded,
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => ControllerFault.Away,
            _ => ControllerFault.Refused,
        };
        var detail = await answer.Content.ReadAsStringAsync(cancellationToken);
        return new ControllerException(fault, $"{path} answered {(int)answer.StatusCode}: {(detail.Length > 500 ? detail[..500] : detail)}");
    }
}
