using System.Globalization;
using k8s.Models;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>What a pod's status says of its agent. Pure: the same status reads the same whoever reads it, and however late.</summary>
internal static class PodReading
{
    // The kubelet's words for a container of which it has lost sight: its exit code is made up.
    private const string Unknown = "ContainerStatusUnknown";
    // The container engine could not run the command: nothing of the agent has run.
    private static readonly string[] NeverRan = ["StartError", "ContainerCannotRun"];

    public static V1ContainerStatus? Agent(V1Pod pod) => Named(pod.Status?.ContainerStatuses, AgentJob.AgentContainer);

    public static V1ContainerStatus? Runner(V1Pod pod) => Named(pod.Status?.InitContainerStatuses, AgentJob.RunnerContainer);

    /// <summary>The agent's container runs, or has run.</summary>
    public static bool HasStarted(V1Pod pod) => Agent(pod)?.State is { Running: not null } or { Terminated: not null } && NotRun(pod) is null;

    /// <summary>Why the agent's container was made and could not run; null when it is not so.</summary>
    public static string? NotRun(V1Pod pod) =>
        Agent(pod)?.State?.Terminated is { } ended && NeverRan.Contains(ended.Reason) ? $"{ended.Reason}: {ended.Message}".TrimEnd(' ', ':') : null;

    /// <param name="isGone">It is not in the cluster any more; this is what was last seen of it.</param>
    /// <returns>Null while it has not ended.</returns>
    public static RuntimeExit? ExitOf(V1Pod pod, bool isGone)
    {
        if (Agent(pod)?.State?.Terminated is { } ended)
        {
            if (ended.Reason == Unknown) return new RuntimeExit(null, OutOfMemory: false, Why(pod) ?? $"The node has lost its container. {ended.Message}".TrimEnd());
            return new RuntimeExit(ended.ExitCode, ended.Reason == "OOMKilled", ended.ExitCode == 0 ? "" : Join(ended.Message, Why(pod)));
        }
        if (isGone) return new RuntimeExit(null, OutOfMemory: false, Why(pod) ?? "Its pod was removed from outside.");
        // Evicted, Preempting, NodeShutdown, DeadlineExceeded …: the pod was ended as a whole.
        return pod.Status?.Phase is "Failed" or "Succeeded" ? new RuntimeExit(null, OutOfMemory: false, Why(pod) ?? "Its pod ended without saying how its agent did.") : null;
    }

    /// <summary>Why the pod as a whole was ended: <c>Evicted: The node was low on resource: memory.</c> Null when nobody said.</summary>
    public static string? Why(V1Pod pod)
    {
        // {"type":"DisruptionTarget","status":"True","reason":"PreemptionByScheduler","message":"…: preempting to accommodate a higher priority pod"}
        var disruption = pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "DisruptionTarget", Status: "True" });
        var reason = pod.Status?.Reason ?? disruption?.Reason;
        var message = pod.Status?.Message ?? disruption?.Message;
        return reason is null && message is null ? null : $"Its pod was ended: {string.Join(": ", new[] { reason, message }.OfType<string>())}";
    }

    /// <summary>No node takes it, in the scheduler's words; null when that is not so.</summary>
    public static string? Unscheduled(V1Pod pod) =>
        pod.Status?.Conditions?.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False" }) is { } waiting
            ? Join(waiting.Reason, waiting.Message, ": ")
            : null;

    /// <summary>For how long a pod that was told to end may take to do so.</summary>
    public static TimeSpan Grace(V1Pod pod) => TimeSpan.FromSeconds(pod.Metadata.DeletionGracePeriodSeconds ?? 0);

    public static string Join(string? first, string? second, string between = "\n") =>
        string.Join(between, new[] { first?.TrimEnd(), second?.TrimEnd() }.Where(part => !string.IsNullOrEmpty(part)));

    /// <summary>For the log: <c>Pending, agent ImagePullBackOff</c>.</summary>
    public static string Describe(V1Pod pod)
    {
        var state = Agent(pod)?.State;
        var agent = state?.Waiting?.Reason ?? state?.Terminated?.Reason ?? (state?.Running is null ? null : "Running");
        return string.Create(CultureInfo.InvariantCulture, $"{pod.Status?.Phase ?? "unknown"}, {AgentJob.AgentContainer} {agent ?? "not there yet"}");
    }

    private static V1ContainerStatus? Named(IList<V1ContainerStatus>? all, string name) => all?.FirstOrDefault(each => each.Name == name);
}
