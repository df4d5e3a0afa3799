using System.Threading.Channels;
using Kohakku.Local.Temporal.Runs.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.Local.Temporal.Timers;

/// <summary>
/// Wakes runs when something of theirs is due. It knows of each run the earliest time only, which the run tells after each change; nothing of it
/// is stored, as it follows from the states of the runs.
/// </summary>
internal sealed partial class TimerQueue(TimeProvider time, ILogger<TimerQueue> logger) : BackgroundService
{
    private const int Workers = 16;
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMinutes(1);

    /// <summary>So many entries that no longer count are not worth the work to take them out.</summary>
    private const int Spare = 1_000;

    private readonly Lock gate = new();
    private readonly PriorityQueue<RunKey, DateTimeOffset> queue = new();
    private readonly Dictionary<RunKey, DateTimeOffset> due = [];
    private readonly SemaphoreSlim earlier = new(0, 1);

    /// <summary>Set once, before it starts: fires what is due of a run.</summary>
    public Func<RunKey, CancellationToken, Task>? Fire { get; set; }

    /// <summary>Of the queue, with those that runs have since replaced.</summary>
    public int Entries
    {
        get
        {
            lock (gate) return queue.Count;
        }
    }

    /// <param name="at">Null: the run waits for nothing.</param>
    public void Set(RunKey run, DateTimeOffset? at)
    {
        lock (gate)
        {
            if (at is not { } time)
            {
                due.Remove(run);
                return;
            }
            if (due.TryGetValue(run, out var known) && known == time) return;
            due[run] = time;
            var isFirst = !queue.TryPeek(out _, out var first) || time < first;
            queue.Enqueue(run, time);
            if (queue.Count > (2 * due.Count) + Spare)
            {
                queue.Clear();
                queue.EnqueueRange(due.Select(current => (current.Key, current.Value)));
            }
            if (isFirst && earlier.CurrentCount == 0) earlier.Release();
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var fired = Channel.CreateUnbounded<RunKey>(new() { SingleWriter = true });
        var workers = Enumerable.Range(0, Workers).Select(_ => WorkAsync(fired.Reader, stoppingToken)).ToArray();
        while (!stoppingToken.IsCancellationRequested)
        {
            var sleep = TakeDue(fired.Writer);
            await SleepAsync(sleep, stoppingToken);
        }
        fired.Writer.Complete();
        await Task.WhenAll(workers);
    }

    /// <returns>How long until the next.</returns>
    private TimeSpan TakeDue(ChannelWriter<RunKey> fired)
    {
        lock (gate)
        {
            while (queue.TryPeek(out var run, out var at))
            {
                // An entry that the run has since replaced is passed over.
                if (!due.TryGetValue(run, out var current) || current != at)
                {
                    queue.Dequeue();
                    continue;
                }
                var wait = at - time.GetUtcNow();
                if (wait > TimeSpan.Zero) return wait < LongestSleep ? wait : LongestSleep;
                queue.Dequeue();
                due.Remove(run);
                fired.TryWrite(run);
            }
            return LongestSleep;
        }
    }

    private async Task SleepAsync(TimeSpan sleep, CancellationToken stoppingToken)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        // A millisecond is the least that timers can do; less would spin.
        var delay = Task.Delay(sleep < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : sleep, time, wake.Token);
        var signal = earlier.WaitAsync(wake.Token);
        await Task.WhenAny(delay, signal);
        await wake.CancelAsync();
        await Task.WhenAll(delay, signal).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task WorkAsync(ChannelReader<RunKey> fired, CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var run in fired.ReadAllAsync(stoppingToken))
            {
                try
                {
                    await Fire!(run, stoppingToken);
                }
                catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
                {
                    LogFault(run.RunId, fault);
                    Set(run, time.GetUtcNow() + TimeSpan.FromSeconds(1 + Random.Shared.NextDouble()));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server stops; what is due fires when it starts again.
        }
    }

    [LoggerMessage(3101, LogLevel.Warning, "What is due of run {RunId} could not be done; it is tried again.")]
    private partial void LogFault(Guid runId, Exception fault);
}
