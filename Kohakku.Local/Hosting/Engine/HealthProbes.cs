using System.Net;
using Aspire.Hosting.ApplicationModel;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>Asks programs for their health, once and briefly: whoever doesn't answer in time, or in another protocol, is not healthy.</summary>
/// <param name="patience">Two seconds where none is given.</param>
internal sealed class HealthProbes(TimeSpan? patience = null) : IDisposable
{
    private readonly TimeSpan patience = patience ?? TimeSpan.FromSeconds(2);

    // Not by a proxy, which stands between the machine and others; and no connection to one that was restarted is kept.
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1) });

    /// <exception cref="OperationCanceledException">The caller has canceled.</exception>
    public async Task<bool> IsHealthyAsync(HealthCheckAnnotation check, string url, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(patience);
        try
        {
            return check switch
            {
                HttpHealthCheckAnnotation http => await AnswersAsync(http, url, timeout.Token),
                GrpcHealthCheckAnnotation grpc => await ServesAsync(grpc, url, timeout.Token),
                _ => throw new NotSupportedException($"A {check.GetType().Name} can't be asked."),
            };
        }
        catch (Exception fault) when (fault is HttpRequestException or RpcException or OperationCanceledException)
        {
            // A connection that is refused just when the caller gives up, because its program has ended, is a cancellation too.
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    public void Dispose() => client.Dispose();

    private async Task<bool> AnswersAsync(HttpHealthCheckAnnotation check, string url, CancellationToken cancellationToken)
    {
        using var answer = await client.GetAsync(new Uri(url + "/" + check.Path.TrimStart('/')), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return answer.StatusCode == (HttpStatusCode)check.StatusCode;
    }

    private async Task<bool> ServesAsync(GrpcHealthCheckAnnotation check, string url, CancellationToken cancellationToken)
    {
        // A channel for each look, on our own client: a channel that lives on waits longer after each failure to connect.
        using var channel = GrpcChannel.ForAddress(url, new GrpcChannelOptions { HttpClient = client, ThrowOperationCanceledOnCancellation = true });
        var answer = await new Health.HealthClient(channel).CheckAsync(new HealthCheckRequest { Service = check.Service }, cancellationToken: cancellationToken);
        return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
    }
}
