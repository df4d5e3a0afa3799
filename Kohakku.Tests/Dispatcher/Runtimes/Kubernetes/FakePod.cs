using System.Diagnostics;
using System.Text;
using k8s.Models;
using OperatingProcess = System.Diagnostics.Process;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>
/// A pod as scheduler, kubelet and Job controller make it: its containers are processes of this machine, one after the other as the
/// specification says. Paths of its volumes are folders of the test; nothing else of a container is there.
/// </summary>
internal sealed class FakePod(FakeCluster cluster, V1Job job)
{
    private readonly Lock gate = new();
    private readonly StringBuilder log = new();
    private readonly TaskCompletionSource deleted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string folder = Path.Combine(cluster.Folder, job.Metadata.Name);
    private readonly V1Pod pod = new()
    {
        ApiVersion = "v1", Kind = "Pod",
        Metadata = new V1ObjectMeta
        {
            Name = $"{job.Metadata.Name}-x7k2p", NamespaceProperty = job.Metadata.NamespaceProperty, Uid = Guid.NewGuid().ToString(),
            CreationTimestamp = TimeProvider.System.GetUtcNow().UtcDateTime, Labels = new Dictionary<string, string>(job.Spec.Template.Metadata.Labels),
        },
        Spec = job.Spec.Template.Spec,
        Status = new V1PodStatus { Phase = "Pending" },
    };

    private OperatingProcess? process;

    public string Name => pod.Metadata.Name;
    public string JobUid => job.Metadata.Uid;
    public Guid AttemptId { get; } = Guid.Parse(job.Metadata.Labels["kohakku.io/attempt"]);
    public string Workspace => Path.Combine(folder, "workspace");
    /// <summary>Nothing of it runs any more.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;
    public V1Pod LastSeen { get; private set; } = new();
    /// <summary>Its next end is the kernel's doing, for its memory.</summary>
    public bool RunsOutOfMemory { get; set; }

    public string Log
    {
        get
        {
            lock (log) return log.ToString();
        }
    }

    public void Start() => Ended = Task.Run(RunAsync);

    /// <summary>As the API does: the pod is marked, its processes get SIGTERM, and after the grace SIGKILL.</summary>
    public void Delete(long? grace)
    {
        lock (gate)
        {
            if (pod.Metadata.DeletionTimestamp is null) Change(() =>
            {
                pod.Metadata.DeletionGracePeriodSeconds = grace ?? pod.Spec.TerminationGracePeriodSeconds;
                pod.Metadata.DeletionTimestamp = TimeProvider.System.GetUtcNow().UtcDateTime;
            });
        }
        if (cluster.NodesAreSilent) return;
        deleted.TrySetResult();
        _ = Task.Run(async () =>
        {
            await SignalAsync("TERM");
            await Task.WhenAny(Ended, Task.Delay(TimeSpan.FromSeconds(grace ?? 1)));
            Kill();
            await Ended;
            cluster.Store.RemovePod(Name);
        });
    }

    /// <summary>As a node that is short of memory or disk does.</summary>
    public void Evict(string reason, string message) => Change(() =>
    {
        pod.Status.Phase = "Failed";
        pod.Status.Reason = reason;
        pod.Status.Message = message;
    });

    public void Kill()
    {
        deleted.TrySetResult();
        try
        {
            process?.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // Not started, or over.
        }
    }

