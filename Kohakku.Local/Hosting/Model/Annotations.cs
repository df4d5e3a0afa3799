using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

public sealed class EnvironmentCallbackContext(IResource resource, Dictionary<string, object> environmentVariables, CancellationToken cancellationToken)
{
    /// <summary>A value is a text or an <see cref="IValueProvider"/>.</summary>
    public Dictionary<string, object> EnvironmentVariables { get; } = environmentVariables;

    public IResource Resource { get; } = resource;
    public CancellationToken CancellationToken { get; } = cancellationToken;
    public ILogger Logger { get; set; } = NullLogger.Instance;
}

internal sealed record EnvironmentAnnotation(Action<EnvironmentCallbackContext> Callback) : IResourceAnnotation;

internal sealed record ArgumentsAnnotation(IReadOnlyList<object> Arguments) : IResourceAnnotation;

/// <summary>What is asked of the resource, and must be answered well, for it to be healthy.</summary>
internal abstract record HealthCheckAnnotation(string? EndpointName) : IResourceAnnotation;

internal sealed record HttpHealthCheckAnnotation(string Path, int StatusCode, string? EndpointName) : HealthCheckAnnotation(EndpointName);

/// <param name="Service">The name that <c>grpc.health.v1.Health/Check</c> is asked for; empty for the server as a whole.</param>
internal sealed record GrpcHealthCheckAnnotation(string Service, string? EndpointName) : HealthCheckAnnotation(EndpointName);

internal enum WaitKind
{
    Healthy,
    Started,
    Completed,
}

internal sealed record WaitAnnotation(IResource Resource, WaitKind Kind, int ExitCode = 0) : IResourceAnnotation;

/// <summary>The resource uses the other, which therefore stops after it.</summary>
internal sealed record ReferenceAnnotation(IResource Resource) : IResourceAnnotation;

/// <summary>The resource keeps its data from one run to the next.</summary>
internal sealed record DataVolumeAnnotation : IResourceAnnotation;

/// <summary>The resource is left out, and the reason.</summary>
internal sealed record AbsentAnnotation(string Reason) : IResourceAnnotation;
