using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Runtimes;

internal enum RuntimeBackend
{
    /// <summary>Docker on this host.</summary>
    Local,
    /// <summary>Child processes on this host, without isolation.</summary>
    Process,
    /// <summary>Jobs of a Kubernetes cluster.</summary>
    Worker,
}

/// <summary>What the runtimes take from the configuration, checked.</summary>
internal sealed record RuntimeOptions
{
    public RuntimeBackend Backend { get; init; } = RuntimeBackend.Local;
    /// <summary><c>DOCKER_HOST</c>; null for the engine's default.</summary>
    public Uri? DockerHost { get; init; }
    /// <summary><c>DOCKER_NETWORK</c>: the network of agents whose mode is <c>internet</c>.</summary>
    public string DockerNetwork { get; init; } = "kohakku_default";
    /// <summary><c>MAX_CONCURRENT_PULLS</c>, 1 to 64.</summary>
    public int MaxConcurrentPulls { get; init; } = 2;
    /// <summary><c>WORKSPACE_ROOT</c>: an absolute path.</summary>
    public required string WorkspaceRoot { get; init; }
    /// <summary><c>SOCKET_VOLUME</c>: the volume that holds the sockets when the dispatcher is itself a container.</summary>
    public string? SocketVolume { get; init; }
    public required Runner Runner { get; init; }
    /// <summary>For <c>worker</c>.</summary>
    public KubernetesOptions Kubernetes { get; init; } = new();

    /// <summary>Faults are noted in <paramref name="settings"/>, to be reported with all others.</summary>
    /// <param name="dispatcher">Below whose data folder defaults are, and whose address agents in a cluster are told.</param>
    /// <param name="isDevelopment">Outside it the <c>process</c> runtime, which isolates nothing, is refused.</param>
    public static RuntimeOptions Read(SettingsReader settings, DispatcherOptions dispatcher, bool isDevelopment)
    {
        var backend = ReadBackend(settings, isDevelopment);
        if (backend == RuntimeBackend.Worker && !isDevelopment) CheckUrl(settings, dispatcher.Url);
        return new RuntimeOptions
        {
            Backend = backend,
            DockerHost = ReadDockerHost(settings),
            DockerNetwork = settings.Text("DOCKER_NETWORK", "kohakku_default", "The network of agents whose mode is `internet`, made where it is missing.", "a network's name"),
            MaxConcurrentPulls = settings.Integer("MAX_CONCURRENT_PULLS", 2, 1, 64, "How many images are pulled at once."),
            WorkspaceRoot = Path.GetFullPath(settings.Text(
                "WORKSPACE_ROOT", Path.Combine(dispatcher.DataFolder, "workspaces"), "Where agents work, with `RUNTIME_BACKEND=process`.", "a folder", "$KOHAKKU_DATA/workspaces")),
            SocketVolume = settings.Read(new Setting("SOCKET_VOLUME", "a volume's name", null, "The volume that holds `SOCKET_DIR` when the dispatcher is itself a container; unset, the folder is mounted.")),
            Runner = Runner.Find(AppContext.BaseDirectory, settings.Read(new Setting("KOHAKKU_RUNNER", "a file", null, "The native runner that is put into agents; unset, the one that the build put beside the dispatcher."))),
            Kubernetes = KubernetesOptions.Read(settings, isUsed: backend == RuntimeBackend.Worker),
        };
    }

    private static RuntimeBackend ReadBackend(SettingsReader settings, bool isDevelopment)
    {
        var value = settings.Text(
            "RUNTIME_BACKEND", "local", "Where agents run: `local` in containers of the Docker engine, `worker` as Jobs of a Kubernetes cluster, `process` as processes of this machine, which isolates nothing.", "`local`, `worker`, or in Development `process`");
        switch (value)
        {
            case "local":
                return RuntimeBackend.Local;
            case "process" when isDevelopment:
                return RuntimeBackend.Process;
            case "process":
                settings.Fault("RUNTIME_BACKEND is 'process', which isolates agents from nothing and runs in Development only; outside it takes local or worker.");
                break;
            case "worker":
                return RuntimeBackend.Worker;
            default:
                settings.Fault($"RUNTIME_BACKEND is '{value}'; it takes local, worker or process.");
                break;
        }
        return RuntimeBackend.Local;
    }

    private static void CheckUrl(SettingsReader settings, Uri url)
    {
        if (url.Scheme != Uri.UriSchemeHttp || url.IsLoopback)
            settings.Fault($"DISPATCHER_URL is '{url.OriginalString}'; with RUNTIME_BACKEND=worker it takes the http:// address by which agents' pods reach this dispatcher.");
    }

    private static Uri? ReadDockerHost(SettingsReader settings)
    {
        var setting = new Setting("DOCKER_HOST", "`unix:///path/to/docker.sock` or `tcp://host:port`", null, "The Docker engine; unset, the engine's usual socket.");
        if (settings.Read(setting) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "unix" or "tcp") return uri;
        settings.Fault($"DOCKER_HOST is '{text}'; it takes unix:///path/to/docker.sock or tcp://host:port.");
        return null;
    }
}
