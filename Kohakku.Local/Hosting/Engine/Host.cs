using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Postgres;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// Runs a set of resources on this machine: takes the data folder and the ports, starts everything as early as what it waits
/// for allows, and stops everything in the opposite order. Used once: started, then stopped.
/// </summary>
internal sealed class Host : IAsyncDisposable
{
    private readonly DataFolder data;
    private readonly HostConsole console;
    private readonly ResourceGraph graph;
    private readonly Dictionary<IResource, Supervisor> supervisors = [];
    private readonly Dictionary<IResource, (Task Task, CancellationTokenSource Stop)> runs = [];
    private readonly TaskCompletionSource<WrongConfigurationException> refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource kill = new();
    private readonly Ports ports = new();
    private readonly Spawner spawner = new();
    private readonly FolderLock folderLock;

    private Host(ServiceFactory services, ResourceGraph graph, IReadOnlySet<IResource>? only, HostConsole console, FolderLock folderLock)
    {
        data = services.Data;
        this.console = console;
        this.graph = graph;
        this.folderLock = folderLock;
        var context = new SupervisorContext(data, spawner, console, TimeProvider.System);
        foreach (var resource in graph.Resources.Where(resource => only?.Contains(resource) ?? true))
        {
            supervisors[resource] = new Supervisor(services.For(resource), context);
        }
        console.Register(supervisors.Values.Select(supervisor => supervisor.Name));
    }

    /// <summary>In the order of Program.cs.</summary>
    public IEnumerable<Supervisor> Supervisors => supervisors.Values;

    /// <summary>Completes when a service refused its configuration: there is no point in going on.</summary>
    public Task<WrongConfigurationException> Refused => refused.Task;

    /// <param name="only">Which of them to run; null for all.</param>
    /// <exception cref="DataFolderTakenException">Another AppHost has the data folder.</exception>
    public static Host Create(ServiceFactory services, ResourceGraph graph, IReadOnlySet<IResource>? only, HostConsole console) =>
        services.Data.TryLock(out var holder) is { } folderLock
            ? new Host(services, graph, only, console, folderLock)
            : throw new DataFolderTakenException($"{services.Data.FullPath} is in use by {holder}: stop that, or set {DataFolder.Variable} to another folder.");

    /// <summary>Starts everything and comes back when all of it is healthy.</summary>
    /// <exception cref="DependencyFailedException">Something can't be started; why has been said.</exception>
    /// <exception cref="WrongConfigurationException">A service refused its configuration.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        data.DeleteEndpoints();
        // Before the ports are looked for: what is left of an earlier run may still hold them.
        await Task.WhenAll(supervisors.Values.Select(supervisor => supervisor.StopLeftoverAsync(cancellationToken)));
        data.WritePorts(AllocatePorts());
        foreach (var (resource, supervisor) in supervisors)
        {
            var stop = new CancellationTokenSource();
            // Not awaited here, and on the pool: what one prepares must not hold up the others.
            var task = Task.Run(() => SuperviseAsync(supervisor, WaitsOf(resource), stop.Token), CancellationToken.None);
            runs[resource] = (task, stop);
        }
        var healthy = Task.WhenAll(supervisors.Values.Select(supervisor => supervisor.Healthy));
        if (await Task.WhenAny(healthy, refused.Task).WaitAsync(cancellationToken) == refused.Task) throw await refused.Task;
        await healthy;
    }

    /// <summary>Stops what depends on others before them, and gives up the data folder.</summary>
    public async Task StopAsync()
    {
        data.DeleteEndpoints();
        var stopping = new Dictionary<IResource, Task>();
        Task Stop(IResource resource)
        {
            if (stopping.TryGetValue(resource, out var task)) return task;
            return stopping[resource] = StopOneAsync(resource, graph.DependentsOf(resource).Where(runs.ContainsKey).Select(Stop).ToList());
        }
        await Task.WhenAll(runs.Keys.Select(Stop).ToList());
        data.DeletePorts();
    }

    /// <summary>No more patience: what still runs is killed.</summary>
    public void Kill() => kill.Cancel();

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var supervisor in supervisors.Values) supervisor.Dispose();
        foreach (var (_, stop) in runs.Values) stop.Dispose();
        spawner.Dispose();
        ports.Dispose();
        kill.Dispose();
        folderLock.Dispose();
    }

    private async Task StopOneAsync(IResource resource, IReadOnlyList<Task> dependents)
    {
        await Task.WhenAll(dependents);
        var (task, stop) = runs[resource];
        await stop.CancelAsync();
        await task;
    }

    private async Task SuperviseAsync(Supervisor supervisor, IEnumerable<Task> waits, CancellationToken stop)
    {
        try
        {
            await supervisor.RunAsync(waits, stop, kill.Token);
        }
        catch (WrongConfigurationException fault)
        {
            refused.TrySetResult(fault);
        }
    }

    private IEnumerable<Task> WaitsOf(IResource resource)
    {
        foreach (var wait in resource.Annotations.OfType<WaitAnnotation>())
        {
            if (ResourceGraph.Running(wait.Resource) is not { } target || !supervisors.TryGetValue(target, out var other)) continue;
            yield return wait.Kind switch
            {
                WaitKind.Healthy => other.Healthy,
                WaitKind.Started => other.Started,
                _ => CompletedAsync(other, wait.ExitCode),
            };
        }
    }

    private static async Task CompletedAsync(Supervisor other, int exitCode)
    {
        var code = await other.Completed;
        if (code != exitCode) throw new DependencyFailedException($"{other.Name} ended with {code}");
    }

    private Dictionary<string, int> AllocatePorts()
    {
        var taken = new Dictionary<string, int>();
        foreach (var (resource, endpoint) in Endpoints.Of(supervisors.Keys))
        {
            taken[Endpoints.Key(resource, endpoint)] = (endpoint.AllocatedPort = ports.Take(endpoint.Port)).Value;
        }
        return taken;
    }
}
