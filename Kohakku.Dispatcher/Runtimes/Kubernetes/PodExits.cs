using k8s;
using k8s.Models;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>Tells how agents' pods end, also those that an earlier process of this dispatcher started.</summary>
internal sealed class PodExits(ClusterApi api, PodWatch pods, Guid instanceId, LaunchLimits limits, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private const int LogTailCharacters = 4096;
    private const int LogTailLines = 50;

    public async Task<RuntimeExit> WaitAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        long? endingSince = null;
        while (true)
        {
            var seen = pods.Of(attemptId);
            if (seen is null && await IsGoneAsync(attemptId, cancellationToken)) return new RuntimeExit(null, OutOfMemory: false, "Its Job is gone: somebody else removed it.");
            if (seen is not null)
            {
                if (PodReading.ExitOf(seen.Pod, seen.IsGone) is { } exit) return await WithTailAsync(exit, seen, cancellationToken);
                if (seen.Pod.Metadata.DeletionTimestamp is not null)
                {
                    endingSince ??= time.GetTimestamp();
                    if (time.GetElapsedTime(endingSince.Value) > PodReading.Grace(seen.Pod) + limits.NodeSilence)
                        return new RuntimeExit(null, OutOfMemory: false, $"Its node {seen.Pod.Spec?.NodeName} does not say that it has ended. {PodReading.Why(seen.Pod)}".TrimEnd());
                }
            }
            await pods.UntilOtherAsync(attemptId, seen, Look, cancellationToken);
        }
    }

    /// <summary>Whether there is neither a pod nor a Job that would make one. While nobody can tell it is not so.</summary>
    private async Task<bool> IsGoneAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        try
        {
            var there = await api.CallAsync(
                (cluster, token) => cluster.CoreV1.ListNamespacedPodAsync(
                    api.Namespace, labelSelector: AgentLabels.Selector(instanceId, attemptId), cancellationToken: token),
                cancellationToken);
            if (there.Items.Count > 0) return false;
            var job = await api.FindAsync(
                (cluster, token) => cluster.BatchV1.ReadNamespacedJobAsync(AgentLabels.NameOf(attemptId), api.Namespace, cancellationToken: token), cancellationToken);
            return job is null || IsOver(job);
        }
        catch (Exception fault) when (fault is ClusterUnreachableException or ClusterRefusedException)
        {
            return false;
        }
    }

    private static bool IsOver(V1Job job) => job.Status?.Conditions?.Any(condition => condition is { Type: "Complete" or "Failed", Status: "True" }) ?? false;

    private async Task<RuntimeExit> WithTailAsync(RuntimeExit exit, SeenPod seen, CancellationToken cancellationToken)
    {
        if (exit.ExitCode is null or 0 || seen.IsGone) return exit;
        try
        {
            var name = seen.Pod.Metadata.Name;
            var tail = await api.CallAsync(
                async (cluster, token) =>
                {
                    await using var log = await cluster.CoreV1.ReadNamespacedPodLogAsync(
                        name, api.Namespace, container: AgentJob.AgentContainer, tailLines: LogTailLines, cancellationToken: token);
                    using var reader = new StreamReader(log);
                    return (await reader.ReadToEndAsync(token)).TrimEnd();
                },
                cancellationToken);
            if (tail.Length > LogTailCharacters) tail = tail[^LogTailCharacters..];
            return tail.Length == 0 ? exit : exit with { LogTail = PodReading.Join(tail, PodReading.Why(seen.Pod)) };
        }
        catch (Exception fault) when (fault is ClusterUnreachableException or ClusterRefusedException)
        {
            // Its last lines stand in the pod's status too.
            return exit;
        }
    }
}
