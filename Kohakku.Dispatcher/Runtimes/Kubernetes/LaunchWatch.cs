using k8s.Models;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes.Docker;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>
/// Looks at one attempt's pod until its agent runs, and says what keeps it from running. What may pass by itself gets its time: the kubelet
/// and the scheduler try again. Not thread-safe: one per launch.
/// </summary>
internal sealed class LaunchWatch(string image, string runnerImage, LaunchLimits limits, TimeProvider time)
{
    private static readonly string[] PullReasons =
    [
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed",
    ];

    private static readonly string[] MakeReasons = ["CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "PreStartHookError", "PostStartHookError"];

    private readonly long begun = time.GetTimestamp();
    private string? cause;
    private long since = time.GetTimestamp();
    private string? pullWords;

    /// <summary>The agent's own image is what is waited for; how far it is, nobody says.</summary>
    public bool IsPulling { get; private set; }

    /// <returns>True when the agent has started.</returns>
    /// <exception cref="LaunchException">It can't, or not within its time.</exception>
    public bool Look(SeenPod? seen)
    {
        if (seen is null)
        {
            Within("no pod", limits.Unmade, "Its Job has made no pod: a quota, a limit range or an admission policy of the namespace refuses it, as `kubectl describe job` says.");
            return false;
        }
        var pod = seen.Pod;
        if (PodReading.HasStarted(pod)) return true;
        if (PodReading.NotRun(pod) is { } notRun) throw NotStarted($"Its container could not run: {notRun}");
        // Before what ended the pod as a whole: the runner's copy failing ends it too, and knows more.
        if (PodReading.Runner(pod)?.State?.Terminated is { ExitCode: not 0 } failed)
            throw NotStarted($"The runner could not be brought into its pod: {failed.Reason} ({failed.ExitCode}) {failed.Message}".TrimEnd());
        if (PodReading.ExitOf(pod, seen.IsGone) is { } ended) throw NotStarted(ended.LogTail);
        if (PodReading.Unscheduled(pod) is { } words) Within("unscheduled", limits.Unscheduled, $"No node takes its pod: {words}");
        else if (!IsHeldUp(pod)) cause = null;
        if (time.GetElapsedTime(begun) > limits.Altogether) throw NotStarted($"Its agent has not started within {limits.Altogether.TotalMinutes:0} minutes ({PodReading.Describe(pod)}).");
        return false;
    }

    private bool IsHeldUp(V1Pod pod)
    {
        var runner = PodReading.Runner(pod)?.State;
        var agent = PodReading.Agent(pod)?.State;
        if (runner?.Waiting is { } bringing && PullReasons.Contains(bringing.Reason))
        {
            Within("runner's image", limits.Unpulled, $"The image {runnerImage}, which brings the runner, can't be pulled: {PodReading.Join(bringing.Reason, bringing.Message, ": ")}");
            return true;
        }
        if (runner?.Waiting is { } making && MakeReasons.Contains(making.Reason))
        {
            Within("runner", limits.Unmakeable, $"The runner could not be brought into its pod: {PodReading.Join(making.Reason, making.Message, ": ")}");
            return true;
        }
        if (runner?.Terminated is null || agent?.Waiting is not { } waiting) return false;
        IsPulling = true;
        if (PullReasons.Contains(waiting.Reason))
        {
            NotPulled(waiting);
            return true;
        }
        if (!MakeReasons.Contains(waiting.Reason)) return false;
        Within("container", limits.Unmakeable, $"Its container could not be made: {PodReading.Join(waiting.Reason, waiting.Message, ": ")}");
        return true;
    }

    private void NotPulled(V1ContainerStateWaiting waiting)
    {
        // {"reason":"ErrImagePull","message":"failed to pull and unpack image \"…\": … not found"}, then for longer and longer
        // {"reason":"ImagePullBackOff","message":"Back-off pulling image \"…\""}, which says less.
        if (waiting.Reason != "ImagePullBackOff" || pullWords is null) pullWords = PodReading.Join(waiting.Reason, waiting.Message, ": ");
        var isName = waiting.Reason is "InvalidImageName" or "ErrImageNeverPull" or "SignatureValidationFailed";
        var fault = new PullException(pullWords, isName ? System.Net.HttpStatusCode.BadRequest : null);
        if (!fault.Transient || IsOver("image", limits.Unpulled)) throw fault.ForImage(image);
    }

    private void Within(string what, TimeSpan limit, string message)
    {
        if (IsOver(what, limit)) throw NotStarted(message);
    }

    private bool IsOver(string what, TimeSpan limit)
    {
        if (cause != what) (cause, since) = (what, time.GetTimestamp());
        return time.GetElapsedTime(since) > limit;
    }

    private static LaunchException NotStarted(string message) => new(FailureReason.StartFailed, message, transient: true);
}
