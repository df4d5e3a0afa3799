using System.Globalization;
using k8s.Models;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>The Job of an agent, as the cluster is asked for it: its walls stand here, and nowhere else.</summary>
internal static class AgentJob
{
    public const string AgentContainer = "agent";
    public const string RunnerContainer = "runner";
    public const string RunnerFolder = "/opt/kohakku";
    public const string RunnerPath = RunnerFolder + "/kohakku-agent";
    /// <summary>Where the runner lies in the dispatcher's image.</summary>
    public const string RunnerInImage = "/app/runner/kohakku-agent";
    public const string Workspace = "/workspace";
    public const string TokenKey = "token";

    // The runner's grace for the agent and its last words to the dispatcher, for whoever else ends the pod: a drained node, an eviction.
    private const int GraceSeconds = 15;
    // The runner itself ends an agent whose workspace is over 10 GiB, and says so: this is for what gets past it.
    private const string WorkspaceLimit = "11Gi";
    // What is left of a dispatcher that never comes back: attempts may take 30 days, and a day is time to look at what has ended.
    private const long LongestSeconds = 31 * 24 * 3600;
    private const int KeptSeconds = 24 * 3600;

    public static V1Job Describe(AgentLaunch launch, Guid instanceId, KubernetesOptions options, string runnerImage)
    {
        var labels = LabelsOf(launch, instanceId);
        return new V1Job
        {
            ApiVersion = "batch/v1",
            Kind = "Job",
            Metadata = new V1ObjectMeta { Name = AgentLabels.NameOf(launch.AttemptId), NamespaceProperty = options.Namespace, Labels = labels },
            Spec = new V1JobSpec
            {
                // Whether an attempt is made again is the controller's to say.
                BackoffLimit = 0,
                Completions = 1,
                Parallelism = 1,
                ActiveDeadlineSeconds = LongestSeconds,
                TtlSecondsAfterFinished = KeptSeconds,
                Template = new V1PodTemplateSpec
                {
                    Metadata = new V1ObjectMeta { Labels = labels, Annotations = Annotations },
                    Spec = PodOf(launch, options, runnerImage),
                },
            },
        };
    }