    private async Task RunAsync()
    {
        Directory.CreateDirectory(Workspace);
        Directory.CreateDirectory(Path.Combine(folder, "runner"));
        Change(() => { });
        if (cluster.NoRoom is { } words)
        {
            Change(() => pod.Status.Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "False", Reason = "Unschedulable", Message = words }]);
            await Task.WhenAny(deleted.Task, Until(() => cluster.NoRoom is null));
            if (deleted.Task.IsCompleted) return;
        }
        Change(() =>
        {
            pod.Status.Conditions = [new V1PodCondition { Type = "PodScheduled", Status = "True" }];
            pod.Spec.NodeName = "node-1";
            pod.Status.ContainerStatuses = [Status("agent", new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = "PodInitializing" } })];
        });
        if (await PullAsync(pod.Spec.InitContainers[0], isInit: true) && await BringRunnerAsync() && await PullAsync(pod.Spec.Containers[0], isInit: false)
            && await SecretAsync()) await RunAgentAsync();
        else if (pod.Status.Phase == "Pending") await deleted.Task;
    }

    private async Task<bool> PullAsync(V1Container container, bool isInit)
    {
        if (!cluster.PullFaults.TryGetValue(container.Image, out var states)) return true;
        // The kubelet tries, waits, and tries again.
        for (var round = 0; cluster.PullFaults.ContainsKey(container.Image) && !deleted.Task.IsCompleted; round++)
        {
            var (reason, message) = states[round % states.Length];
            Change(() => Set(container.Name, isInit, new V1ContainerState { Waiting = new V1ContainerStateWaiting { Reason = reason, Message = message } }));
            await Task.WhenAny(deleted.Task, Task.Delay(50));
        }
        return !deleted.Task.IsCompleted;
    }

    private async Task<bool> BringRunnerAsync()
    {
        var init = pod.Spec.InitContainers[0];
        var (code, _) = await ExecuteAsync(init, new V1ContainerStateRunning(), isInit: true);
        var state = new V1ContainerStateTerminated { ExitCode = code, Reason = code == 0 ? "Completed" : "Error", Message = code == 0 ? null : Log };
        Change(() =>
        {
            Set(init.Name, isInit: true, new V1ContainerState { Terminated = state });
            if (code != 0) pod.Status.Phase = "Failed";
        });
        return code == 0;
    }

    private async Task<bool> SecretAsync()
    {
        foreach (var name in pod.Spec.Containers[0].Env.Select(variable => variable.ValueFrom?.SecretKeyRef?.Name).OfType<string>())
        {
            if (cluster.Store.Secret(name) is not null) continue;
            var waiting = new V1ContainerStateWaiting { Reason = "CreateContainerConfigError", Message = $"secret \"{name}\" not found" };
            Change(() => Set("agent", isInit: false, new V1ContainerState { Waiting = waiting }));
            await Task.WhenAny(deleted.Task, Until(() => cluster.Store.Secret(name) is not null));
        }
        return !deleted.Task.IsCompleted;
    }

    private async Task RunAgentAsync()
    {
        var (code, isKilled) = await ExecuteAsync(pod.Spec.Containers[0], new V1ContainerStateRunning { StartedAt = TimeProvider.System.GetUtcNow().UtcDateTime }, isInit: false);
        var reason = RunsOutOfMemory ? "OOMKilled" : code == 0 ? "Completed" : "Error";
        var message = code == 0 ? null : string.Join('\n', Log.TrimEnd().Split('\n').TakeLast(80));
        Change(() =>
        {
            // The kubelet writes the end of a container into a pod that it has evicted already, too.
            Set("agent", isInit: false, new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = code, Reason = reason, Message = message, Signal = isKilled ? 9 : null } });
            pod.Status.Phase = code == 0 ? "Succeeded" : "Failed";
        });
    }

    private async Task<(int Code, bool IsKilled)> ExecuteAsync(V1Container container, V1ContainerStateRunning running, bool isInit)
    {
        List<string> command = [.. container.Command.Concat(container.Args ?? []).Select(Here)];
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Workspace };
        foreach (var argument in command.Skip(1)) start.ArgumentList.Add(argument);
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var variable in container.Env ?? []) start.Environment[variable.Name] = Value(variable);
        process = OperatingProcess.Start(start)!;
        Change(() =>
        {
            Set(container.Name, isInit, new V1ContainerState { Running = running });
            if (!isInit) pod.Status.Phase = "Running";
        });
        await Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError), process.WaitForExitAsync());
        return (process.ExitCode, process.ExitCode == 137);
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (log) log.Append(line).Append('\n');
        }
    }

    private string Value(V1EnvVar variable) => variable.ValueFrom?.SecretKeyRef is { } reference
        ? Encoding.UTF8.GetString(cluster.Store.Secret(reference.Name)!.Data[reference.Key])
        : Here(variable.Value);

    /// <summary>A path of the container, on this machine.</summary>
    private string Here(string text) =>
        text.StartsWith("/app/runner/", StringComparison.Ordinal) ? Path.Combine(cluster.RunnerFolder, text["/app/runner/".Length..])
        : text.StartsWith("/opt/kohakku", StringComparison.Ordinal) ? $"{folder}/runner{text["/opt/kohakku".Length..]}"
        : text == "/workspace" ? Workspace : text;

    private async Task SignalAsync(string signal)
    {
        if (process is not { } running) return;
        try
        {
            if (running.HasExited) return;
            using var kill = OperatingProcess.Start("kill", [$"-{signal}", $"{running.Id}"]);
            await kill.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // Over meanwhile.
        }
    }

    private async Task Until(Func<bool> condition)
    {
        while (!condition() && !deleted.Task.IsCompleted) await Task.Delay(20);
    }

    private void Change(Action change)
    {
        lock (gate)
        {
            change();
            LastSeen = cluster.Store.Put(pod);
        }
    }

    private void Set(string name, bool isInit, V1ContainerState state)
    {
        if (isInit) pod.Status.InitContainerStatuses = [Status(name, state)];
        else pod.Status.ContainerStatuses = [Status(name, state)];
    }

    private static V1ContainerStatus Status(string name, V1ContainerState state) => new() { Name = name, State = state, Image = "", ImageID = "", Ready = false, RestartCount = 0 };
}
