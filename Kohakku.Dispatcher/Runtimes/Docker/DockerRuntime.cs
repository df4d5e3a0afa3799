using Docker.DotNet;
using Docker.DotNet.Models;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Sockets;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// Agents as containers of a Docker engine. A start is two calls, create and start: all else (image, runner, network) is
/// there before. The container's name is the attempt's, so that whatever answer was lost, what was made is found again.
/// </summary>
internal sealed partial class DockerRuntime : IAgentRuntime, IDisposable
{
    private static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(30);

    private readonly RuntimeOptions options;
    private readonly IDispatcherIdentity identity;
    private readonly AttemptSockets sockets;
    private readonly TimeProvider time;
    private readonly ILogger<DockerRuntime> logger;
    private readonly DockerEngine engine;
    private readonly ImagePulls pulls;
    private readonly AgentImages images;
    private readonly AgentNetwork network;
    private readonly RunnerVolume runner;
    private readonly ContainerStarts starts;
    private readonly ContainerExits exits;
    private long processors = 1;

    public DockerRuntime(RuntimeOptions options, IDispatcherIdentity identity, AttemptSockets sockets, TimeProvider time, ILogger<DockerRuntime> logger)
    {
        (this.options, this.identity, this.sockets, this.time, this.logger) = (options, identity, sockets, time, logger);
        engine = new DockerEngine(options.DockerHost, time);
        pulls = new ImagePulls(engine, options.MaxConcurrentPulls, time, logger);
        images = new AgentImages(engine, pulls, identity, time);
        network = new AgentNetwork(engine, options.DockerNetwork);
        runner = new RunnerVolume(engine, identity, time, logger);
        starts = new ContainerStarts(engine, time);
        exits = new ContainerExits(engine);
    }

