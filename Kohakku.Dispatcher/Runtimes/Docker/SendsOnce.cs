using Docker.DotNet.Handler.Abstractions;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// Keeps .NET's handler from sending a POST again by itself: it does so when a connection breaks before the answer and the
/// request has no body, and the engine would start a container twice. With a body, be it empty, it does not. (The library
/// lets handlers be put around its own only in the name of authentication.)
/// </summary>
internal sealed class SendsOnce : IAuthProvider
{
    public bool TlsEnabled => false;

    public HttpMessageHandler ConfigureHandler(HttpMessageHandler handler) => new EmptyBodies(handler);

    private sealed class EmptyBodies(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method == HttpMethod.Post) request.Content ??= new ByteArrayContent([]);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
