using k8s;
using k8s.Models;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>Something that starts pods, whatever its kind.</summary>
internal sealed record Workload(string Kind, V1ObjectMeta Metadata, V1LabelSelector? Selector, V1PodTemplateSpec Template)
{
    public string Name => Metadata.Name;
    public string Namespace => Metadata.NamespaceProperty;
    public V1PodSpec Pod => Template.Spec;
    public IDictionary<string, string> Labels => Template.Metadata.Labels;
    public bool IsJob => Kind == V1Job.KubeKind;

    /// <summary>The service whose image it runs; null for what is not Kohakku's own.</summary>
    public string? Service => Pod.Containers.Count == 1 && Pod.Containers[0].Image.Contains("kohakku/", StringComparison.Ordinal)
        ? Pod.Containers[0].Image.Split('/')[^1].Split(':')[0]
        : null;

    public static Workload? Of(IKubernetesObject<V1ObjectMeta> each) => each switch
    {
        V1Deployment deployment => new(each.Kind, each.Metadata, deployment.Spec.Selector, deployment.Spec.Template),
        V1StatefulSet set => new(each.Kind, each.Metadata, set.Spec.Selector, set.Spec.Template),
        V1Job job => new(each.Kind, each.Metadata, null, job.Spec.Template),
        _ => null,
    };

    public bool IsSelectedBy(IDictionary<string, string>? labels) => labels is not null && labels.All(label => Labels.TryGetValue(label.Key, out var value) && value == label.Value);

    public bool IsSelectedBy(V1LabelSelector selector) =>
        (selector.MatchLabels is null || IsSelectedBy(selector.MatchLabels)) && (selector.MatchExpressions ?? []).All(IsMatchedBy);

    private bool IsMatchedBy(V1LabelSelectorRequirement requirement)
    {
        Assert.Equal("In", requirement.OperatorProperty);
        return Labels.TryGetValue(requirement.Key, out var value) && requirement.Values.Contains(value);
    }
}
