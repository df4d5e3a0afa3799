using System.Globalization;
using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>The environment of a resource: the host's own, what every service is told, and what Program.cs says of it, which wins.</summary>
internal static class ResourceEnvironment
{
    private const string DotnetRoot = "DOTNET_ROOT";

    // …/shared/Microsoft.NETCore.App/10.0.0/: where .NET is in nobody's usual place, the programs of the build must be told.
    private static readonly string RuntimeFolder = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    public static async Task<Dictionary<string, string?>> OfAsync(
        Resource resource, IReadOnlyDictionary<string, string?> hostEnvironment, CancellationToken cancellationToken)
    {
        var values = new Dictionary<string, object>();
        var http = new List<string>();
        foreach (var endpoint in resource.All<EndpointAnnotation>())
        {
            var reference = new EndpointReference((IResourceWithEndpoints)resource, endpoint.Name);
            if (endpoint.PortVariable is { } variable) values[variable] = reference.Port.ToString(CultureInfo.InvariantCulture);
            else if (endpoint.UriScheme is "http" or "https") http.Add(reference.Url);
        }
        if (resource is ProjectResource)
        {
            if (http.Count > 0) values["ASPNETCORE_URLS"] = string.Join(';', http);
            values["OTEL_SERVICE_NAME"] = resource.Name;
            values["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={Guid.NewGuid():N}";
        }
        var context = new EnvironmentCallbackContext(resource, values, cancellationToken);
        foreach (var annotation in resource.All<EnvironmentAnnotation>()) annotation.Callback(context);

        var environment = new Dictionary<string, string?>(hostEnvironment);
        environment.TryAdd(DotnetRoot, Environment.GetEnvironmentVariable(DotnetRoot) is { Length: > 0 } set ? set : RuntimeFolder);
        foreach (var (name, value) in values)
        {
            environment[name] = value is IValueProvider provider ? await provider.GetValueAsync(cancellationToken) : value.ToString();
        }
        return environment;
    }
}
