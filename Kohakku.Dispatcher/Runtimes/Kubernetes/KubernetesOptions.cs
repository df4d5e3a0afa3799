using System.Text.RegularExpressions;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>What the <c>worker</c> runtime takes from the configuration.</summary>
internal sealed partial record KubernetesOptions
{
    private const int LongestLabel = 63;

    /// <summary><c>KUBECONFIG</c>: a file that says how to reach the cluster; null in a pod of it.</summary>
    public string? Kubeconfig { get; init; }
    /// <summary><c>AGENT_NAMESPACE</c>: where agents' Jobs are made. Never the dispatcher's own, where agents could reach what is beside it.</summary>
    public string Namespace { get; init; } = "kohakku-agents";
    /// <summary><c>AGENT_SERVICE_ACCOUNT</c>: what agents' pods run as; they never get its token.</summary>
    public string ServiceAccount { get; init; } = "agent";
    /// <summary><c>AGENT_RUNTIME_CLASS</c>: such as <c>gvisor</c>; null for the cluster's own.</summary>
    public string? RuntimeClass { get; init; }
    /// <summary><c>RUNNER_IMAGE</c>: an image with the runner in it; null takes that of the dispatcher's own pod.</summary>
    public string? RunnerImage { get; init; }
    /// <summary><c>POD_NAME</c> and <c>POD_NAMESPACE</c>: the dispatcher's own pod, by which its image is found.</summary>
    public (string Namespace, string Name)? OwnPod { get; init; }
    /// <summary>How long an agent may take to start; only tests have others.</summary>
    public LaunchLimits Limits { get; init; } = new();

    /// <summary>Faults are added to <paramref name="faults"/>, each naming the key, what it got and what it takes.</summary>
    public static KubernetesOptions Read(IConfiguration configuration, List<string> faults) => new()
    {
        Kubeconfig = ReadFile(configuration, faults),
        Namespace = ReadName(configuration, "AGENT_NAMESPACE", faults) ?? "kohakku-agents",
        ServiceAccount = ReadName(configuration, "AGENT_SERVICE_ACCOUNT", faults) ?? "agent",
        RuntimeClass = ReadName(configuration, "AGENT_RUNTIME_CLASS", faults),
        RunnerImage = ReadImage(configuration, faults),
        OwnPod = (Text(configuration, "POD_NAMESPACE"), Text(configuration, "POD_NAME")) is ({ } space, { } name) ? (space, name) : null,
    };

    private static string? ReadFile(IConfiguration configuration, List<string> faults)
    {
        if (Text(configuration, "KUBECONFIG") is not { } path) return null;
        if (!File.Exists(path)) faults.Add($"KUBECONFIG is '{path}'; it takes one file that is there.");
        return path;
    }

    private static string? ReadName(IConfiguration configuration, string key, List<string> faults)
    {
        if (Text(configuration, key) is not { } text) return null;
        if (text.Length > LongestLabel || !Name().IsMatch(text))
            faults.Add($"{key} is '{text}'; it takes a name of the cluster: a-z, 0-9 and hyphens, at most {LongestLabel}.");
        return text;
    }

    private static string? ReadImage(IConfiguration configuration, List<string> faults)
    {
        if (Text(configuration, "RUNNER_IMAGE") is not { } text) return null;
        if (text.Any(char.IsWhiteSpace)) faults.Add($"RUNNER_IMAGE is '{text}'; it takes the name of an image, like registry/kohakku/dispatcher:0.1.0.");
        return text;
    }

    private static string? Text(IConfiguration configuration, string key) =>
        string.IsNullOrWhiteSpace(configuration[key]) ? null : configuration[key]!.Trim();

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex Name();
}

/// <summary>How long an agent's pod may stay where it is before it counts as not started.</summary>
internal sealed record LaunchLimits
{
    /// <summary>Without a pod at all: a quota or an admission policy keeps the Job from making one.</summary>
    public TimeSpan Unmade { get; init; } = TimeSpan.FromMinutes(2);
    /// <summary>No node has room for it. An autoscaler takes minutes to bring one.</summary>
    public TimeSpan Unscheduled { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>The registry is away or refuses for now: the kubelet tries again meanwhile.</summary>
    public TimeSpan Unpulled { get; init; } = TimeSpan.FromMinutes(1);
    /// <summary>The container can't be made as it is, which may be because its Secret is just on its way.</summary>
    public TimeSpan Unmakeable { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>From the Job to a running agent, with the pull of a large image.</summary>
    public TimeSpan Altogether { get; init; } = TimeSpan.FromMinutes(20);
    /// <summary>After a pod should have ended: its node does not answer.</summary>
    public TimeSpan NodeSilence { get; init; } = TimeSpan.FromSeconds(45);
}
