using Docker.DotNet;
using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>The network of agents whose mode is <c>internet</c>: made when the first one needs it, and kept.</summary>
internal sealed class AgentNetwork(DockerEngine engine, string name) : IDisposable
{
    private readonly SemaphoreSlim making = new(1);
    private volatile bool isThere;

    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (isThere) return;
        await making.WaitAsync(cancellationToken);
        try
        {
            if (isThere) return;
            if ((await FindAsync(cancellationToken)).Count == 0) await MakeAsync(cancellationToken);
            isThere = true;
        }
        finally
        {
            making.Release();
        }
    }

    /// <summary>Somebody removed it: the next start looks again.</summary>
    public void Forget() => isThere = false;

    public void Dispose() => making.Dispose();

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        var parameters = new NetworksCreateParameters
        {
            Name = name,
            Driver = "bridge",
            Labels = new Dictionary<string, string> { [ContainerLabels.Network] = "agents" },
            // Agents reach the internet, not one another.
            Options = new Dictionary<string, string> { ["com.docker.network.bridge.enable_icc"] = "false" },
        };
        NetworksCreateResponse made;
        try
        {
            made = await engine.CallAsync(DockerEngine.Slow, (docker, token) => docker.Networks.CreateNetworkAsync(parameters, token), cancellationToken);
        }
        catch (DockerApiException fault) when (fault.StatusCode == System.Net.HttpStatusCode.Conflict)
        {
            return;
        }
        // Engines before 25 make two of one name when two dispatchers ask at once, and then know neither by it: the older stays.
        var all = await FindAsync(cancellationToken);
        if (all.Count < 2 || all.OrderBy(network => network.Created).ThenBy(network => network.ID, StringComparer.Ordinal).First().ID == made.ID) return;
        await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Networks.DeleteNetworkAsync(made.ID, token), cancellationToken);
    }

    private async Task<List<NetworkResponse>> FindAsync(CancellationToken cancellationToken)
    {
        var filter = new NetworksListParameters { Filters = new Dictionary<string, IDictionary<string, bool>> { ["name"] = new Dictionary<string, bool> { [name] = true } } };
        var found = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.Networks.ListNetworksAsync(filter, token), cancellationToken);
        // The engine's filter takes parts of names too.
        return [.. found.Where(network => network.Name == name)];
    }
}
