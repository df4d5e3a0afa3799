using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <param name="IsStarted">It was, at some time; it may have ended since.</param>
internal sealed record FoundContainer(string Id, bool IsStarted);

/// <summary>Creates, starts and removes containers so that a call whose answer was lost can be made again.</summary>
internal sealed class ContainerStarts(DockerEngine engine, TimeProvider time)
{
    private const int RemoveTries = 50;
    private static readonly TimeSpan RemovePoll = TimeSpan.FromMilliseconds(100);

    /// <returns>The container of that name, whether this call made it or an earlier one, and whether it was started before.</returns>
    public async Task<FoundContainer> CreateAsync(string name, CreateContainerParameters container, CancellationToken cancellationToken)
    {
        // Twice: one that was found may be just going.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var created = await engine.RepeatAsync(
                    DockerEngine.Slow, (docker, token) => docker.Containers.CreateContainerAsync(container, token), cancellationToken);
                return new FoundContainer(created.ID, IsStarted: false);
            }
            catch (DockerApiException fault) when (fault.StatusCode == HttpStatusCode.Conflict)
            {
                if (await FindAsync(name, cancellationToken) is { } found) return found;
                if (attempt == 2) throw;
            }
            catch (DockerContainerNotFoundException fault) when (fault.ResponseBody?.Contains("image", StringComparison.OrdinalIgnoreCase) ?? false)
            {
                throw new DockerImageNotFoundException(fault.StatusCode, fault.ResponseBody);
            }
        }
    }

    /// <returns>Null when there is none.</returns>
    public async Task<FoundContainer?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var found = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.Containers.InspectContainerAsync(name, token), cancellationToken);
            return new FoundContainer(found.ID, IsStarted: found.State?.Status != "created");
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    }

    public Task OpenWorkspaceAsync(string id, CancellationToken cancellationToken) => engine.RepeatAsync(
        DockerEngine.Slow,
        async (docker, token) =>
        {
            await using var archive = Tars.Workspace();
            await docker.Containers.ExtractArchiveToContainerAsync(id, new CopyToContainerParameters { Path = "/" }, archive, token);
        },
        cancellationToken);

    /// <summary>
    /// Does nothing while it runs. Made once only: a container that has ended would be run again, and whether it has is
    /// unknown when the answer is lost.
    /// </summary>
    public Task StartAsync(string id, CancellationToken cancellationToken) => engine.CallAsync(
        DockerEngine.Slow, (docker, token) => docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token), cancellationToken);

    /// <summary>Kills and removes it with its volumes; returns when it is gone.</summary>
    public async Task RemoveAsync(string name, CancellationToken cancellationToken)
    {
        var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = true };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Containers.RemoveContainerAsync(name, parameters, token), cancellationToken);
                return;
            }
            catch (DockerContainerNotFoundException)
            {
                return;
            }
            catch (DockerApiException fault) when (fault.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.InternalServerError && attempt < RemoveTries)
            {
                // Another removal is at it, or its files are held for a moment.
                await Task.Delay(RemovePoll, time, cancellationToken);
            }
        }
    }

    /// <summary>What the engine refused, for a person.</summary>
    public static LaunchException Explain(DockerApiException refused)
    {
        var words = DockerEngine.Words(refused);
        // A request the engine calls wrong stays wrong, and so does an image that names a user it does not have.
        var isFinal = refused.StatusCode == HttpStatusCode.BadRequest || words.Contains("unable to find user", StringComparison.Ordinal);
        return new LaunchException(FailureReason.StartFailed, $"The Docker engine could not start the agent's container: {words}", !isFinal, refused);
    }
}
