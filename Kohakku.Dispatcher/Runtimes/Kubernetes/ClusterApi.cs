using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>The cluster's API did not answer, or not now: nobody knows whether the call was done.</summary>
internal sealed class ClusterUnreachableException(string message, Exception inner) : Exception(message, inner);

/// <summary>The cluster's API refused, in its own words.</summary>
internal sealed class ClusterRefusedException(HttpStatusCode status, string words, Exception inner) : Exception(words, inner)
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>
/// The connection to the cluster's API. Every call has a time limit and is repeated over short faults: all that this runtime calls may be
/// done twice, since names are the attempts'. All members may be called at once, once it is open.
/// </summary>
internal sealed class ClusterApi(KubernetesOptions options, TimeProvider time) : IDisposable
{
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private const int Tries = 4;

    private k8s.Kubernetes? client;

    public string Namespace => options.Namespace;

    public Uri Host => Client.BaseUri;

    private k8s.Kubernetes Client => client ?? throw new InvalidOperationException("The runtime is not initialized.");

    /// <exception cref="RuntimeUnavailableException">There is no cluster that it is told of.</exception>
    public void Open()
    {
        try
        {
            var configuration = options.Kubeconfig is { } path
                ? KubernetesClientConfiguration.BuildConfigFromConfigFile(path)
                : KubernetesClientConfiguration.IsInCluster()
                    // The token there is renewed about every hour: the library reads it again.
                    ? KubernetesClientConfiguration.InClusterConfig()
                    : throw new RuntimeUnavailableException(
                        "RUNTIME_BACKEND=worker, but this process is in no pod with a service account's token: run it in the cluster, or set KUBECONFIG.");
            // Each call has a limit of its own.
            configuration.HttpClientTimeout = Timeout.InfiniteTimeSpan;
            configuration.FirstMessageHandlerSetup = handler => handler.ConnectTimeout = ConnectTimeout;
            client = new k8s.Kubernetes(configuration);
        }
        catch (Exception fault) when (fault is KubeConfigException or IOException or UnauthorizedAccessException or YamlDotNet.Core.YamlException)
        {
            throw new RuntimeUnavailableException($"The cluster's settings ({options.Kubeconfig ?? "the service account's"}) can't be used: {fault.Message}", fault);
        }
    }

    /// <summary>Makes one call, up to four times while the API can't be reached.</summary>
    /// <exception cref="ClusterUnreachableException">No answer; it may have been done all the same.</exception>
    /// <exception cref="ClusterRefusedException">The API refused.</exception>
    public async Task<T> CallAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await CallOnceAsync(call, cancellationToken);
            }
            catch (ClusterUnreachableException) when (attempt < Tries)
            {
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    /// <returns>Null when there is no such object.</returns>
    public async Task<T?> FindAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> call, CancellationToken cancellationToken) where T : class
    {
        try
        {
            return await CallAsync(call, cancellationToken);
        }
        catch (ClusterRefusedException refused) when (refused.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>For answers that last: the caller limits and repeats it.</summary>
    public IKubernetes Streaming => Client;

    /// <summary>What a fault of the library means.</summary>
    /// <returns>Null for what is no fault of the API.</returns>
    public Exception? Explain(Exception fault) => fault switch
    {
        HttpOperationException { Response: { } response } answered when IsForNow(response.StatusCode) =>
            new ClusterUnreachableException($"the cluster's API at {Host} answered {(int)response.StatusCode}: {Words(response)}", answered),
        HttpOperationException { Response: { } response } answered => new ClusterRefusedException(response.StatusCode, Words(response), answered),
        HttpRequestException or IOException or SocketException =>
            new ClusterUnreachableException($"the cluster's API at {Host} can't be reached: {fault.GetBaseException().Message}", fault),
        _ => null,
    };

    public void Dispose() => client?.Dispose();

    private async Task<T> CallOnceAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(Quick, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            return await call(Client, both.Token);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ClusterUnreachableException($"the cluster's API at {Host} did not answer within {Quick.TotalSeconds.ToString("0", CultureInfo.InvariantCulture)} s", fault);
        }
        catch (Exception fault) when (Explain(fault) is { } explained)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw explained;
        }
    }

    private static bool IsForNow(HttpStatusCode status) => status == HttpStatusCode.TooManyRequests || (int)status >= 500;

    private static string Words(HttpResponseMessageWrapper response)
    {
        try
        {
            // {"kind":"Status","status":"Failure","message":"jobs.batch \"x\" not found","reason":"NotFound","code":404}
            using var body = JsonDocument.Parse(response.Content ?? "");
            if (body.RootElement.TryGetProperty("message", out var message) && message.GetString() is { Length: > 0 } words) return words;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // A proxy's page, or nothing: then as it is.
        }
        return string.IsNullOrWhiteSpace(response.Content) ? $"HTTP {(int)response.StatusCode}" : response.Content.Trim();
    }
}
