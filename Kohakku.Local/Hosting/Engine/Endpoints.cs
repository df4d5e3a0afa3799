using Aspire.Hosting.ApplicationModel;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>The endpoints of a set of resources, as they are written down for others.</summary>
internal static class Endpoints
{
    public static IEnumerable<(IResource Resource, EndpointAnnotation Endpoint)> Of(IEnumerable<IResource> resources) =>
        resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>(), (resource, endpoint) => (resource, endpoint));

    public static string Key(IResource resource, EndpointAnnotation endpoint) => $"{resource.Name}/{endpoint.Name}";

    /// <summary>The address of each resource that has one.</summary>
    public static Dictionary<string, string> Addresses(IEnumerable<IResource> resources) => Of(resources)
        .Where(pair => pair.Endpoint.AllocatedPort is not null)
        .GroupBy(pair => pair.Resource.Name)
        .ToDictionary(group => group.Key, group => Url(group.First().Resource, group.First().Endpoint));

    public static string Url(IResource resource, EndpointAnnotation endpoint) =>
        new EndpointReference((IResourceWithEndpoints)resource, endpoint.Name).Url;
}
