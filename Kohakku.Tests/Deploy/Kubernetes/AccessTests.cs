using k8s.Models;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>Who may do what by the cluster's API, and who may talk to whom.</summary>
public sealed class AccessTests
{
    /// <summary>
    /// What the `worker` runtime calls, and all it calls, in the agents' namespace: it makes, finds and removes Jobs, makes the Secret of each (and reads
    /// none), follows their pods, ends them with a grace period of its choosing, and reads the last words of a runner that died; once it looks whether
    /// there are walls. Whoever adds a call there adds it here and in runtime/agents.yaml.
    /// </summary>
    internal static readonly string[] WorkerCalls =
    [
        "/pods delete", "/pods list", "/pods watch", "/pods/log get", "/secrets create", "batch/jobs create", "batch/jobs delete", "batch/jobs get", "batch/jobs list",
        "networking.k8s.io/networkpolicies list",
    ];

    public static TheoryData<string> Overlays => [.. Rendered.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_dispatcher_may_do_what_its_runtime_calls_and_nothing_else(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);
        Assert.Empty(rendered.Of<V1ClusterRole>());
        Assert.Empty(rendered.Of<V1ClusterRoleBinding>());
        // In its own namespace it looks up which image it is of.
        var expected = new Dictionary<string, string[]> { ["kohakku-agents"] = WorkerCalls, ["kohakku"] = ["/pods get"] };
        Assert.Equal(expected.Keys.Order(), rendered.Of<V1Role>().Select(role => role.Metadata.NamespaceProperty).Order());
        Assert.Equal(2, rendered.Of<V1RoleBinding>().Count());
        Assert.All(expected, pair =>
        {
            var role = Assert.Single(rendered.Of<V1Role>(), each => each.Metadata.NamespaceProperty == pair.Key);
            var binding = Assert.Single(rendered.Of<V1RoleBinding>(), each => each.Metadata.NamespaceProperty == pair.Key);
            Assert.Equal(pair.Value.Order(StringComparer.Ordinal), Calls(role).Order(StringComparer.Ordinal));
            Assert.Equal((role.Metadata.Name, "Role"), (binding.RoleRef.Name, binding.RoleRef.Kind));
            var subject = Assert.Single(binding.Subjects);
            Assert.Equal(("ServiceAccount", "dispatcher", "kohakku"), (subject.Kind, subject.Name, subject.NamespaceProperty));
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Both_namespaces_deny_what_is_not_named(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.All(new[] { "kohakku", "kohakku-agents" }, @namespace =>
        {
            var policy = rendered.Named<V1NetworkPolicy>("default-deny", @namespace);
            Assert.True(policy.Spec.PodSelector is { MatchLabels: null, MatchExpressions: null });
            Assert.Equal(["Egress", "Ingress"], policy.Spec.PolicyTypes.Order());
            Assert.True(policy.Spec is { Egress: null, Ingress: null });
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Namespaces_hold_pods_to_a_standard(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.Equal("restricted", rendered.Named<V1Namespace>("kohakku", null).Metadata.Labels["pod-security.kubernetes.io/enforce"]);
        Assert.Equal("baseline", rendered.Named<V1Namespace>("kohakku-agents", null).Metadata.Labels["pod-security.kubernetes.io/enforce"]);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Agents_are_called_by_nobody_and_reach_their_dispatcher_a_name_service_and_by_label_the_internet(string overlay)
    {
        var policies = (await Rendered.OverlayAsync(overlay)).Of<V1NetworkPolicy>().Where(each => each.Metadata.NamespaceProperty == "kohakku-agents").ToList();
        Assert.All(policies, policy => Assert.Null(policy.Spec.Ingress));

        var internet = Assert.Single(policies, each => each.Metadata.Name == "internet");
        Assert.Equal("internet", internet.Spec.PodSelector.MatchLabels["kohakku.io/network"]);
        var peer = Assert.Single(Assert.Single(internet.Spec.Egress).To);
        Assert.Equal(["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"], peer.IpBlock.Except.Order());

        var others = policies.Where(each => each != internet).SelectMany(each => each.Spec.Egress ?? []).ToList();
        Assert.Equal(["53", "53", "8080"], others.SelectMany(rule => rule.Ports).Select(port => port.Port.Value).Order());
        Assert.All(others.SelectMany(rule => rule.To), to => Assert.True(to is { NamespaceSelector: not null, PodSelector: not null, IpBlock: null }));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_policy_selects_somebody_and_lets_in_at_a_port_that_is_listened_on(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        foreach (var policy in rendered.Of<V1NetworkPolicy>().Where(each => each.Metadata.NamespaceProperty == "kohakku"))
        {
            var selected = rendered.Workloads.Where(each => each.Namespace == "kohakku" && each.IsSelectedBy(policy.Spec.PodSelector)).ToList();
            Assert.NotEmpty(selected);
            var listened = selected.SelectMany(each => each.Pod.Containers[0].Ports ?? []).Select(port => $"{port.ContainerPort}").ToHashSet();
            Assert.All((policy.Spec.Ingress ?? []).SelectMany(rule => rule.Ports), port => Assert.Contains(port.Port.Value, listened));
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Nobody_reaches_the_clouds_metadata(string overlay)
    {
        var blocks = (await Rendered.OverlayAsync(overlay)).Of<V1NetworkPolicy>().SelectMany(each => each.Spec.Egress ?? []).SelectMany(rule => rule.To ?? [])
            .Select(to => to.IpBlock).OfType<V1IPBlock>().Where(block => block.Cidr == "0.0.0.0/0").ToList();

        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains("169.254.0.0/16", block.Except));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Agents_have_bounds_and_defaults_within_them(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);
        var quota = rendered.Named<V1ResourceQuota>("agents", "kohakku-agents").Spec.Hard;
        var limit = Assert.Single(rendered.Named<V1LimitRange>("agents", "kohakku-agents").Spec.Limits);

        foreach (var resource in new[] { "cpu", "memory", "ephemeral-storage" })
        {
            // A quota on requests refuses pods that make none, so there must be defaults.
            Assert.Contains($"requests.{resource}", quota);
            Assert.True(limit.DefaultRequest[resource].ToDecimal() <= limit.DefaultProperty[resource].ToDecimal());
            Assert.True(limit.DefaultProperty[resource].ToDecimal() <= limit.Max[resource].ToDecimal());
        }
        Assert.Equal(0, quota["services"].ToInt64());
    }

    private static IEnumerable<string> Calls(V1Role role) =>
        from rule in role.Rules
        from @group in rule.ApiGroups
        from resource in rule.Resources
        from verb in rule.Verbs
        select $"{@group}/{resource} {verb}";
}
