using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Docker.DotNet;
using Docker.DotNet.Models;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>What an image says that matters for starting it.</summary>
/// <param name="OpensWorkspace">The engine makes the working directory for root alone: where the image runs as another user, or
/// brings a folder of that name, it has to be opened before the start, which costs as much as a third of a start.</param>
internal sealed record ImageFacts(string Id, bool OpensWorkspace);

/// <summary>Makes agents' images present, and remembers what is in them.</summary>
internal sealed partial class AgentImages(DockerEngine engine, ImagePulls pulls, IDispatcherIdentity identity, TimeProvider time)
{
    // So long an image that was seen is taken to be there; when it was removed after all, the start finds out.
    private static readonly TimeSpan Trusted = TimeSpan.FromSeconds(30);
    private const int Remembered = 1_000;

    private readonly ConcurrentDictionary<string, (ImageFacts Facts, long SeenAt)> seen = new();
    private readonly ConcurrentDictionary<string, ImageFacts> byId = new();

    /// <exception cref="LaunchException">It can't be had.</exception>
    public async Task EnsureAsync(string image, PullPolicy policy, IProgress<int> progress, CancellationToken cancellationToken)
    {
        if (policy == PullPolicy.Always)
        {
            CheckName(image);
            await pulls.PullAsync(image, progress, cancellationToken);
            Forget(image);
        }
        if (await FindAsync(image, cancellationToken) is not null) return;
        if (policy != PullPolicy.Missing)
        {
            throw new LaunchException(
                FailureReason.ImagePull,
                policy == PullPolicy.Never
                    ? $"The image {image} is not on this host, and the agent's pull policy is never: pull or build it here, or set the policy to missing."
                    : $"The image {image} was removed as soon as it was pulled.",
                transient: policy != PullPolicy.Never);
        }
        await pulls.PullAsync(image, progress, cancellationToken);
        // So that the first start already knows.
        await FindAsync(image, cancellationToken);
    }

    /// <returns>Null when it is not on this engine.</returns>
    public async Task<ImageFacts?> FindAsync(string image, CancellationToken cancellationToken)
    {
        CheckName(image);
        if (seen.TryGetValue(image, out var known) && time.GetElapsedTime(known.SeenAt) < Trusted) return known.Facts;
        try
        {
            var inspected = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.Images.InspectImageAsync(image, token), cancellationToken);
            if (!byId.TryGetValue(inspected.ID, out var facts)) facts = await LookIntoAsync(inspected, cancellationToken);
            if (seen.Count >= Remembered) seen.Clear();
            if (byId.Count >= Remembered) byId.Clear();
            seen[image] = (facts, time.GetTimestamp());
            return byId[inspected.ID] = facts;
        }
        catch (DockerImageNotFoundException)
        {
            return null;
        }
        catch (DockerApiException fault) when (fault.StatusCode == HttpStatusCode.BadRequest)
        {
            throw PullException.From(fault).ForImage(image);
        }
    }

    /// <summary>It may have changed, or be gone.</summary>
    public void Forget(string image) => seen.TryRemove(image, out _);

    /// <summary>It becomes part of a path on the engine's API: nothing may be in it that leads elsewhere there.</summary>
    private static void CheckName(string image)
    {
        if (Name().IsMatch(image) && !image.Contains("..", StringComparison.Ordinal)) return;
        throw new LaunchException(FailureReason.ImagePull, $"'{image}' is not the name of an image: names look like registry/folder/name:tag.", transient: false);
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9][a-zA-Z0-9._:/@-]*\z")]
    private static partial Regex Name();

    private async Task<ImageFacts> LookIntoAsync(ImageInspectResponse image, CancellationToken cancellationToken)
    {
        // root, 0, root:root, 0:0 …
        var runsAsRoot = (image.Config?.User ?? "").Split(':')[0] is "" or "0" or "root";
        if (!runsAsRoot) return new ImageFacts(image.ID, OpensWorkspace: true);
        // Without capabilities root may not write to what belongs to others either.
        await using var helper = await HelperContainer.CreateAsync(engine, identity.InstanceId, image.ID, name: null, mount: null, cancellationToken);
        return new ImageFacts(image.ID, await helper.HasAsync(AgentContainer.Workspace, cancellationToken));
    }
}
