using System.Globalization;
using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Where a resource listens: always on loopback, on <see cref="Port"/> or, where that is taken, on the next free one.</summary>
public sealed class EndpointAnnotation(ProtocolType protocol, string? uriScheme = null, string? name = null, int? port = null) : IResourceAnnotation
{
    public ProtocolType Protocol { get; } = protocol;
    public string UriScheme { get; } = uriScheme ?? "tcp";
    public string Name { get; } = name ?? uriScheme ?? "tcp";

    public string TargetHost { get; } = "127.0.0.1";

    /// <summary>The port that is wanted; null for any.</summary>
    public int? Port { get; set; } = port;

    /// <summary>The environment variable in which the resource is told its port.</summary>
    public string? PortVariable { get; init; }

    /// <summary>The port that was taken, once there is one.</summary>
    public int? AllocatedPort { get; internal set; }
}

public enum EndpointProperty
{
    Url,
    Host,
    IPV4Host,
    Port,
    Scheme,
    TargetPort,
    HostAndPort,
}

public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IValueProvider
{
    public IResourceWithEndpoints Resource { get; } = owner;
    public string EndpointName { get; } = endpointName;
    public bool Exists => Find() is not null;
    public bool IsAllocated => Find()?.AllocatedPort is not null;
    public string Scheme => Annotation.UriScheme;
    public string Host => Annotation.TargetHost;

    public int Port => Annotation.AllocatedPort
        ?? throw new InvalidOperationException($"The endpoint {EndpointName} of {Resource.Name} has its port only once the application starts.");

    public string Url => string.Create(CultureInfo.InvariantCulture, $"{Scheme}://{Host}:{Port}");

    private EndpointAnnotation Annotation =>
        Find() ?? throw new InvalidOperationException($"The resource {Resource.Name} has no endpoint {EndpointName}.");

    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Url);

    private EndpointAnnotation? Find() => Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => endpoint.Name == EndpointName);
}

public sealed class EndpointReferenceExpression(EndpointReference endpoint, EndpointProperty property) : IValueProvider
{
    public EndpointReference Endpoint { get; } = endpoint;
    public EndpointProperty Property { get; } = property;

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Property switch
    {
        EndpointProperty.Url => Endpoint.Url,
        EndpointProperty.Host or EndpointProperty.IPV4Host => Endpoint.Host,
        EndpointProperty.Port or EndpointProperty.TargetPort => Endpoint.Port.ToString(CultureInfo.InvariantCulture),
        EndpointProperty.Scheme => Endpoint.Scheme,
        EndpointProperty.HostAndPort => string.Create(CultureInfo.InvariantCulture, $"{Endpoint.Host}:{Endpoint.Port}"),
        _ => throw new NotSupportedException($"An endpoint has no {Property}."),
    });
}
