using Kohakku.Dispatcher;
using Kohakku.ServiceDefaults;
using k8s;
using k8s.Models;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Kohakku.Tests.Deploy.Kubernetes;
using Microsoft.Extensions.Configuration;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>The walls around an agent, as they stand in its Job.</summary>
public sealed class AgentJobTests
{
    private static readonly Guid Instance = Guid.NewGuid();
    private static readonly KubernetesOptions Options = new();

    [Fact]
    public void Its_containers_have_no_rights_and_can_gain_none()
    {
        var pod = Describe().Spec.Template.Spec;
        Assert.False(pod.AutomountServiceAccountToken);
        Assert.False(pod.EnableServiceLinks);
        Assert.Equal(("agent", "RuntimeDefault"), (pod.ServiceAccountName, pod.SecurityContext.SeccompProfile.Type));
        Assert.Null(pod.RuntimeClassName);
        Assert.True(pod is { HostNetwork: false, HostPID: false, HostIPC: false });
        Assert.All(pod.Containers.Concat(pod.InitContainers), container =>
        {
            Assert.True(container.SecurityContext is { AllowPrivilegeEscalation: false, Privileged: false });
            Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
            Assert.Null(container.SecurityContext.Capabilities.Add);
        });
        Assert.All(pod.Volumes, volume => Assert.NotNull(volume.EmptyDir.SizeLimit));
        Assert.True(pod.Containers[0].VolumeMounts.Single(mount => mount.Name == "runner").ReadOnlyProperty);
    }

    [Fact]
    public void It_runs_once()
    {
        var job = Describe();
        Assert.Equal((0, "Never"), (job.Spec.BackoffLimit, job.Spec.Template.Spec.RestartPolicy));
        Assert.Equal((1, 1), (job.Spec.Completions, job.Spec.Parallelism));
        Assert.True(job.Spec.ActiveDeadlineSeconds > 2_592_000, "No attempt may run longer, and the longest must fit.");
        Assert.NotNull(job.Spec.TtlSecondsAfterFinished);
    }

    [Fact]
    public void The_token_stands_in_the_Secret_alone_which_goes_with_the_Job()
    {
        var launch = Launches.Of("the token itself", "image");
        var job = AgentJob.Describe(launch, Instance, Options, "runner");
        job.Metadata.Uid = "uid-1";
        Assert.DoesNotContain("the token itself", KubernetesJson.Serialize(job), StringComparison.Ordinal);
        var reference = job.Spec.Template.Spec.Containers[0].Env.Single(variable => variable.Name == "KOHAKKU_TOKEN").ValueFrom.SecretKeyRef;
        var secret = AgentJob.SecretOf(launch, Instance, Options, job);
        Assert.Equal((secret.Metadata.Name, "the token itself"), (reference.Name, secret.StringData[reference.Key]));
        var owner = Assert.Single(secret.Metadata.OwnerReferences);
        Assert.Equal(("Job", job.Metadata.Name, "uid-1"), (owner.Kind, owner.Name, owner.Uid));
        Assert.True(secret.Immutable);
    }

    [Fact]
    public void Its_environment_is_what_the_runner_needs()
    {
        var names = Describe().Spec.Template.Spec.Containers[0].Env.Select(variable => variable.Name).Order(StringComparer.Ordinal);
        Assert.Equal(["KOHAKKU_ATTEMPT_ID", "KOHAKKU_TASK_ID", "KOHAKKU_TOKEN", "KOHAKKU_URL", "KOHAKKU_WORKSPACE", "TRACEPARENT"], names);
    }

