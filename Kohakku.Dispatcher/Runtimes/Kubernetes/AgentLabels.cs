namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>What the runtime writes on all it makes in the cluster, and by which alone it finds its own again.</summary>
internal static class AgentLabels
{
    /// <summary>The instance id of the dispatcher that an agent belongs to.</summary>
    public const string Instance = "kohakku.io/instance";
    public const string Attempt = "kohakku.io/attempt";
    public const string Task = "kohakku.io/task";
    /// <summary>The network mode; the policy <c>internet</c> of the agents' namespace selects by it.</summary>
    public const string Network = "kohakku.io/network";

    /// <summary>Of an attempt's Job and Secret: the name is what makes a second start of one attempt find the first.</summary>
    public static string NameOf(Guid attemptId) => $"kohakku-{attemptId:N}";

    public static string Selector(Guid instanceId) => $"{Instance}={instanceId}";

    public static string Selector(Guid instanceId, Guid attemptId) => $"{Selector(instanceId)},{Attempt}={attemptId}";

    public static Guid? AttemptOf(IDictionary<string, string>? labels) =>
        labels is not null && labels.TryGetValue(Attempt, out var text) && Guid.TryParse(text, out var id) ? id : null;
}
