using System.Collections.Concurrent;

namespace Kohakku.Local.Temporal.Matching;

/// <summary>Workers that said a moment ago that they shut down: a poll of theirs that was on its way must not take a task, as nobody would do it.</summary>
internal sealed class EndedWorkers(TimeProvider time)
{
    /// <summary>Longer than a poll is on its way.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    private const int Most = 10_000;
    private readonly ConcurrentDictionary<string, DateTimeOffset> ended = [];

    /// <param name="workerKey">Of one instance of a worker, which never starts again.</param>
    public void Add(string workerKey)
    {
        var now = time.GetUtcNow();
        foreach (var old in ended.Where(worker => now - worker.Value >= Memory)) ended.TryRemove(old);
        if (ended.Count < Most) ended[workerKey] = now;
    }

    public bool Contains(string workerKey) => workerKey.Length > 0 && ended.TryGetValue(workerKey, out var at) && time.GetUtcNow() - at < Memory;
}