    [Theory]
    [InlineData(NetworkMode.None, "none")]
    [InlineData(NetworkMode.Internet, "internet")]
    public void Its_labels_say_whose_it_is_and_what_network_it_may_have(NetworkMode mode, string label)
    {
        var launch = Launches.Of("x", "image", network: mode);
        var job = AgentJob.Describe(launch, Instance, Options, "runner");
        Assert.Equal(job.Metadata.Labels, job.Spec.Template.Metadata.Labels);
        Assert.Equal(
            (Instance.ToString(), launch.AttemptId.ToString(), launch.TaskId.ToString(), label),
            (job.Metadata.Labels["kohakku.io/instance"], job.Metadata.Labels["kohakku.io/attempt"], job.Metadata.Labels["kohakku.io/task"], job.Metadata.Labels["kohakku.io/network"]));
        // Policies let dispatchers do more: no agent may look like one.
        Assert.NotEqual("dispatcher", job.Metadata.Labels["app.kubernetes.io/name"]);
        Assert.Equal("kohakku-agents", job.Metadata.NamespaceProperty);
    }

    [Fact]
    public void It_gets_what_its_task_names_and_the_namespaces_defaults_for_the_rest()
    {
        var agent = AgentJob.Describe(Launches.Of("x", "image", new ResourceLimits { Cpu = 1.5, MemoryMb = 2048 }), Instance, Options, "runner").Spec.Template.Spec.Containers[0];
        Assert.Equal(("1500m", "2Gi"), (agent.Resources.Limits["cpu"].ToString(), agent.Resources.Limits["memory"].ToString()));
        Assert.Equal(agent.Resources.Limits, agent.Resources.Requests);
        Assert.Empty(Describe().Spec.Template.Spec.Containers[0].Resources.Limits);
    }

    [Theory]
    [InlineData(PullPolicy.Missing, "IfNotPresent")]
    [InlineData(PullPolicy.Always, "Always")]
    [InlineData(PullPolicy.Never, "Never")]
    public void Its_pull_policy_is_the_agents(PullPolicy policy, string expected) =>
        Assert.Equal(expected, AgentJob.Describe(Launches.Of("x", "image", pullPolicy: policy), Instance, Options, "runner").Spec.Template.Spec.Containers[0].ImagePullPolicy);

    [Fact]
    public void A_runtime_class_and_a_namespace_can_be_set()
    {
        var job = AgentJob.Describe(Launches.Of("x", "image"), Instance, Options with { RuntimeClass = "gvisor", Namespace = "elsewhere", ServiceAccount = "other" }, "registry/runner:1");
        Assert.Equal(("gvisor", "elsewhere", "other"), (job.Spec.Template.Spec.RuntimeClassName, job.Metadata.NamespaceProperty, job.Spec.Template.Spec.ServiceAccountName));
        Assert.Equal("registry/runner:1", job.Spec.Template.Spec.InitContainers[0].Image);
    }

    [Fact]
    public void What_it_calls_is_what_the_manifests_allow_in_the_agents_namespace() => Assert.Equal(
        AccessTests.WorkerCalls.Order(StringComparer.Ordinal),
        ClusterAccess.Calls.Select(call => $"{call.Group}/{call.Resource}{(call.Subresource is null ? "" : $"/{call.Subresource}")} {call.Verb}").Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("AGENT_NAMESPACE", "Not A Name")]
    [InlineData("AGENT_RUNTIME_CLASS", "-x")]
    [InlineData("RUNNER_IMAGE", "two words")]
    [InlineData("KUBECONFIG", "/there/is/no/such/file")]
    [InlineData("DISPATCHER_URL", "http://localhost:8080")]
    public void A_wrong_setting_is_told_by_name(string key, string value)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["RUNTIME_BACKEND"] = "worker", ["DISPATCHER_URL"] = "http://dispatcher-0:8080", [key] = value }).Build();
        var settings = new SettingsReader(configuration);
        RuntimeOptions.Read(settings, DispatcherOptions.Read(settings), isDevelopment: false);
        Assert.StartsWith($"{key} is '{value}'", Assert.Single(settings.Faults), StringComparison.Ordinal);
    }

    private static V1Job Describe() => AgentJob.Describe(Launches.Of("x", "image"), Instance, Options, "runner");
}
