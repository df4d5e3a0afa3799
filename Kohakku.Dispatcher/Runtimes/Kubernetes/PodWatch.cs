using k8s;
using k8s.Models;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <param name="Pod">As it was last seen.</param>
/// <param name="IsGone">It is not in the cluster any more.</param>
internal sealed record SeenPod(V1Pod Pod, bool IsGone);

/// <summary>
/// One watch for the pods of all this dispatcher's agents. It lists them, follows the changes from there, and lists anew when the thread is
/// lost (410 Gone, a broken connection, an API that was away): what went meanwhile is then missing, and so nothing is. While the API is away
/// the last that was seen stands. All members may be called at once.
/// </summary>
internal sealed partial class PodWatch(ClusterApi api, Guid instanceId, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>The API ends a watch after this; a little spread, so that many dispatchers don't come back at once.</summary>
    private static readonly TimeSpan WatchTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan WatchSlack = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private readonly Dictionary<Guid, SeenPod> pods = [];
    // Attempts that are over, whose pods are still told of until they are gone.
    private readonly HashSet<Guid> forgotten = [];
    private readonly CancellationTokenSource stop = new();
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task running = Task.CompletedTask;

    public void Start() => running = Task.Run(RunAsync);

    /// <returns>Null when no pod of the attempt was seen.</returns>
    public SeenPod? Of(Guid attemptId)
    {
        lock (gate) return pods.GetValueOrDefault(attemptId);
    }

    /// <summary>Waits until the attempt's pod is another than <paramref name="known"/>, or so long.</summary>
    public async Task UntilOtherAsync(Guid attemptId, SeenPod? known, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (pods.GetValueOrDefault(attemptId) != known) return;
                next = changed.Task;
            }
            var left = limit - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return;
            try
            {
                await next.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                return;
            }
        }
    }

    /// <summary>A pod of the attempt is to be made.</summary>
    public void Expect(Guid attemptId)
    {
        lock (gate) forgotten.Remove(attemptId);
    }

    /// <summary>The attempt is over: its pod means nothing any more.</summary>
    public void Forget(Guid attemptId)
    {
        lock (gate)
        {
            if (pods.Remove(attemptId)) forgotten.Add(attemptId);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        stop.Dispose();
    }

    private async Task RunAsync()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10));
        string? version = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                version ??= await ListAsync();
                backoff.Reset();
                version = await FollowAsync(version);
            }
#pragma warning disable CA1031 // Whatever it was: agents go on, and the watch comes back.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                if (stop.IsCancellationRequested) return;
                version = null;
                LogLost(fault.Message);
                await Task.Delay(backoff.Next(), time, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    private async Task<string> ListAsync()
    {
        var list = await api.CallAsync(
            (cluster, token) => cluster.CoreV1.ListNamespacedPodAsync(api.Namespace, labelSelector: AgentLabels.Selector(instanceId), cancellationToken: token), stop.Token);
        lock (gate)
        {
            var there = list.Items.Select(pod => pod.Metadata.Uid).ToHashSet();
            foreach (var pod in list.Items) Note(pod, isGone: false);
            forgotten.IntersectWith(list.Items.Select(pod => AgentLabels.AttemptOf(pod.Metadata.Labels)).OfType<Guid>());
            foreach (var (attempt, seen) in pods.Where(pair => !there.Contains(pair.Value.Pod.Metadata.Uid)).ToList()) pods[attempt] = seen with { IsGone = true };
            Tell();
        }
        return list.Metadata.ResourceVersion;
    }

    /// <returns>The version to go on from: the API has ended the watch, as it does after some minutes.</returns>
    private async Task<string> FollowAsync(string version)
    {
        using var limit = new CancellationTokenSource(WatchTime + WatchSlack, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop.Token);
        Exception? broken = null;
        var events = api.Streaming.CoreV1.WatchListNamespacedPodAsync(
            api.Namespace, allowWatchBookmarks: true, labelSelector: AgentLabels.Selector(instanceId), resourceVersion: version,
            timeoutSeconds: (int)WatchTime.TotalSeconds, onError: fault => broken ??= fault, cancellationToken: either.Token);
        await foreach (var (type, pod) in events)
        {
            version = pod.Metadata.ResourceVersion;
            if (type == WatchEventType.Bookmark) continue;
            lock (gate)
            {
                Note(pod, isGone: type == WatchEventType.Deleted);
                Tell();
            }
            if (broken is not null) break;
        }
        // 410 Gone comes as an event like the others.
        return broken is null ? version : throw broken;
    }

    /// <summary>Should a Job ever have two pods, the younger one counts.</summary>
    private void Note(V1Pod pod, bool isGone)
    {
        if (AgentLabels.AttemptOf(pod.Metadata.Labels) is not { } attempt) return;
        if (forgotten.Contains(attempt))
        {
            if (isGone) forgotten.Remove(attempt);
            return;
        }
        // Whoever waits for one that was never seen here asks the API itself.
        if (!pods.TryGetValue(attempt, out var known) && isGone) return;
        if (known is not null && known.Pod.Metadata.Uid != pod.Metadata.Uid
            && known.Pod.Metadata.CreationTimestamp > pod.Metadata.CreationTimestamp) return;
        pods[attempt] = new SeenPod(pod, isGone);
    }

    private void Tell()
    {
        changed.TrySetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(40, LogLevel.Warning, "The watch of agents' pods is lost and begins anew: {Fault}")]
    private partial void LogLost(string fault);
}
