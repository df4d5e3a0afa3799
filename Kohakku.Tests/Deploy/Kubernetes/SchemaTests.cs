using k8s;
using k8s.Models;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>The manifests are what the Kubernetes API takes.</summary>
public sealed class SchemaTests
{
    private static readonly string[] WithoutNamespace = [V1Namespace.KubeKind];

    public static TheoryData<string> Overlays => [.. Rendered.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_document_is_of_the_APIs_schema(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.Equal(rendered.Yaml.Split('\n').Count(line => line.StartsWith("kind: ", StringComparison.Ordinal)), rendered.Objects.Count);
        foreach (var kind in new[]
        {
            V1Deployment.KubeKind, V1StatefulSet.KubeKind, V1Job.KubeKind, V2HorizontalPodAutoscaler.KubeKind, V1PodDisruptionBudget.KubeKind,
            V1NetworkPolicy.KubeKind, V1Role.KubeKind, V1RoleBinding.KubeKind, V1ServiceAccount.KubeKind, V1ResourceQuota.KubeKind, V1LimitRange.KubeKind,
        })
            Assert.Contains(rendered.Objects, each => each.Kind == kind);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_object_says_whose_it_is_and_none_is_there_twice(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.All(rendered.Objects, each => Assert.Equal("kohakku", each.Metadata.Labels?["app.kubernetes.io/part-of"]));
        Assert.All(
            rendered.Objects.Where(each => !WithoutNamespace.Contains(each.Kind)),
            each => Assert.True(each.Metadata.NamespaceProperty is "kohakku" or "kohakku-agents", $"{each.Kind} {each.Metadata.Name} is in no namespace of ours."));
        Assert.Distinct(rendered.Objects.Select(each => (each.ApiVersion, each.Kind, each.Metadata.NamespaceProperty, each.Metadata.Name)));
    }

    [Theory]
    [InlineData("replicas:", "replica:")]
    [InlineData("httpGet:", "httpget:")]
    [InlineData("maxUnavailable: 0", "maximumUnavailable: 0")]
    [InlineData("policyTypes:", "policytypes:")]
    [InlineData("periodSeconds: 5", "periodSeconds: often")]
    [InlineData("stabilizationWindowSeconds:", "stabilisationWindowSeconds:")]
    [InlineData("sleep:", "snooze:")]
    public async Task A_slip_of_the_pen_is_found(string right, string wrong)
    {
        var yaml = (await Rendered.OverlayAsync("production")).Yaml;
        Assert.Contains(right, yaml, StringComparison.Ordinal);

        Assert.ThrowsAny<Exception>(() => Rendered.Read(yaml.Replace(right, wrong, StringComparison.Ordinal)));
    }

    [Fact]
    public void The_policy_that_keeps_agents_in_gVisor_is_of_the_APIs_schema()
    {
        var text = File.ReadAllText(Path.Combine(SourceTree.RepositoryRoot, "terraform", "gke", "policies", "agents-in-gvisor.yaml"));
        var objects = KubernetesYaml.LoadAllFromString(text, typeMap: null, strict: true);

        var policy = Assert.Single(objects.OfType<V1ValidatingAdmissionPolicy>());
        var binding = Assert.Single(objects.OfType<V1ValidatingAdmissionPolicyBinding>());
        Assert.Equal(policy.Metadata.Name, binding.Spec.PolicyName);
        Assert.Equal("kohakku-agents", binding.Spec.MatchResources.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]);
    }
}