    public string Name => "local";

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (!options.Runner.HasNative)
        {
            throw new RuntimeUnavailableException(
                $"RUNTIME_BACKEND=local needs the native runner, which is not at {options.Runner.NativePath}: install gcc (or clang) and zlib's headers, and build again.");
        }
        try
        {
            await CheckEngineAsync(cancellationToken);
            await HelperContainer.RemoveStaleAsync(engine, identity.InstanceId, cancellationToken);
            await runner.EnsureAsync(options.Runner.NativePath, cancellationToken);
            await runner.PruneAsync(cancellationToken);
        }
        catch (EngineUnreachableException fault)
        {
            throw new RuntimeUnavailableException($"RUNTIME_BACKEND=local, but {fault.Message}: start it, set DOCKER_HOST, or choose RUNTIME_BACKEND=process.", fault);
        }
        catch (DockerApiException fault)
        {
            throw new RuntimeUnavailableException($"The Docker engine at {engine.Host} refused to be set up: {DockerEngine.Words(fault)}", fault);
        }
    }

    public async Task PrepareAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken)
    {
        try
        {
            await images.EnsureAsync(ImageOf(launch), launch.Agent.PullPolicy, progress, cancellationToken);
        }
        catch (EngineUnreachableException fault)
        {
            throw new LaunchException(FailureReason.ImagePull, $"The image {launch.Agent.Image} can't be looked for: {fault.Message}", transient: true, fault);
        }
        catch (DockerApiException fault)
        {
            throw PullException.From(fault).ForImage(ImageOf(launch));
        }
    }

    public async Task<string> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await StartOnceAsync(launch, cancellationToken);
            }
            catch (Exception fault)
            {
                // Only the answer may have been lost, or an earlier process of this dispatcher may have started it.
                if (await RemoveUnlessStartedAsync(launch.AttemptId) is { } started && fault is not OperationCanceledException) return started;
                if (attempt == 1 && fault is DockerApiException refused && await HealAsync(refused, cancellationToken)) continue;
                if (Explain(launch, fault) is { } explained) throw explained;
                throw;
            }
        }
    }

    public Task<RuntimeExit> WaitAsync(Guid attemptId, string runtimeId, CancellationToken cancellationToken) => exits.WaitAsync(runtimeId, cancellationToken);

    public async Task StopAsync(Guid attemptId, string runtimeId, TimeSpan grace, CancellationToken cancellationToken)
    {
        var parameters = new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Clamp(Math.Ceiling(grace.TotalSeconds), 0, 3600) };
        try
        {
            // The engine kills by itself when the grace is over.
            await engine.RepeatAsync(grace + StopSlack, (docker, token) => docker.Containers.StopContainerAsync(runtimeId, parameters, token), cancellationToken);
        }
        catch (DockerContainerNotFoundException)
        {
            // Already gone.
        }
    }

    public async Task RemoveAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        await starts.RemoveAsync(ContainerLabels.NameOf(attemptId), cancellationToken);
        sockets.Remove(attemptId);
    }

    public async Task<IReadOnlyList<FoundAgent>> ListAsync(CancellationToken cancellationToken)
    {
        var ours = new ContainersListParameters { All = true, Filters = ContainerLabels.Filter(ContainerLabels.Instance, identity.InstanceId.ToString()) };
        // First the folders: what is started meanwhile has a container by the time that containers are listed.
        var linked = sockets.List();
        var containers = await engine.RepeatAsync(DockerEngine.Slow, (docker, token) => docker.Containers.ListContainersAsync(ours, token), cancellationToken);
        var found = new Dictionary<Guid, FoundAgent>();
        foreach (var container in containers)
        {
            if (container.Labels.TryGetValue(ContainerLabels.Attempt, out var label) && Guid.TryParse(label, out var attemptId))
            {
                found[attemptId] = new FoundAgent(attemptId, container.State == "created" ? null : container.ID);
            }
        }
        foreach (var attemptId in linked) found.TryAdd(attemptId, new FoundAgent(attemptId, null));
        return [.. found.Values];
    }

    public void Dispose()
    {
        network.Dispose();
        pulls.Dispose();
        engine.Dispose();
    }

    private async Task CheckEngineAsync(CancellationToken cancellationToken)
    {
        var version = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.System.GetVersionAsync(token), cancellationToken);
        if (version.Os != "linux") throw new RuntimeUnavailableException($"The Docker engine at {engine.Host} runs {version.Os} containers; agents need linux.");
        if (options.SocketVolume is not null && System.Version.TryParse(version.APIVersion, out var api) && api < new System.Version(1, 45))
        {
            throw new RuntimeUnavailableException($"SOCKET_VOLUME needs a Docker engine of API 1.45 (version 26) or later; the one at {engine.Host} has {api}.");
        }
        var info = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.System.GetSystemInfoAsync(token), cancellationToken);
        processors = Math.Max(1, info.NCPU);
        if (!info.MemoryLimit || !info.PidsLimit) LogNoLimits(engine.Host);
        LogReady(engine.Host, version.Version, version.APIVersion);
    }

    private async Task<string> StartOnceAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        var image = ImageOf(launch);
        var socketFolder = SocketFolder(launch);
        if (launch.Agent.Network.Mode == NetworkMode.Internet) await network.EnsureAsync(cancellationToken);
        var facts = await images.FindAsync(image, cancellationToken)
            ?? throw new LaunchException(FailureReason.ImagePull, $"The image {image} is not on this host.", transient: true);
        var container = AgentContainer.Describe(launch, image, identity.InstanceId, runner.Name, socketFolder, options, processors);
        var (id, isStarted) = await starts.CreateAsync(ContainerLabels.NameOf(launch.AttemptId), container, cancellationToken);
        if (isStarted) return id;
        if (facts.OpensWorkspace) await starts.OpenWorkspaceAsync(id, cancellationToken);
        await starts.StartAsync(id, cancellationToken);
        return id;
    }

    private Mount? SocketFolder(AgentLaunch launch)
    {
        if (launch.Agent.Network.Mode == NetworkMode.Allow)
        {
            throw new LaunchException(
                FailureReason.StartFailed, "This dispatcher does not offer the network mode 'allow': take 'none' or 'internet'.", transient: false);
        }
        if (engine.IsOnThisHost) return AgentContainer.SocketMount(launch.AttemptId, sockets.Link(launch.AttemptId), options.SocketVolume);
        if (launch.Agent.Network.Mode == NetworkMode.Internet) return null;
        throw new LaunchException(
            FailureReason.StartFailed,
            $"The network mode 'none' needs a Docker engine on the dispatcher's own host, not {engine.Host}: only there agents reach it without a network.",
            transient: false);
    }

    /// <summary>Makes again what somebody removed behind our back.</summary>
    /// <returns>Whether starting again may help.</returns>
    private async Task<bool> HealAsync(DockerApiException refused, CancellationToken cancellationToken)
    {
        var words = DockerEngine.Words(refused);
        try
        {
            if (words.Contains(AgentContainer.RunnerPath, StringComparison.Ordinal))
            {
                await runner.EnsureAsync(options.Runner.NativePath, cancellationToken);
                return true;
            }
            if (!words.Contains(options.DockerNetwork, StringComparison.Ordinal)) return false;
            network.Forget();
            return true;
        }
        catch (Exception fault) when (fault is DockerApiException or EngineUnreachableException or IOException)
        {
            LogNotHealed(fault);
            return false;
        }
    }

    /// <returns>Null for what is no fault of starting, such as being cancelled.</returns>
    private LaunchException? Explain(AgentLaunch launch, Exception fault)
    {
        switch (fault)
        {
            case DockerImageNotFoundException:
                images.Forget(ImageOf(launch));
                return new LaunchException(FailureReason.ImagePull, $"The image {launch.Agent.Image} was removed from this host before its start.", transient: true, fault);
            case DockerApiException refused:
                return ContainerStarts.Explain(refused);
            case EngineUnreachableException or IOException or UnauthorizedAccessException:
                return new LaunchException(FailureReason.StartFailed, $"The agent's container could not be started: {fault.Message}", transient: true, fault);
            default:
                return null;
        }
    }

    /// <returns>The container that was started in spite of all; null when there is none and nothing is left.</returns>
    private async Task<string?> RemoveUnlessStartedAsync(Guid attemptId)
    {
        using var limit = new CancellationTokenSource(DockerEngine.Quick, time);
        try
        {
            if (await starts.FindAsync(ContainerLabels.NameOf(attemptId), limit.Token) is { IsStarted: true } found) return found.Id;
            await RemoveAsync(attemptId, limit.Token);
        }
        catch (Exception fault) when (fault is EngineUnreachableException or DockerApiException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // The engine is not there, most likely: what may be left is found by its label later.
            LogNotCleaned(attemptId, fault);
        }
        return null;
    }

    private static string ImageOf(AgentLaunch launch) =>
        launch.Agent.Image ?? throw new LaunchException(FailureReason.StartFailed, $"The agent {launch.Agent.Name} names no image.", transient: false);

    [LoggerMessage(1, LogLevel.Information, "Agents run on the Docker engine at {Host}, version {Version} (API {Api})")]
    private partial void LogReady(Uri host, string version, string api);

    [LoggerMessage(2, LogLevel.Warning, "The Docker engine at {Host} can't limit memory or processes: agents may take all of the machine")]
    private partial void LogNoLimits(Uri host);

    [LoggerMessage(3, LogLevel.Warning, "Could not make again what the engine said is missing")]
    private partial void LogNotHealed(Exception fault);

    [LoggerMessage(4, LogLevel.Warning, "Could not remove what is left of attempt {AttemptId}, which did not start")]
    private partial void LogNotCleaned(Guid attemptId, Exception fault);
}
