using System.Threading.RateLimiting;
using Temporalio.Api.Common.V1;

namespace Kohakku.Local.Temporal.Matching;

/// <summary>Who asks a queue for work.</summary>
/// <param name="WorkerKey">Of the worker, so that its polls can be ended when it shuts down; may be empty.</param>
internal sealed record Poller(string Identity, string WorkerKey)
{
    /// <summary>It asks its own queue, for runs that it knows.</summary>
    public bool IsSticky { get; init; }
    public WorkerVersionStamp? Version { get; init; }
}

/// <summary>A poll that waits.</summary>
internal sealed class Waiter(Poller poller)
{
    public Poller Poller { get; } = poller;

    /// <summary>Null: there is nothing.</summary>
    public TaskCompletionSource<QueueTask?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>A queue in memory: tasks without a worker, or workers without a task. Safe for many threads; no one waits under its lock.</summary>
internal sealed class TaskQueue(QueueKey key, EndedWorkers ended, TimeProvider time) : IDisposable
{
    /// <summary>A worker that has not asked for this long is gone.</summary>
    private static readonly TimeSpan PollerLife = TimeSpan.FromSeconds(10);

    /// <summary>Pollers are told of for this long.</summary>
    private static readonly TimeSpan PollerMemory = TimeSpan.FromMinutes(5);

    private readonly Lock gate = new();
    private readonly LinkedList<QueueTask> tasks = [];
    private readonly LinkedList<Waiter> waiters = [];
    private readonly Dictionary<string, DateTimeOffset> pollers = [];
    private TokenBucketRateLimiter? limiter;
    private double rate;
    private DateTimeOffset lastPollAt = DateTimeOffset.MinValue;
    private DateTimeOffset lastTouchedAt = DateTimeOffset.MinValue;

    public QueueKey Key { get; } = key;

    /// <summary>A worker waits, or did a moment ago.</summary>
    public bool IsPolled
    {
        get
        {
            lock (gate) return waiters.Count > 0 || time.GetUtcNow() - lastPollAt < PollerLife;
        }
    }

    public int Backlog
    {
        get
        {
            lock (gate) return tasks.Count;
        }
    }

    /// <summary>When its oldest task was offered; null when there is none.</summary>
    public DateTimeOffset? OldestOfferedAt
    {
        get
        {
            lock (gate) return tasks.First?.Value.OfferedAt;
        }
    }

    public IReadOnlyList<(string Identity, DateTimeOffset LastAccess)> Pollers
    {
        get
        {
            lock (gate)
            {
                var oldest = time.GetUtcNow() - PollerMemory;
                foreach (var gone in pollers.Where(poller => poller.Value < oldest).Select(poller => poller.Key).ToList()) pollers.Remove(gone);
                return [.. pollers.Select(poller => (poller.Key, poller.Value))];
            }
        }
    }

    /// <summary>Nothing waits here, no one asks, and no one has looked it up for long.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate) return waiters.Count == 0 && tasks.Count == 0 && time.GetUtcNow() - lastTouchedAt > PollerMemory;
        }
    }

    /// <summary>Someone is about to use it.</summary>
    public void Touch()
    {
        lock (gate) lastTouchedAt = time.GetUtcNow();
    }

    /// <param name="first">It was taken and comes back.</param>
    public void Offer(QueueTask task, bool first = false)
    {
        Waiter? waiter;
        lock (gate)
        {
            lastTouchedAt = time.GetUtcNow();
            waiter = TakeWaiter();
            if (waiter is null)
            {
                if (first) tasks.AddFirst(task);
                else tasks.AddLast(task);
                return;
            }
        }
        waiter.Done.TrySetResult(task);
    }

    /// <summary>The poll that has waited longest, for whoever has something for it alone; to be answered in any case, as no one else will.</summary>
    public Waiter? TakeWaiter()
    {
        lock (gate)
        {
            var waiter = waiters.First?.Value;
            if (waiter is not null) waiters.RemoveFirst();
            return waiter;
        }
    }

    /// <returns>Null when nothing came in time, or the poller's worker shut down.</returns>
    public async Task<QueueTask?> PollAsync(Poller poller, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(poller);
        lock (gate)
        {
            // Under the lock: either it is seen here that the worker has ended, or the poll is there when its polls are ended.
            if (ended.Contains(poller.WorkerKey)) return null;
            lastPollAt = lastTouchedAt = time.GetUtcNow();
            if (poller.Identity.Length > 0) pollers[poller.Identity] = lastPollAt;
            if (tasks.First is { } first)
            {
                tasks.RemoveFirst();
                return first.Value;
            }
            waiters.AddLast(waiter);
        }
        using var end = new CancellationTokenSource(timeout, time);
        await using (end.Token.Register(() => GiveUp(waiter)))
        await using (cancellationToken.Register(() => GiveUp(waiter)))
        {
            return await waiter.Done.Task;
        }
    }

    /// <summary>Waits until the queue's limit lets another task through.</summary>
    /// <param name="perSecond">As the worker asks for; 0 means without limit.</param>
    public async ValueTask LimitAsync(double perSecond, CancellationToken cancellationToken)
    {
        if (perSecond <= 0) return;
        ValueTask<RateLimitLease> acquired;
        lock (gate)
        {
            if (limiter is null || Math.Abs(rate - perSecond) > double.Epsilon)
            {
                limiter?.Dispose();
                rate = perSecond;
                limiter = new TokenBucketRateLimiter(new()
                {
                    TokenLimit = (int)Math.Max(1, Math.Ceiling(perSecond)),
                    TokensPerPeriod = 1,
                    ReplenishmentPeriod = TimeSpan.FromSeconds(1 / perSecond),
                    QueueLimit = int.MaxValue,
                });
            }
            // Begun under the lock: another worker's limit may replace this one, which lets go of those who wait.
            acquired = limiter.AcquireAsync(1, cancellationToken);
        }
        using var lease = await acquired;
    }

    /// <summary>A worker shuts down: its polls end with nothing.</summary>
    public void EndPolls(string workerKey)
    {
        if (workerKey.Length > 0) End(waiter => waiter.Poller.WorkerKey == workerKey);
    }

    public void EndPolls() => End(_ => true);

    /// <summary>The queue's one worker is gone: nothing more is put here.</summary>
    /// <returns>What was waiting.</returns>
    public IReadOnlyList<QueueTask> Close()
    {
        End(_ => true);
        lock (gate)
        {
            lastPollAt = DateTimeOffset.MinValue;
            QueueTask[] left = [.. tasks];
            tasks.Clear();
            return left;
        }
    }

    public void Dispose() => limiter?.Dispose();

    private void End(Predicate<Waiter> which)
    {
        List<Waiter> ended;
        lock (gate)
        {
            ended = [.. waiters.Where(waiter => which(waiter))];
            foreach (var waiter in ended) waiters.Remove(waiter);
        }
        foreach (var waiter in ended) waiter.Done.TrySetResult(null);
    }

    private void GiveUp(Waiter waiter)
    {
        lock (gate)
        {
            // Whoever has taken it answers it.
            if (!waiters.Remove(waiter)) return;
        }
        waiter.Done.TrySetResult(null);
    }
}
