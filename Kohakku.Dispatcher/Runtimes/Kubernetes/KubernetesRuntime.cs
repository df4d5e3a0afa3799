using System.Net;
using k8s;
using k8s.Models;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

/// <summary>
/// Agents as Jobs of a Kubernetes cluster. The kubelet pulls images, so that preparing is starting: the Job is made, and followed until its
/// agent runs, in <see cref="PrepareAsync"/>, which can be cancelled. A pod gets its token from a Secret that is made after the Job and goes with
/// it. The Job's name is the attempt's, so that whatever answer was lost, what was made is found again.
/// </summary>
internal sealed partial class KubernetesRuntime : IAgentRuntime, IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CleaningUp = TimeSpan.FromSeconds(20);
    /// <summary>A pull that takes no longer is not spoken of.</summary>
    private static readonly TimeSpan SilentPull = TimeSpan.FromSeconds(3);

    private readonly KubernetesOptions options;
    private readonly IDispatcherIdentity identity;
    private readonly TimeProvider time;
    private readonly ILogger<KubernetesRuntime> logger;
    private readonly ClusterApi api;
    private PodWatch? watch;
    private PodExits? exits;
    private string runnerImage = "";

    public KubernetesRuntime(RuntimeOptions options, IDispatcherIdentity identity, TimeProvider time, ILogger<KubernetesRuntime> logger)
    {
        (this.options, this.identity, this.time, this.logger) = (options.Kubernetes, identity, time, logger);
        api = new ClusterApi(this.options, time);
    }

    public string Name => "worker";

    private PodWatch Pods => watch ?? throw new InvalidOperationException("The runtime is not initialized.");

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        api.Open();
        try
        {
            var access = new ClusterAccess(api, options);
            await access.CheckAsync(cancellationToken);
            runnerImage = await access.RunnerImageAsync(cancellationToken);
        }
        catch (ClusterUnreachableException fault)
        {
            throw new RuntimeUnavailableException($"RUNTIME_BACKEND=worker, but {fault.Message}", fault);
        }
        catch (ClusterRefusedException fault)
        {
            throw new RuntimeUnavailableException($"RUNTIME_BACKEND=worker, but the cluster's API at {api.Host} refused: {fault.Message}", fault);
        }
        watch = new PodWatch(api, identity.InstanceId, time, logger);
        exits = new PodExits(api, watch, identity.InstanceId, options.Limits, time);
        watch.Start();
        LogReady(api.Host, options.Namespace, runnerImage, options.RuntimeClass ?? "the cluster's own");
    }

    public async Task PrepareAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken)
    {
        Refuse(launch);
        try
        {
            await MakeAsync(launch, cancellationToken);
            await UntilStartedAsync(launch, progress, cancellationToken);
        }
        catch (Exception fault)
        {
            await RemoveWhatIsLeftAsync(launch.AttemptId);
            if (Explain(fault) is { } explained) throw explained;
            throw;
        }
    }

    /// <summary>Finds what <see cref="PrepareAsync"/> has started, or an earlier process of this dispatcher.</summary>
    public async Task<string> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        if (!await HasStartedAsync(launch.AttemptId, cancellationToken)) await PrepareAsync(launch, new Progress<int>(), cancellationToken);
        return AgentLabels.NameOf(launch.AttemptId);
    }

    public Task<RuntimeExit> WaitAsync(Guid attemptId, string runtimeId, CancellationToken cancellationToken) =>
        exits?.WaitAsync(attemptId, cancellationToken) ?? throw new InvalidOperationException("The runtime is not initialized.");

    /// <summary>The kubelet kills by itself when the grace is over.</summary>
    public async Task StopAsync(Guid attemptId, string runtimeId, TimeSpan grace, CancellationToken cancellationToken)
    {
        var pods = await ListPodsAsync(AgentLabels.Selector(identity.InstanceId, attemptId), cancellationToken);
        // Nothing to signal yet: without its Job there never will be.
        if (pods.Count == 0) await DeleteJobAsync(attemptId, cancellationToken);
        foreach (var pod in pods.Where(pod => PodReading.ExitOf(pod, isGone: false) is null))
        {
            var parameters = new V1DeleteOptions
            {
                // Never 0: that would take the pod out of the API before the node has ended it.
                GracePeriodSeconds = (long)Math.Clamp(Math.Ceiling(grace.TotalSeconds), 1, 3600),
                Preconditions = new V1Preconditions { Uid = pod.Metadata.Uid },
            };
            await DeleteAsync((cluster, token) => cluster.CoreV1.DeleteNamespacedPodAsync(pod.Metadata.Name, options.Namespace, parameters, cancellationToken: token), cancellationToken);
        }
    }

    public async Task RemoveAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        await DeleteJobAsync(attemptId, cancellationToken);
        Pods.Forget(attemptId);
    }

    public async Task<IReadOnlyList<FoundAgent>> ListAsync(CancellationToken cancellationToken)
    {
        var ours = AgentLabels.Selector(identity.InstanceId);
        var jobs = await api.CallAsync(
            (cluster, token) => cluster.BatchV1.ListNamespacedJobAsync(options.Namespace, labelSelector: ours, cancellationToken: token), cancellationToken);
        var started = (await ListPodsAsync(ours, cancellationToken)).Where(PodReading.HasStarted).Select(pod => AgentLabels.AttemptOf(pod.Metadata.Labels)).ToHashSet();
        return
        [
            // One that is being removed already is left to the cluster.
            .. jobs.Items.Where(job => job.Metadata.DeletionTimestamp is null)
                .Select(job => AgentLabels.AttemptOf(job.Metadata.Labels)).OfType<Guid>()
                .Select(attemptId => new FoundAgent(attemptId, started.Contains(attemptId) ? AgentLabels.NameOf(attemptId) : null)),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref watch, null) is { } last) await last.DisposeAsync();
        api.Dispose();
    }

    private static void Refuse(AgentLaunch launch)
    {
        if (launch.Agent.Image is null) throw new LaunchException(FailureReason.StartFailed, $"The agent {launch.Agent.Name} names no image.", transient: false);
        if (launch.Agent.Network.Mode == NetworkMode.Allow)
            throw new LaunchException(FailureReason.StartFailed, "This dispatcher does not offer the network mode 'allow': take 'none' or 'internet'.", transient: false);
        if (launch.Resources.Pids is not null)
        {
            throw new LaunchException(
                FailureReason.StartFailed, "Kubernetes limits processes by node (the kubelet's podPidsLimit), not by pod: leave out the resource 'pids'.", transient: false);
        }
    }

    /// <summary>Also when it was seen by an earlier process alone: what runs must not be taken for a start that failed.</summary>
    private async Task<bool> HasStartedAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        if (Pods.Of(attemptId) is { } seen) return PodReading.HasStarted(seen.Pod);
        try
        {
            return (await ListPodsAsync(AgentLabels.Selector(identity.InstanceId, attemptId), cancellationToken)).Any(PodReading.HasStarted);
        }
        catch (Exception fault) when (Explain(fault) is { } explained)
        {
            throw explained;
        }
    }

    private async Task MakeAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        Pods.Expect(launch.AttemptId);
        var described = AgentJob.Describe(launch, identity.InstanceId, options, runnerImage);
        var job = await CreateAsync((cluster, token) => cluster.BatchV1.CreateNamespacedJobAsync(described, options.Namespace, cancellationToken: token), cancellationToken)
            ?? await api.CallAsync(
                (cluster, token) => cluster.BatchV1.ReadNamespacedJobAsync(described.Metadata.Name, options.Namespace, cancellationToken: token), cancellationToken);
        // Long before it is asked for: the runner is copied first, and that may take a pull.
        var secret = AgentJob.SecretOf(launch, identity.InstanceId, options, job);
        await CreateAsync((cluster, token) => cluster.CoreV1.CreateNamespacedSecretAsync(secret, options.Namespace, cancellationToken: token), cancellationToken);
    }

    private async Task UntilStartedAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken)
    {
        var look = new LaunchWatch(launch.Agent.Image!, runnerImage, options.Limits, time);
        var pullingSince = (long?)null;
        var isTold = false;
        while (true)
        {
            var seen = Pods.Of(launch.AttemptId);
            if (look.Look(seen)) break;
            if (look.IsPulling) pullingSince ??= time.GetTimestamp();
            if (!isTold && pullingSince is { } since && time.GetElapsedTime(since) > SilentPull)
            {
                isTold = true;
                progress.Report(0);
            }
            await Pods.UntilOtherAsync(launch.AttemptId, seen, Look, cancellationToken);
        }
        if (isTold) progress.Report(100);
    }

    /// <returns>Null when it was there.</returns>
    private async Task<T?> CreateAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> create, CancellationToken cancellationToken) where T : class
    {
        try
        {
            return await api.CallAsync(create, cancellationToken);
        }
        catch (ClusterRefusedException refused) when (refused.Status == HttpStatusCode.Conflict)
        {
            return null;
        }
    }

    private Task DeleteJobAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        // Its pod and its Secret go after it, in the cluster's own time.
        var parameters = new V1DeleteOptions { PropagationPolicy = "Background" };
        return DeleteAsync(
            (cluster, token) => cluster.BatchV1.DeleteNamespacedJobAsync(AgentLabels.NameOf(attemptId), options.Namespace, parameters, cancellationToken: token), cancellationToken);
    }

    /// <summary>What is not there, or is another by now, need not be deleted.</summary>
    private async Task DeleteAsync<T>(Func<IKubernetes, CancellationToken, Task<T>> delete, CancellationToken cancellationToken)
    {
        try
        {
            await api.CallAsync(delete, cancellationToken);
        }
        catch (ClusterRefusedException refused) when (refused.Status is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
        }
    }

    private async Task<IList<V1Pod>> ListPodsAsync(string selector, CancellationToken cancellationToken)
    {
        var list = await api.CallAsync(
            (cluster, token) => cluster.CoreV1.ListNamespacedPodAsync(options.Namespace, labelSelector: selector, cancellationToken: token), cancellationToken);
        return list.Items;
    }

    private async Task RemoveWhatIsLeftAsync(Guid attemptId)
    {
        using var limit = new CancellationTokenSource(CleaningUp, time);
        try
        {
            await RemoveAsync(attemptId, limit.Token);
        }
        catch (Exception fault) when (fault is ClusterUnreachableException or ClusterRefusedException or OperationCanceledException)
        {
            // The API is not there, most likely: what may be left is found by its label later.
            LogNotCleaned(attemptId, fault);
        }
    }

    /// <returns>Null for what is no fault of starting, such as being cancelled.</returns>
    private static LaunchException? Explain(Exception fault) => fault switch
    {
        ClusterRefusedException refused => new LaunchException(
            FailureReason.StartFailed, $"The cluster refused the agent's Job: {refused.Message}",
            // What the API calls wrong stays wrong; a quota that is used up does not.
            transient: refused.Status is not (HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity), refused),
        ClusterUnreachableException => new LaunchException(FailureReason.StartFailed, $"The agent's Job could not be made: {fault.Message}", transient: true, fault),
        _ => null,
    };

    [LoggerMessage(1, LogLevel.Information, "Agents run as Jobs of the cluster at {Host} in namespace {Namespace}, with the runner of {Image} and the runtime class {RuntimeClass}")]
    private partial void LogReady(Uri host, string @namespace, string image, string runtimeClass);

    [LoggerMessage(2, LogLevel.Warning, "Could not remove what is left of attempt {AttemptId}, which did not start")]
    private partial void LogNotCleaned(Guid attemptId, Exception fault);
}
