using k8s;
using k8s.Models;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>What is asked once, at start: may this dispatcher do what it will have to, are agents walled in, and which image brings the runner?</summary>
internal sealed class ClusterAccess(ClusterApi api, KubernetesOptions options)
{
    /// <summary>All that the runtime calls in the agents' namespace; the Role of deploy/kubernetes names the same.</summary>
    public static readonly IReadOnlyList<(string Group, string Resource, string? Subresource, string Verb)> Calls =
    [
        ("batch", "jobs", null, "create"), ("batch", "jobs", null, "delete"), ("batch", "jobs", null, "get"), ("batch", "jobs", null, "list"),
        ("", "pods", null, "delete"), ("", "pods", null, "list"), ("", "pods", null, "watch"), ("", "pods", "log", "get"),
        ("", "secrets", null, "create"), ("networking.k8s.io", "networkpolicies", null, "list"),
    ];

    /// <exception cref="RuntimeUnavailableException">With one line that says what is missing.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(Calls.Select(async call => (Call: call, IsAllowed: await MayAsync(call, cancellationToken))));
        var missing = answers.Where(answer => !answer.IsAllowed).Select(answer => Name(answer.Call)).ToList();
        if (missing.Count > 0)
        {
            throw new RuntimeUnavailableException(
                $"RUNTIME_BACKEND=worker, but the cluster's API at {api.Host} does not allow this dispatcher, in namespace {options.Namespace} (AGENT_NAMESPACE): "
                + $"{string.Join(", ", missing)}. Bind the Role of deploy/kubernetes to its service account.");
        }
        await CheckWallsAsync(cancellationToken);
    }

    /// <summary>The image whose runner is copied into agents' pods: what is set, or that of the pod that this process is in.</summary>
    /// <exception cref="RuntimeUnavailableException">Neither is known.</exception>
    public async Task<string> RunnerImageAsync(CancellationToken cancellationToken)
    {
        if (options.RunnerImage is { } set) return set;
        if (options.OwnPod is not { } own)
            throw new RuntimeUnavailableException("RUNTIME_BACKEND=worker needs RUNNER_IMAGE, the dispatcher's own image, or POD_NAME and POD_NAMESPACE to look it up by.");
        try
        {
            var pod = await api.CallAsync((cluster, token) => cluster.CoreV1.ReadNamespacedPodAsync(own.Name, own.Namespace, cancellationToken: token), cancellationToken);
            var containers = pod.Spec.Containers;
            return (containers.FirstOrDefault(container => container.Name == "dispatcher") ?? containers[0]).Image;
        }
        catch (ClusterRefusedException refused)
        {
            throw new RuntimeUnavailableException(
                $"The image of this dispatcher's pod {own.Namespace}/{own.Name} can't be looked up ({refused.Message}): allow it to get pods there, or set RUNNER_IMAGE.", refused);
        }
    }

    /// <summary>Agents whose network mode is <c>none</c> have what policies leave them: where there are none, that is all.</summary>
    private async Task CheckWallsAsync(CancellationToken cancellationToken)
    {
        var policies = await api.CallAsync((cluster, token) => cluster.NetworkingV1.ListNamespacedNetworkPolicyAsync(options.Namespace, cancellationToken: token), cancellationToken);
        if (policies.Items.Any(IsForAll)) return;
        throw new RuntimeUnavailableException(
            $"No NetworkPolicy of namespace {options.Namespace} holds back what all pods send, so agents without a network would have one: apply that of deploy/kubernetes.");
    }

    private static bool IsForAll(V1NetworkPolicy policy) =>
        policy.Spec is { PodSelector: { MatchLabels: null or { Count: 0 }, MatchExpressions: null or { Count: 0 } } } spec && (spec.PolicyTypes?.Contains("Egress") ?? false);

    private async Task<bool> MayAsync((string Group, string Resource, string? Subresource, string Verb) call, CancellationToken cancellationToken)
    {
        var review = new V1SelfSubjectAccessReview
        {
            ApiVersion = "authorization.k8s.io/v1",
            Kind = "SelfSubjectAccessReview",
            Spec = new V1SelfSubjectAccessReviewSpec
            {
                ResourceAttributes = new V1ResourceAttributes
                {
                    NamespaceProperty = options.Namespace, Group = call.Group, Resource = call.Resource, Subresource = call.Subresource, Verb = call.Verb,
                },
            },
        };
        var answer = await api.CallAsync((cluster, token) => cluster.AuthorizationV1.CreateSelfSubjectAccessReviewAsync(review, cancellationToken: token), cancellationToken);
        return answer.Status?.Allowed ?? false;
    }

    private static string Name((string Group, string Resource, string? Subresource, string Verb) call) =>
        $"{call.Verb} {call.Resource}{(call.Subresource is null ? "" : $"/{call.Subresource}")}{(call.Group.Length == 0 ? "" : $".{call.Group}")}";
}
