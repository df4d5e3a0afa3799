using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Microsoft.Extensions.Options;

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

    /// <summary>Reads and checks all keys, and reports every fault at once.</summary>
    /// <param name="isDevelopment">Outside it the <c>process</c> runtime, which isolates nothing, is refused.</param>
    /// <exception cref="OptionsValidationException">One failure per wrong key, each naming the key, what it got and what it takes.</exception>
    public static RuntimeOptions Read(IConfiguration configuration, bool isDevelopment)
    {
        var faults = new List<string>();
        var backend = ReadBackend(configuration["RUNTIME_BACKEND"], isDevelopment, faults);
        var data = Path.GetFullPath(NullIfEmpty(configuration["KOHAKKU_DATA"]) ?? ".kohakku");
        var options = new RuntimeOptions
        {
            Backend = backend,
            DockerHost = ReadDockerHost(configuration["DOCKER_HOST"], faults),
            DockerNetwork = NullIfEmpty(configuration["DOCKER_NETWORK"]) ?? "kohakku_default",
            MaxConcurrentPulls = ReadPulls(configuration["MAX_CONCURRENT_PULLS"], faults),
            WorkspaceRoot = Path.GetFullPath(NullIfEmpty(configuration["WORKSPACE_ROOT"]) ?? Path.Combine(data, "workspaces")),
            SocketVolume = NullIfEmpty(configuration["SOCKET_VOLUME"]),
            Runner = Runner.Find(AppContext.BaseDirectory, NullIfEmpty(configuration["KOHAKKU_RUNNER"])),
            Kubernetes = backend == RuntimeBackend.Worker ? KubernetesOptions.Read(configuration, faults) : new KubernetesOptions(),
        };
        if (backend == RuntimeBackend.Worker && !isDevelopment) CheckUrl(configuration["DISPATCHER_URL"], faults);
        return faults.Count == 0 ? options : throw new OptionsValidationException(nameof(RuntimeOptions), typeof(RuntimeOptions), faults);
    }

    private static RuntimeBackend ReadBackend(string? value, bool isDevelopment, List<string> faults)
    {
        switch (NullIfEmpty(value) ?? "local")
        {
            case "local":
                return RuntimeBackend.Local;
            case "process" when isDevelopment:
                return RuntimeBackend.Process;
            case "process":
                faults.Add("RUNTIME_BACKEND is 'process', which isolates agents from nothing and runs in Development only; outside it takes local or worker.");
                break;
            case "worker":
                return RuntimeBackend.Worker;
            default:
                faults.Add($"RUNTIME_BACKEND is '{value}'; it takes local, worker or process.");
                break;
        }
        return RuntimeBackend.Local;
    }

    /// <summary>Agents in a cluster are told this address; whether it is one at all is seen to elsewhere.</summary>
    private static void CheckUrl(string? value, List<string> faults)
    {
        var text = NullIfEmpty(value) ?? "http://localhost:8080";
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme != Uri.UriSchemeHttp || url.IsLoopback))
            faults.Add($"DISPATCHER_URL is '{text}'; with RUNTIME_BACKEND=worker it takes the http:// address by which agents' pods reach this dispatcher.");
    }

    private static Uri? ReadDockerHost(string? value, List<string> faults)
    {
        if (NullIfEmpty(value) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "unix" or "tcp") return uri;
        faults.Add($"DOCKER_HOST is '{text}'; it takes unix:///path/to/docker.sock or tcp://host:port.");
        return null;
    }

    private static int ReadPulls(string? value, List<string> faults)
    {
        if (NullIfEmpty(value) is not { } text) return 2;
        if (int.TryParse(text, out var pulls) && pulls is >= 1 and <= 64) return pulls;
        faults.Add($"MAX_CONCURRENT_PULLS is '{text}'; it takes a whole number from 1 to 64.");
        return 2;
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
