using Docker.DotNet;
using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// A container that never starts: the engine's only way to look into an image, or to put files on a volume, without running
/// anything. Gone when disposed; what a crash left goes with the next start (<see cref="RemoveStaleAsync"/>).
/// </summary>
internal sealed class HelperContainer : IAsyncDisposable
{
    private readonly DockerEngine engine;

    private HelperContainer(DockerEngine engine, string id) => (this.engine, Id) = (engine, id);

    public string Id { get; }

    /// <param name="name">Null for any; only one container can have a name.</param>
    /// <exception cref="DockerApiException">Conflict: the name is taken. Not found: there is no such image.</exception>
    public static async Task<HelperContainer> CreateAsync(
        DockerEngine engine, Guid instanceId, string image, string? name, Mount? mount, CancellationToken cancellationToken)
    {
        var parameters = new CreateContainerParameters
        {
            Image = image,
            Name = name,
            Entrypoint = ["/never-started"],
            Cmd = [],
            Labels = new Dictionary<string, string> { [ContainerLabels.Helper] = instanceId.ToString() },
            HostConfig = new HostConfig { NetworkMode = "none", Mounts = mount is null ? [] : [mount] },
        };
        var created = await engine.CallAsync(DockerEngine.Slow, (docker, token) => docker.Containers.CreateContainerAsync(parameters, token), cancellationToken);
        return new HelperContainer(engine, created.ID);
    }

    /// <summary>Whether there is such a file or folder.</summary>
    public async Task<bool> HasAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            await engine.RepeatAsync(
                DockerEngine.Slow,
                async (docker, token) =>
                {
                    var found = await docker.Containers.GetArchiveFromContainerAsync(Id, new ContainerPathStatParameters { Path = path }, statOnly: true, token);
                    if (found.Stream is { } stream) await stream.DisposeAsync();
                },
                cancellationToken);
            return true;
        }
        catch (DockerContainerNotFoundException)
        {
            // The engine answers the same for a missing path as for a missing container; ours is held by this object.
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await RemoveAsync(engine, Id, CancellationToken.None);
        }
        catch (EngineUnreachableException)
        {
            // The next start removes it.
        }
    }

    /// <summary>Removes what an earlier process of this dispatcher left.</summary>
    public static async Task RemoveStaleAsync(DockerEngine engine, Guid instanceId, CancellationToken cancellationToken)
    {
        var filter = new ContainersListParameters { All = true, Filters = ContainerLabels.Filter(ContainerLabels.Helper, instanceId.ToString()) };
        var stale = await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Containers.ListContainersAsync(filter, token), cancellationToken);
        foreach (var container in stale) await RemoveAsync(engine, container.ID, cancellationToken);
    }

    private static async Task RemoveAsync(DockerEngine engine, string id, CancellationToken cancellationToken)
    {
        try
        {
            var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = true };
            await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Containers.RemoveContainerAsync(id, parameters, token), cancellationToken);
        }
        catch (DockerApiException fault) when (fault.StatusCode is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict)
        {
            // Gone, or going.
        }
    }
}
