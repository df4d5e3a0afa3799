using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using k8s;
using k8s.Models;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>What the fake cluster remembers: objects with versions, and the changes of pods in order. All members may be called at once.</summary>
internal sealed class ClusterStore
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, V1Job> jobs = [];
    private readonly Dictionary<string, V1Secret> secrets = [];
    private readonly Dictionary<string, V1Pod> pods = [];
    private readonly List<(long Version, string Type, V1Pod Pod)> changes = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long version = 100;
    private long oldest;

    public IReadOnlyList<V1Job> Jobs
    {
        get
        {
            lock (gate) return [.. jobs.Values];
        }
    }

    public IReadOnlyList<V1Secret> Secrets
    {
        get
        {
            lock (gate) return [.. secrets.Values];
        }
    }

    public IReadOnlyList<V1Pod> Pods
    {
        get
        {
            lock (gate) return [.. pods.Values];
        }
    }

    public bool Add(V1Job job)
    {
        lock (gate)
        {
            Stamp(job.Metadata);
            return jobs.TryAdd(job.Metadata.Name, job);
        }
    }

    public bool Add(V1Secret secret)
    {
        lock (gate)
        {
            Stamp(secret.Metadata);
            secret.Data = secret.StringData.ToDictionary(pair => pair.Key, pair => Encoding.UTF8.GetBytes(pair.Value));
            secret.StringData = null;
            return secrets.TryAdd(secret.Metadata.Name, secret);
        }
    }

    public V1Job? Job(string name)
    {
        lock (gate) return jobs.GetValueOrDefault(name);
    }

    public V1Secret? Secret(string name)
    {
        lock (gate) return secrets.GetValueOrDefault(name);
    }

    public V1Pod? Pod(string name)
    {
        lock (gate) return pods.GetValueOrDefault(name);
    }

    /// <summary>With the Secrets that it owns.</summary>
    public V1Job? RemoveJob(string name)
    {
        lock (gate)
        {
            if (!jobs.Remove(name, out var job)) return null;
            foreach (var owned in secrets.Where(pair => pair.Value.Metadata.OwnerReferences?.Any(owner => owner.Uid == job.Metadata.Uid) ?? false).ToList()) secrets.Remove(owned.Key);
            return job;
        }
    }

    /// <summary>Writes the pod as it is now, as a change.</summary>
    public V1Pod Put(V1Pod pod)
    {
        lock (gate)
        {
            // What others hold does not change under their hands.
            var copy = KubernetesJson.Deserialize<V1Pod>(KubernetesJson.Serialize(pod));
            copy.Metadata.ResourceVersion = Next();
            var isNew = !pods.ContainsKey(copy.Metadata.Name);
            pods[copy.Metadata.Name] = copy;
            Tell(isNew ? "ADDED" : "MODIFIED", copy);
            return copy;
        }
    }

    public void RemovePod(string name)
    {
        lock (gate)
        {
            if (!pods.Remove(name, out var pod)) return;
            pod.Metadata.ResourceVersion = Next();
            Tell("DELETED", pod);
        }
    }

    public V1PodList ListPods(Func<V1ObjectMeta, bool> selects)
    {
        lock (gate)
        {
            return new V1PodList
            {
                ApiVersion = "v1", Kind = "PodList", Metadata = new V1ListMeta { ResourceVersion = version.ToString(CultureInfo.InvariantCulture) },
                Items = [.. pods.Values.Where(pod => selects(pod.Metadata))],
            };
        }
    }

    /// <summary>Versions up to now can't be followed from any more.</summary>
    public void Compact()
    {
        lock (gate)
        {
            version++;
            oldest = version;
        }
    }

    public async IAsyncEnumerable<string> FollowPodsAsync(string from, Func<V1ObjectMeta, bool> selects, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var at = long.Parse(from, CultureInfo.InvariantCulture);
        while (true)
        {
            List<(long Version, string Type, V1Pod Pod)> next;
            Task more;
            lock (gate)
            {
                if (at < oldest) next = [];
                else next = [.. changes.Where(change => change.Version > at)];
                more = changed.Task;
                if (at < oldest) at = -1;
            }
            if (at < 0)
            {
                yield return """{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}""";
                yield break;
            }
            foreach (var (each, type, pod) in next)
            {
                at = each;
                if (selects(pod.Metadata)) yield return $$"""{"type":"{{type}}","object":{{KubernetesJson.Serialize(pod)}}}""";
            }
            await more.WaitAsync(cancellationToken);
        }
    }

    private void Stamp(V1ObjectMeta metadata)
    {
        metadata.Uid = Guid.NewGuid().ToString();
        metadata.ResourceVersion = Next();
        metadata.CreationTimestamp = TimeProvider.System.GetUtcNow().UtcDateTime;
    }

    private string Next() => (++version).ToString(CultureInfo.InvariantCulture);

    private void Tell(string type, V1Pod pod)
    {
        changes.Add((version, type, pod));
        changed.TrySetResult();
        changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
