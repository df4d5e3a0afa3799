using System.Collections.Concurrent;
using Kohakku.Local.Temporal.Runs.State;

namespace Kohakku.Local.Temporal.Matching;

/// <summary>
/// Brings tasks and workers together. Nothing is stored: what waits follows from the states of the runs, and is offered again when the server
/// starts.
/// </summary>
internal sealed class TaskQueues(TimeProvider time)
{
    private readonly ConcurrentDictionary<QueueKey, TaskQueue> queues = [];
    private readonly EndedWorkers ended = new(time);
    private readonly Lock sweeping = new();
    private readonly ConcurrentDictionary<Guid, QueryQueueTask> queries = [];

    /// <summary>The queue, which is kept long enough for whoever asked to use it.</summary>
    public TaskQueue Get(QueueKey key)
    {
        lock (sweeping)
        {
            var queue = queues.GetOrAdd(key, static (key, all) => new TaskQueue(key, all.ended, all.time), (ended, time));
            queue.Touch();
            return queue;
        }
    }

    public TaskQueue? Find(QueueKey key) => queues.GetValueOrDefault(key);

    /// <summary>To the worker that knows the run, if it is there.</summary>
    public void OfferWorkflowTask(RunState state, WorkflowTask task)
    {
        var normal = NormalQueue(state);
        var offered = new WorkflowQueueTask(state.Key, task.ScheduledId, task.Attempt, normal) { OfferedAt = time.GetUtcNow() };
        QueueOf(state, task.StickyQueue).Offer(offered);
    }

    public void OfferActivity(RunState state, ActivityState activity) =>
        Get(new(state.Namespace, activity.TaskQueue, QueueKind.Activity))
            .Offer(new ActivityQueueTask(state.Key, activity.ScheduledId, activity.Attempt) { OfferedAt = time.GetUtcNow() });

    /// <summary>A sticky queue only while its worker asks; else the normal one.</summary>
    public TaskQueue QueueOf(RunState state, string stickyQueue)
    {
        if (stickyQueue.Length > 0 && Find(new(state.Namespace, stickyQueue, QueueKind.Workflow)) is { IsPolled: true } sticky) return sticky;
        return Get(NormalQueue(state));
    }

    public void OfferQuery(TaskQueue queue, QueryQueueTask query)
    {
        queries[query.Id] = query;
        queue.Offer(query);
    }

    /// <summary>Its caller no longer waits.</summary>
    public void Forget(QueryQueueTask query) => queries.TryRemove(query.Id, out _);

    public bool IsWanted(QueryQueueTask query) => queries.ContainsKey(query.Id);

    public QueryQueueTask? FindQuery(Guid id) => queries.GetValueOrDefault(id);

    /// <summary>A worker shuts down.</summary>
    /// <param name="stickyQueue">Its own queue, whose tasks go to the normal ones; may be empty.</param>
    public void ShutDown(string @namespace, string stickyQueue, string workerKey)
    {
        if (workerKey.Length > 0)
        {
            ended.Add(workerKey);
            foreach (var queue in queues.Values) queue.EndPolls(workerKey);
        }
        if (stickyQueue.Length == 0 || Find(new(@namespace, stickyQueue, QueueKind.Workflow)) is not { } sticky) return;
        foreach (var task in sticky.Close())
        {
            if (task is WorkflowQueueTask workflow) Get(workflow.NormalQueue).Offer(workflow);
            else if (task is QueryQueueTask query) Get(query.NormalQueue).Offer(query);
        }
    }

    /// <summary>All polls end with nothing.</summary>
    public void EndPolls()
    {
        foreach (var queue in queues.Values) queue.EndPolls();
    }

    /// <summary>Lets go of queues that no one uses, such as the sticky ones of workers long gone.</summary>
    public void Sweep()
    {
        lock (sweeping)
        {
            foreach (var (key, queue) in queues)
            {
                if (queue.IsIdle && queues.TryRemove(new KeyValuePair<QueueKey, TaskQueue>(key, queue))) queue.Dispose();
            }
        }
    }

    private static QueueKey NormalQueue(RunState state) => new(state.Namespace, state.TaskQueue, QueueKind.Workflow);
}
