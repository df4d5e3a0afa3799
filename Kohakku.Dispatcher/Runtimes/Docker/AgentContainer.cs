using Docker.DotNet.Models;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Sockets;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>The container of an agent, as the engine is asked for it: its walls stand here, and nowhere else.</summary>
internal static class AgentContainer
{
    public const string RunnerFolder = "/opt/kohakku";
    public const string RunnerPath = RunnerFolder + "/kohakku-agent";
    public const string Workspace = "/workspace";
    private const string SocketFolder = "/run/kohakku";

    private const int DefaultPids = 512;
    // Under memory pressure of the whole machine agents go before the dispatcher, the engine and the database.
    private const int OomScoreAdjustment = 500;
    // For `docker stop` and the engine's own shutdown: the runner's grace for the agent and its last words to the dispatcher.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    /// <param name="image">The agent's, as its name is given.</param>
    /// <param name="runnerVolume">Holds the runner.</param>
    /// <param name="socketFolder">Mounted so that the runner reaches the dispatcher; null for an engine elsewhere, which is told an address.</param>
    /// <param name="processors">The engine's; more than these it refuses.</param>
    public static CreateContainerParameters Describe(
        AgentLaunch launch, string image, Guid instanceId, string runnerVolume, Mount? socketFolder, RuntimeOptions options, long processors) => new()
    {
        Name = ContainerLabels.NameOf(launch.AttemptId),
        Image = image,
        Entrypoint = [RunnerPath, Runner.Verb],
        Cmd = [],
        Env = EnvironmentOf(launch, hasSocket: socketFolder is not null),
        WorkingDir = Workspace,
        // The image's own are for its own entry point, which does not run.
        StopSignal = "SIGTERM",
        Healthcheck = new HealthcheckConfig { Test = ["NONE"] },
        StopTimeout = StopTimeout,
        Labels = new Dictionary<string, string>
        {
            [ContainerLabels.Instance] = instanceId.ToString(),
            [ContainerLabels.Attempt] = launch.AttemptId.ToString(),
            [ContainerLabels.Task] = launch.TaskId.ToString(),
        },
        HostConfig = Walls(launch, runnerVolume, socketFolder, options, processors),
    };

    /// <summary>The attempt's socket folder on this host, or its part of the volume where the dispatcher is itself a container.</summary>
    public static Mount SocketMount(Guid attemptId, string folder, string? volume) => volume is null
        ? new Mount { Type = "bind", Source = folder, Target = SocketFolder }
        : new Mount
        {
            Type = "volume",
            Source = volume,
            Target = SocketFolder,
            VolumeOptions = new VolumeOptions { NoCopy = true, Subpath = attemptId.ToString("N") },
        };

    private static HostConfig Walls(AgentLaunch launch, string runnerVolume, Mount? socketFolder, RuntimeOptions options, long processors)
    {
        var memory = (launch.Resources.MemoryMb ?? 0) * 1024L * 1024;
        Mount runner = new()
        {
            Type = "volume",
            Source = runnerVolume,
            Target = RunnerFolder,
            ReadOnly = true,
            VolumeOptions = new VolumeOptions { NoCopy = true },
        };
        return new HostConfig
        {
            NetworkMode = launch.Agent.Network.Mode == NetworkMode.Internet ? options.DockerNetwork : "none",
            CapDrop = ["ALL"],
            SecurityOpt = ["no-new-privileges:true"],
            PidsLimit = launch.Resources.Pids ?? DefaultPids,
            Memory = memory,
            // The same: no swap, or the limit would only make it slow.
            MemorySwap = memory,
            NanoCPUs = launch.Resources.Cpu is { } cpu ? (long)(Math.Clamp(cpu, 0.01, processors) * 1_000_000_000) : 0,
            OomScoreAdj = OomScoreAdjustment,
            // Open files stay as the engine has them: an engine that is itself limited can't start what asks for more than it has.
            Ulimits = [new Ulimit { Name = "core", Soft = 0, Hard = 0 }],
            Init = false,
            RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
            // Only the runner's own few words go here: the agent's output goes to the dispatcher.
            LogConfig = new LogConfig
            {
                Type = "local",
                Config = new Dictionary<string, string> { ["max-size"] = "1m", ["max-file"] = "1", ["compress"] = "false" },
            },
            Mounts = socketFolder is null ? [runner] : [runner, socketFolder],
        };
    }

    private static List<string> EnvironmentOf(AgentLaunch launch, bool hasSocket)
    {
        List<string> environment =
        [
            $"{AgentEnvironment.Token}={launch.Token}",
            $"{AgentEnvironment.TaskId}={launch.TaskId}",
            $"{AgentEnvironment.AttemptId}={launch.AttemptId}",
            $"{AgentEnvironment.Workspace}={Workspace}",
            hasSocket
                ? $"{AgentEnvironment.Socket}={SocketFolder}/{AttemptSockets.AttemptSocketName}"
                : $"{AgentEnvironment.Url}={launch.DispatcherUrl.ToString().TrimEnd('/')}",
        ];
        if (launch.TraceParent is not null) environment.Add($"{AgentEnvironment.TraceParent}={launch.TraceParent}");
        return environment;
    }
}
