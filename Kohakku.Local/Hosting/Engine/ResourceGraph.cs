using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>Who needs whom. A database stands for its server; what is left out is needed by nobody.</summary>
internal sealed class ResourceGraph
{
    private readonly Dictionary<IResource, HashSet<IResource>> needs = [];

    /// <exception cref="InvalidOperationException">Resources wait for each other.</exception>
    public ResourceGraph(IEnumerable<IResource> resources)
    {
        var running = resources.Where(resource => Running(resource) == resource).ToList();
        foreach (var resource in running) needs[resource] = [.. Targets<WaitAnnotation>(resource, wait => wait.Resource)];
        foreach (var resource in running)
        {
            if (Closure([resource], includeStart: false).Contains(resource)) throw new InvalidOperationException($"{resource.Name} waits for itself, by way of others.");
        }
        // A reference alone orders the stop; two that refer to each other have no order.
        foreach (var resource in running)
        {
            foreach (var used in Targets<ReferenceAnnotation>(resource, reference => reference.Resource))
            {
                if (!Closure([used], includeStart: true).Contains(resource)) needs[resource].Add(used);
            }
        }
    }

    /// <summary>All that run as a process.</summary>
    public IEnumerable<IResource> Resources => needs.Keys;

    public IEnumerable<IResource> NeededBy(IResource resource) => needs[resource];

    public IEnumerable<IResource> DependentsOf(IResource resource) => needs.Where(pair => pair.Value.Contains(resource)).Select(pair => pair.Key);

    /// <summary>All that must run for this one to run, itself not included.</summary>
    public IReadOnlySet<IResource> NeededInAllBy(IResource resource) => Closure([resource], includeStart: false);

    /// <summary>What runs for a resource: its server for a database, nothing for a parameter or what is left out.</summary>
    public static IResource? Running(IResource resource) => resource switch
    {
        IResourceWithParent child => Running(child.Parent),
        ParameterResource => null,
        _ => resource.IsAbsent() ? null : resource,
    };

    private static IEnumerable<IResource> Targets<T>(IResource resource, Func<T, IResource> target) where T : IResourceAnnotation =>
        resource.Annotations.OfType<T>().Select(annotation => Running(target(annotation))).OfType<IResource>();

    private HashSet<IResource> Closure(IEnumerable<IResource> start, bool includeStart)
    {
        var pending = new Stack<IResource>(start);
        var found = includeStart ? new HashSet<IResource>(pending) : [];
        while (pending.TryPop(out var next))
        {
            foreach (var needed in needs.GetValueOrDefault(next, []))
            {
                if (found.Add(needed)) pending.Push(needed);
            }
        }
        return found;
    }
}
