using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Processes;

namespace Aspire.Hosting.Testing;

/// <summary>Runs an AppHost's Program.cs inside a test: it builds the application, the test starts and stops it.</summary>
public static class DistributedApplicationTestingBuilder
{
    /// <typeparam name="TEntryPoint">Any type of the AppHost's assembly.</typeparam>
    public static Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(string[] args, CancellationToken cancellationToken = default)
        where TEntryPoint : class => CreateAsync<TEntryPoint>(args, new Dictionary<string, string?>(), null, cancellationToken);

    /// <param name="environment">Comes before the environment of this process, for this application only.</param>
    /// <param name="output">Takes what would go to the console.</param>
    public static async Task<IDistributedApplicationTestingBuilder> CreateAsync<TEntryPoint>(
        string[] args, IReadOnlyDictionary<string, string?> environment, TextWriter? output = null, CancellationToken cancellationToken = default)
        where TEntryPoint : class
    {
        var assembly = typeof(TEntryPoint).Assembly;
        var entryPoint = assembly.EntryPoint ?? throw new InvalidOperationException($"{assembly.GetName().Name} is not a program.");
        var capture = new EntryPointCapture(assembly, environment, output);
        await Task.Run(() => capture.Invoke(() => entryPoint.Invoke(null, entryPoint.GetParameters().Length == 0 ? null : [args])), cancellationToken);
        return new TestingBuilder(capture.Application ?? throw new InvalidOperationException("Program.cs has built no application."));
    }

    /// <summary>A builder for resources of the test's own.</summary>
    public static IDistributedApplicationBuilder Create(string[] args, IReadOnlyDictionary<string, string?> environment, TextWriter? output = null) =>
        new DistributedApplicationBuilder(args, new EntryPointCapture(typeof(DistributedApplicationTestingBuilder).Assembly, environment, output));

    private sealed record TestingBuilder(DistributedApplication Application) : IDistributedApplicationTestingBuilder
    {
        public Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken) => Task.FromResult(Application);

        public ValueTask DisposeAsync() => Application.DisposeAsync();
    }
}

public interface IDistributedApplicationTestingBuilder : IAsyncDisposable
{
    Task<DistributedApplication> BuildAsync(CancellationToken cancellationToken = default);
}

public static class DistributedApplicationHostingTestingExtensions
{
    /// <summary>A client whose base address is the resource's.</summary>
    public static HttpClient CreateHttpClient(this DistributedApplication app, string resourceName, string? endpointName = null) =>
        new() { BaseAddress = app.GetEndpoint(resourceName, endpointName) };

    public static Uri GetEndpoint(this DistributedApplication app, string resourceName, string? endpointName = null)
    {
        var (resource, endpoint) = Endpoints.Of(app.Resources)
            .First(pair => pair.Resource.Name == resourceName && (endpointName is null || pair.Endpoint.Name == endpointName));
        return new Uri(Endpoints.Url(resource, endpoint));
    }

    /// <summary>Null when the application has no such resource.</summary>
    public static ValueTask<string?> GetConnectionStringAsync(this DistributedApplication app, string resourceName, CancellationToken cancellationToken = default) =>
        app.Resources.OfType<IResourceWithConnectionString>().FirstOrDefault(resource => resource.Name == resourceName) is { } resource
            ? resource.ConnectionStringExpression.GetValueAsync(cancellationToken)
            : ValueTask.FromResult<string?>(null);

    /// <summary>The process that a resource runs as now, for tests that kill it; null while it has none.</summary>
    internal static ProcessIdentity? ProcessOf(this DistributedApplication app, string resourceName) =>
        app.Supervisors.First(supervisor => supervisor.Name == resourceName).Process;
}
