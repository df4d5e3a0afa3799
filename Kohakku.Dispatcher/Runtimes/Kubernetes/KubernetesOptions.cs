using System.Text.RegularExpressions;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>What the <c>worker</c> runtime takes from the configuration.</summary>
internal sealed partial record KubernetesOptions
{
    private const int LongestLabel = 63;
    private const string ClusterName = "a name of the cluster: a-z, 0-9 and hyphens, at most 63";

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

    /// <summary>Faults are noted in <paramref name="settings"/>, to be reported with all others.</summary>
    /// <param name="isUsed">Another runtime has been chosen else, and what is set is no fault, whatever it is: <c>KUBECONFIG</c> is other programs' too.</param>
    public static KubernetesOptions Read(SettingsReader settings, bool isUsed) => new()
    {
        Kubeconfig = ReadFile(settings, isUsed),
        Namespace = ReadName(settings, new("AGENT_NAMESPACE", ClusterName, "`kohakku-agents`", "For `worker`: the namespace that agents' Jobs are made in; not the dispatcher's own."), isUsed) ?? "kohakku-agents",
        ServiceAccount = ReadName(settings, new("AGENT_SERVICE_ACCOUNT", ClusterName, "`agent`", "For `worker`: what agents' pods run as, without its token; credentials for private registries belong to it."), isUsed) ?? "agent",
        RuntimeClass = ReadName(settings, new("AGENT_RUNTIME_CLASS", ClusterName, null, "For `worker`: the runtime class of agents' pods, such as `gvisor`; unset, the cluster's own."), isUsed),
        RunnerImage = ReadImage(settings, isUsed),
        OwnPod = (
            settings.Read(new Setting("POD_NAMESPACE", "a namespace", null, "For `worker`: the namespace of the dispatcher's own pod.")),
            settings.Read(new Setting("POD_NAME", "a pod's name", null, "For `worker`: the dispatcher's own pod, by which its image is found."))) is ({ } space, { } name) ? (space, name) : null,
    };

    private static string? ReadFile(SettingsReader settings, bool isUsed)
    {
        var path = settings.Read(new Setting("KUBECONFIG", "a file", null, "For `worker` outside a cluster, in development: how to reach it; unset, the pod's own service account is used."));
        if (path is not null && isUsed && !File.Exists(path)) settings.Fault($"KUBECONFIG is '{path}'; it takes one file that is there.");
        return path;
    }

    private static string? ReadName(SettingsReader settings, Setting setting, bool isUsed)
    {
        if (settings.Read(setting) is not { } text) return null;
        if (isUsed && (text.Length > LongestLabel || !Name().IsMatch(text)))
            settings.Fault($"{setting.Key} is '{text}'; it takes a name of the cluster: a-z, 0-9 and hyphens, at most {LongestLabel}.");
        return text;
    }

    private static string? ReadImage(SettingsReader settings, bool isUsed)
    {
        var text = settings.Read(new Setting(
            "RUNNER_IMAGE", "an image's name", null, "For `worker`: the dispatcher's image, whose runner is copied into agents' pods; unset, that of the own pod, looked up by `POD_NAME` and `POD_NAMESPACE`."));
        if (text is not null && isUsed && text.Any(char.IsWhiteSpace)) settings.Fault($"RUNNER_IMAGE is '{text}'; it takes the name of an image, like registry/kohakku/dispatcher:0.1.0.");
        return text;
    }

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
