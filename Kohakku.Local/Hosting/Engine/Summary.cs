using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>The table of what runs, in the order of Program.cs.</summary>
internal static class Summary
{
    public static IReadOnlyList<(string Resource, string State, string Address)> Rows(IEnumerable<IResource> resources, IEnumerable<Supervisor> supervisors)
    {
        var byName = supervisors.ToDictionary(supervisor => supervisor.Name);
        var rows = new List<(string, string, string)>();
        foreach (var resource in resources)
        {
            if (resource.Annotations.OfType<AbsentAnnotation>().FirstOrDefault() is { } absent)
            {
                rows.Add((resource.Name, "left out", absent.Reason));
            }
            else if (byName.TryGetValue(resource.Name, out var supervisor))
            {
                var addresses = Endpoints.Of([resource]).Select(pair => Endpoints.Url(pair.Resource, pair.Endpoint) + Instead(pair.Endpoint));
                var remark = supervisor.Service.Remark is { } text ? $"({text})" : "";
                rows.Add((resource.Name, supervisor.State.ToString().ToLowerInvariant(), string.Join(' ', addresses.Append(remark)).Trim()));
            }
        }
        return rows;
    }

    private static string Instead(EndpointAnnotation endpoint) =>
        endpoint.Port is { } wanted && wanted != endpoint.AllocatedPort ? $" ({wanted} is taken)" : "";
}