    /// <summary>The attempt's token, which opens its brief and secrets: not in the Job, which more people may read. It goes with its Job.</summary>
    public static V1Secret SecretOf(AgentLaunch launch, Guid instanceId, KubernetesOptions options, V1Job owner) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta
        {
            Name = AgentLabels.NameOf(launch.AttemptId),
            NamespaceProperty = options.Namespace,
            Labels = LabelsOf(launch, instanceId),
            // It blocks no deletion: that would take the right to the owner's finalizers.
            OwnerReferences = [new V1OwnerReference { ApiVersion = "batch/v1", Kind = "Job", Name = owner.Metadata.Name, Uid = owner.Metadata.Uid }],
        },
        Immutable = true,
        Type = "Opaque",
        StringData = new Dictionary<string, string> { [TokenKey] = launch.Token },
    };

    private static Dictionary<string, string> LabelsOf(AgentLaunch launch, Guid instanceId) => new()
    {
        ["app.kubernetes.io/name"] = "agent",
        ["app.kubernetes.io/part-of"] = "kohakku",
        [AgentLabels.Instance] = instanceId.ToString(),
        [AgentLabels.Attempt] = launch.AttemptId.ToString(),
        [AgentLabels.Task] = launch.TaskId.ToString(),
        [AgentLabels.Network] = launch.Agent.Network.Mode == NetworkMode.Internet ? "internet" : "none",
    };

    // An agent that is moved starts anew, and is paid for twice: autoscalers that tidy up nodes leave it where it is.
    private static Dictionary<string, string> Annotations => new()
    {
        ["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "false",
        ["karpenter.sh/do-not-disrupt"] = "true",
    };

    private static V1PodSpec PodOf(AgentLaunch launch, KubernetesOptions options, string runnerImage) => new()
    {
        RestartPolicy = "Never",
        ServiceAccountName = options.ServiceAccount,
        AutomountServiceAccountToken = false,
        EnableServiceLinks = false,
        RuntimeClassName = options.RuntimeClass,
        TerminationGracePeriodSeconds = GraceSeconds,
        HostNetwork = false,
        HostPID = false,
        HostIPC = false,
        SecurityContext = new V1PodSecurityContext { SeccompProfile = new V1SeccompProfile { Type = "RuntimeDefault" } },
        InitContainers = [RunnerOf(runnerImage)],
        Containers = [AgentOf(launch)],
        Volumes =
        [
            new V1Volume { Name = "runner", EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = new ResourceQuantity("64Mi") } },
            new V1Volume { Name = "workspace", EmptyDir = new V1EmptyDirVolumeSource { SizeLimit = new ResourceQuantity(WorkspaceLimit) } },
        ],
    };

    /// <summary>Brings the runner: a static program that copies itself, so that its image needs no shell.</summary>
    private static V1Container RunnerOf(string image) => new()
    {
        Name = RunnerContainer,
        Image = image,
        ImagePullPolicy = "IfNotPresent",
        Command = [RunnerInImage, "install", RunnerPath],
        SecurityContext = Walls(readOnlyRoot: true),
        Resources = Limits(("cpu", "100m"), ("memory", "64Mi")),
        VolumeMounts = [new V1VolumeMount { Name = "runner", MountPath = RunnerFolder }],
        TerminationMessagePolicy = "FallbackToLogsOnError",
    };

    private static V1Container AgentOf(AgentLaunch launch) => new()
    {
        Name = AgentContainer,
        Image = launch.Agent.Image,
        ImagePullPolicy = launch.Agent.PullPolicy switch { PullPolicy.Always => "Always", PullPolicy.Never => "Never", _ => "IfNotPresent" },
        Command = [RunnerPath, Runner.Verb],
        Args = [],
        WorkingDir = Workspace,
        Env = EnvironmentOf(launch),
        // The user is the image's, and the root may be written to, as with Docker: any image is an agent.
        SecurityContext = Walls(readOnlyRoot: null),
        Resources = LimitsOf(launch.Resources),
        VolumeMounts =
        [
            new V1VolumeMount { Name = "runner", MountPath = RunnerFolder, ReadOnlyProperty = true },
            new V1VolumeMount { Name = "workspace", MountPath = Workspace },
        ],
        // The runner's own last words, also for who comes when the pod is gone. The agent's output goes to the dispatcher.
        TerminationMessagePolicy = "FallbackToLogsOnError",
    };

    private static V1SecurityContext Walls(bool? readOnlyRoot) => new()
    {
        AllowPrivilegeEscalation = false,
        Privileged = false,
        ReadOnlyRootFilesystem = readOnlyRoot,
        Capabilities = new V1Capabilities { Drop = ["ALL"] },
    };

    private static List<V1EnvVar> EnvironmentOf(AgentLaunch launch)
    {
        List<V1EnvVar> environment =
        [
            new() { Name = AgentEnvironment.Url, Value = launch.DispatcherUrl.ToString().TrimEnd('/') },
            new()
            {
                Name = AgentEnvironment.Token,
                ValueFrom = new V1EnvVarSource { SecretKeyRef = new V1SecretKeySelector { Name = AgentLabels.NameOf(launch.AttemptId), Key = TokenKey } },
            },
            new() { Name = AgentEnvironment.TaskId, Value = launch.TaskId.ToString() },
            new() { Name = AgentEnvironment.AttemptId, Value = launch.AttemptId.ToString() },
            new() { Name = AgentEnvironment.Workspace, Value = Workspace },
        ];
        if (launch.TraceParent is not null) environment.Add(new V1EnvVar { Name = AgentEnvironment.TraceParent, Value = launch.TraceParent });
        return environment;
    }

    /// <summary>What a task names it gets, and no more; for the rest there are the namespace's defaults.</summary>
    private static V1ResourceRequirements LimitsOf(ResourceLimits resources)
    {
        var limits = new List<(string, string)>();
        if (resources.Cpu is { } cpu) limits.Add(("cpu", $"{Math.Max(1, (long)Math.Ceiling(cpu * 1000)).ToString(CultureInfo.InvariantCulture)}m"));
        if (resources.MemoryMb is { } memory) limits.Add(("memory", $"{memory.ToString(CultureInfo.InvariantCulture)}Mi"));
        return Limits([.. limits]);
    }

    private static V1ResourceRequirements Limits(params (string Resource, string Quantity)[] limits)
    {
        Dictionary<string, ResourceQuantity> Quantities() => limits.ToDictionary(limit => limit.Resource, limit => new ResourceQuantity(limit.Quantity));
        return new V1ResourceRequirements { Limits = Quantities(), Requests = Quantities() };
    }
}
