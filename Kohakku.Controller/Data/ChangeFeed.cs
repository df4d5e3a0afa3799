using System.Collections.Concurrent;
using Npgsql;

namespace Kohakku.Controller.Data;

/// <summary>
/// Says that something changed, to whoever in this or another controller waits for it; what it is now, the waiter reads from the
/// database. Within this process at once; to the others by NOTIFY, gathered over some milliseconds, because NOTIFY takes a
/// lock of the whole database at commit. A lost connection wakes everyone when it is back: nothing that was missed is waited for.
/// Publish only after the commit. All members may be called at once.
/// </summary>
internal sealed partial class ChangeFeed(NpgsqlDataSource database, TimeProvider time, ILogger<ChangeFeed> logger) : BackgroundService
{
    private const string QueueChannel = "kohakku_queue";
    private const string TasksChannel = "kohakku_tasks";
    private const int LongestPayload = 7_900; // NOTIFY takes 8,000 bytes
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, ConcurrentDictionary<ChangeSubscription, bool>> followers = new();
    private readonly ConcurrentDictionary<ChangeSubscription, bool> allFollowers = new();
    private readonly Lock gate = new();
    private readonly SemaphoreSlim pending = new(0, 1);
    private readonly string self = Guid.NewGuid().ToString("N")[..8];
    private HashSet<Guid> changedTasks = [];
    private int queued;

    /// <summary>Tasks became claimable: how many, as far as is known. Raised within the publisher's call; handlers only signal.</summary>
    public event Action<int>? Queued;

    /// <summary>These tasks became claimable.</summary>
    public void PublishQueued(int count)
    {
        if (count <= 0) return;
        Queued?.Invoke(count);
        // "All" is said by the largest number, to which nothing can be added.
        lock (gate) queued = (int)Math.Min((long)queued + count, int.MaxValue);
        WakeSender();
    }

    /// <summary>These tasks have new entries on their timelines.</summary>
    public void PublishTasks(IReadOnlyCollection<Guid> taskIds)
    {
        if (taskIds.Count == 0) return;
        SignalTasks(taskIds);
        lock (gate) changedTasks.UnionWith(taskIds);
        WakeSender();
    }

    /// <summary>Signalled whenever the task may have changed.</summary>
    public ChangeSubscription FollowTask(Guid taskId)
    {
        while (true)
        {
            var group = followers.GetOrAdd(taskId, _ => new ConcurrentDictionary<ChangeSubscription, bool>());
            var subscription = new ChangeSubscription(ended => Unfollow(taskId, group, ended));
            lock (group)
            {
                // Between the look-up and this lock the last follower may have left and taken the group away.
                if (!followers.TryGetValue(taskId, out var current) || current != group) continue;
                group[subscription] = true;
            }
            return subscription;
        }
    }

    /// <summary>Signalled whenever any task may have changed.</summary>
    public ChangeSubscription FollowAllTasks()
    {
        var subscription = new ChangeSubscription(ended => allFollowers.TryRemove(ended, out _));
        allFollowers[subscription] = true;
        return subscription;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(ListenAsync(stoppingToken), SendAsync(stoppingToken));

    public override void Dispose()
    {
        pending.Dispose();
        base.Dispose();
    }

    private void Unfollow(Guid taskId, ConcurrentDictionary<ChangeSubscription, bool> group, ChangeSubscription subscription)
    {
        lock (group)
        {
            group.TryRemove(subscription, out _);
            if (group.IsEmpty) followers.TryRemove(new(taskId, group));
        }
    }

    private void SignalTasks(IReadOnlyCollection<Guid> taskIds)
    {
        foreach (var subscription in allFollowers.Keys) subscription.Signal();
        if (followers.IsEmpty) return;
        foreach (var taskId in taskIds)
        {
            if (!followers.TryGetValue(taskId, out var group)) continue;
            foreach (var subscription in group.Keys) subscription.Signal();
        }
    }

    private void SignalEverything()
    {
        foreach (var subscription in allFollowers.Keys.Concat(followers.Values.SelectMany(group => group.Keys))) subscription.Signal();
        Queued?.Invoke(int.MaxValue);
    }

    private void WakeSender()
    {
        try
        {
            if (pending.CurrentCount == 0) pending.Release();
        }
        catch (SemaphoreFullException)
        {
            // Another publisher woke it in between.
        }
    }

    private async Task SendAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await pending.WaitAsync(stoppingToken);
            await Task.Delay(Gathering, time, stoppingToken);
            HashSet<Guid> tasks;
            int count;
            lock (gate)
            {
                (tasks, count) = (changedTasks, queued);
                (changedTasks, queued) = ([], 0);
            }
            try
            {
                await NotifyAsync(tasks, count, stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException)
            {
                // The others poll slowly besides; what they miss now they see then.
                LogSendFailed(fault.Message);
            }
        }
    }

    private async Task NotifyAsync(IEnumerable<Guid> tasks, int count, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        if (count > 0) Add(QueueChannel, $"{self} {count}");
        // "1a2b3c4d 0199…,0199…": the sender, then the ids.
        foreach (var ids in tasks.Select(id => id.ToString("N")).Chunk(LongestPayload / 33)) Add(TasksChannel, $"{self} {string.Join(',', ids)}");
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);

        void Add(string channel, string payload)
        {
            var command = new NpgsqlBatchCommand("SELECT pg_notify($1, $2)");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = channel });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = payload });
            batch.BatchCommands.Add(command);
        }
    }

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stoppingToken);
                connection.Notification += (_, notification) => Receive(notification.Channel, notification.Payload);
                await using (var listen = new NpgsqlCommand($"LISTEN {QueueChannel}; LISTEN {TasksChannel}", connection))
                    await listen.ExecuteNonQueryAsync(stoppingToken);
                SignalEverything();
                while (true) await connection.WaitAsync(stoppingToken);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogListenFailed(fault.Message);
                await Task.Delay(ReconnectPause, time, stoppingToken);
            }
        }
    }

    private void Receive(string channel, string payload)
    {
        if (payload.Split(' ', 2) is not [var sender, var rest] || sender == self) return;
        if (channel == QueueChannel && int.TryParse(rest, out var count)) Queued?.Invoke(count);
        if (channel == TasksChannel)
            SignalTasks([.. rest.Split(',').Select(text => Guid.TryParseExact(text, "N", out var id) ? id : Guid.Empty)]);
    }

    [LoggerMessage(1, LogLevel.Warning, "Changes can't be told to other controllers now: {Fault}")]
    private partial void LogSendFailed(string fault);

    [LoggerMessage(2, LogLevel.Warning, "Changes of other controllers can't be heard now; trying again: {Fault}")]
    private partial void LogListenFailed(string fault);
}
