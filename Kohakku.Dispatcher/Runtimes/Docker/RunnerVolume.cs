using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// The named volume that brings the runner into every container: one per version of the runner, filled once per engine,
/// shared by all dispatchers on it. It is filled through a container that never starts, whose name is the lock between dispatchers.
/// </summary>
internal sealed partial class RunnerVolume(DockerEngine engine, IDispatcherIdentity identity, TimeProvider time, ILogger logger)
{
    private const string Mark = "complete";
    private const string EmptyImage = "kohakku/empty";
    private const string EmptyTag = "1";
    private static readonly TimeSpan UnusedAge = TimeSpan.FromDays(1);
    private static readonly TimeSpan LockTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(200);

    private string? digest;

    public string Name => $"kohakku-agent-{digest ?? throw new InvalidOperationException("The runtime is not initialized.")}";

    /// <summary>Makes sure that the volume is there and holds all of the runner; also when somebody removed it since.</summary>
    public async Task EnsureAsync(string runnerPath, CancellationToken cancellationToken)
    {
        var program = await File.ReadAllBytesAsync(runnerPath, cancellationToken);
        digest = Convert.ToHexStringLower(SHA256.HashData(program))[..16];
        var volume = new VolumesCreateParameters { Name = Name, Labels = new Dictionary<string, string> { [ContainerLabels.Runner] = digest } };
        await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Volumes.CreateAsync(volume, token), cancellationToken);
        await EnsureEmptyImageAsync(cancellationToken);
        await using var helper = await LockAsync(cancellationToken);
        if (await helper.HasAsync($"{AgentContainer.RunnerFolder}/{Mark}", cancellationToken)) return;
        await engine.RepeatAsync(
            DockerEngine.Slow,
            async (docker, token) =>
            {
                await using var archive = Tars.Runner(program, Path.GetFileName(AgentContainer.RunnerPath), Mark);
                await docker.Containers.ExtractArchiveToContainerAsync(
                    helper.Id, new CopyToContainerParameters { Path = AgentContainer.RunnerFolder }, archive, token);
            },
            cancellationToken);
        LogFilled(Name, program.Length);
    }

    /// <summary>Removes the volumes of other versions that no container uses any more and that are no longer young.</summary>
    /// <returns>How many were removed.</returns>
    public async Task<int> PruneAsync(CancellationToken cancellationToken)
    {
        var ours = new VolumesListParameters { Filters = ContainerLabels.Filter(ContainerLabels.Runner) };
        var volumes = await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Volumes.ListAsync(ours, token), cancellationToken);
        var removed = 0;
        // A young one may be another dispatcher's that has just been started beside this one and runs no agent yet.
        foreach (var volume in (volumes.Volumes ?? []).Where(volume => volume.Name != Name && AgeOf(volume) > UnusedAge))
        {
            try
            {
                await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Volumes.RemoveAsync(volume.Name, cancellationToken: token), cancellationToken);
                LogPruned(volume.Name);
                removed++;
            }
            catch (DockerApiException fault) when (fault.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
            {
                // In use, or gone.
            }
        }
        return removed;
    }

    private TimeSpan AgeOf(VolumeResponse volume) =>
        DateTimeOffset.TryParse(volume.CreatedAt, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? time.GetUtcNow() - at : TimeSpan.Zero;

    private async Task<HelperContainer> LockAsync(CancellationToken cancellationToken)
    {
        var mount = new Mount { Type = "volume", Source = Name, Target = AgentContainer.RunnerFolder, VolumeOptions = new VolumeOptions { NoCopy = true } };
        var name = $"{Name}-fill";
        var since = time.GetTimestamp();
        while (true)
        {
            try
            {
                return await HelperContainer.CreateAsync(engine, identity.InstanceId, $"{EmptyImage}:{EmptyTag}", name, mount, cancellationToken);
            }
            catch (DockerApiException fault) when (fault.StatusCode == HttpStatusCode.Conflict)
            {
                // Another dispatcher is at it, or a dead one was.
                if (time.GetElapsedTime(since) > LockTimeout)
                {
                    await engine.RepeatAsync(
                        DockerEngine.Slow,
                        (docker, token) => docker.Containers.RemoveContainerAsync(name, new ContainerRemoveParameters { Force = true }, token),
                        cancellationToken);
                    since = time.GetTimestamp();
                }
                await Task.Delay(LockPoll, time, cancellationToken);
            }
        }
    }

    private async Task EnsureEmptyImageAsync(CancellationToken cancellationToken)
    {
        try
        {
            await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.Images.InspectImageAsync($"{EmptyImage}:{EmptyTag}", token), cancellationToken);
        }
        catch (DockerImageNotFoundException)
        {
            await engine.RepeatAsync(
                DockerEngine.Slow,
                (docker, token) => docker.Images.CreateImageAsync(
                    new ImagesCreateParameters { Repo = EmptyImage, Tag = EmptyTag, Message = "Kohakku: holds nothing" }, Tars.Empty(), null, new Progress<JSONMessage>(), token),
                cancellationToken);
        }
    }

    [LoggerMessage(20, LogLevel.Information, "Put the runner on the volume {Volume} ({Bytes} bytes)")]
    private partial void LogFilled(string volume, int bytes);

    [LoggerMessage(21, LogLevel.Information, "Removed the runner volume {Volume} of another version, which nothing uses")]
    private partial void LogPruned(string volume);
}
