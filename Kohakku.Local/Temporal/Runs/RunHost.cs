using System.Collections.Concurrent;
using Grpc.Core;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Timers;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>
/// All runs. A run is changed by one at a time, under its gate, which is held until the change is written; only then do workers, waiting
/// callers and other runs learn of it. No one waits for a gate while holding another.
/// </summary>
internal sealed class RunHost(RunStore store, TaskQueues queues, TimerQueue timers, NamespaceStore namespaces, TimeProvider time)
{
    /// <summary>Signs what the server does by itself.</summary>
    public const string Identity = "history-service";

    /// <summary>More open runs than this are not all kept in memory.</summary>
    private const int MostInMemory = 10_000;
    private static readonly TimeSpan IdleBeforeEviction = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CrowdedIdle = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<RunKey, Run> runs = [];
    private readonly ConcurrentDictionary<(string Namespace, string WorkflowId), Guid> current = [];
    private long lastTaskId;

    public RunStore Store => store;
    public TaskQueues Queues => queues;
    public TimeProvider Time => time;

    /// <summary>Set once at start: what runs owe each other is done by it.</summary>
    public Action<Effect>? Dispatch { get; set; }

    public string NamespaceId(string name) => namespaces.Find(name)?.Id.ToString() ?? "";

    /// <summary>Ids of events across runs, ever increasing, also over restarts.</summary>
    public long NextTaskId()
    {
        while (true)
        {
            var last = Interlocked.Read(ref lastTaskId);
            var next = Math.Max(last + 1, time.GetUtcNow().ToUnixTimeMilliseconds());
            if (Interlocked.CompareExchange(ref lastTaskId, next, last) == last) return next;
        }
    }

    /// <summary>Changes a run, and answers once the change is written.</summary>
    /// <param name="change">Looks and changes. What it throws before it has changed anything leaves the run as it was.</param>
    /// <param name="answer">After the change is written, still under the gate.</param>
    /// <exception cref="RpcException">NOT_FOUND: there is no such run.</exception>
    public async Task<T> ChangeAsync<T>(RunKey key, Func<RunChange, ValueTask> change, Func<Run, ValueTask<T>> answer, CancellationToken cancellationToken)
    {
        while (true)
        {
            var run = runs.GetOrAdd(key, static (key, host) => new Run(key, host), this);
            await run.Gate.WaitAsync(cancellationToken);
            try
            {
                if (run.Evicted) continue;
                await LoadAsync(run, cancellationToken);
                var made = new RunChange(run, run.State!, time.GetUtcNow());
                try
                {
                    await change(made);
                    await WriteAsync(made);
                }
                catch
                {
                    if (made.IsTouched) Drop(run);
                    throw;
                }
                return await answer(run);
            }
            finally
            {
                run.Gate.Release();
            }
        }
    }

    public Task ChangeAsync(RunKey key, Action<RunChange> change, CancellationToken cancellationToken) => ChangeAsync(
        key,
        made =>
        {
            change(made);
            return ValueTask.CompletedTask;
        },
        static _ => ValueTask.FromResult(true),
        cancellationToken);

    /// <summary>Looks at a run under its gate.</summary>
    public Task<T> ReadAsync<T>(RunKey key, Func<Run, ValueTask<T>> read, CancellationToken cancellationToken) =>
        ChangeAsync(key, static _ => ValueTask.CompletedTask, read, cancellationToken);

    /// <summary>Writes the first change of a run that is not in the list yet.</summary>
    /// <exception cref="WorkflowIdInUseException">Its workflow id has a run; nothing was written.</exception>
    public Task BeginAsync(RunChange change) => WriteAsync(change);

    /// <summary>The latest run of a workflow id, as far as it is in memory.</summary>
    public Guid? KnownCurrent(string @namespace, string workflowId) => current.TryGetValue((@namespace, workflowId), out var known) ? known : null;

    /// <summary>The latest run of a workflow id, open or closed.</summary>
    public async ValueTask<Guid?> CurrentAsync(string @namespace, string workflowId, CancellationToken cancellationToken)
    {
        return KnownCurrent(@namespace, workflowId) ?? await store.CurrentRunAsync(@namespace, workflowId, cancellationToken);
    }

    /// <summary>A run that was found in the store at the start of the server: what it waits for is set up.</summary>
    public void Recover(StoredRun stored)
    {
        var state = StateCodec.Read(stored);
        current[(state.Namespace, state.WorkflowId)] = state.RunId;
        SetUp(state);
    }

    private void SetUp(RunState state)
    {
        if (state.Task is { IsStarted: false } task) queues.OfferWorkflowTask(state, task);
        foreach (var activity in state.Activities.Values)
        {
            if (activity is { IsStarted: false, Pause: null } && activity.ScheduledAt <= time.GetUtcNow()) queues.OfferActivity(state, activity);
        }
        timers.Set(state.Key, RunTimers.NextDue(state, time.GetUtcNow()));
    }

    /// <summary>Forgets a run that was deleted.</summary>
    public void Forget(RunKey key, string workflowId)
    {
        runs.TryRemove(key, out _);
        current.TryRemove(new KeyValuePair<(string, string), Guid>((key.Namespace, workflowId), key.RunId));
        timers.Set(key, null);
    }

    /// <summary>Lets go of runs that are not used, which are read again when they are wanted.</summary>
    public void Sweep()
    {
        var idle = runs.Count > MostInMemory ? CrowdedIdle : IdleBeforeEviction;
        foreach (var (key, run) in runs)
        {
            if (time.GetUtcNow() - run.LastUsedAt < idle || !run.Gate.Wait(0)) continue;
            try
            {
                // What lives in memory alone keeps its run there, and so does a task that a worker has.
                if (run.Updates.Count > 0 || run.Queries.Count > 0 || run.State?.Task is { Speculative: true }) continue;
                if (run.State is { IsRunning: true } && runs.Count <= MostInMemory) continue;
                run.Evicted = true;
                runs.TryRemove(key, out _);
                // Who waits for its next event waits on it no longer.
                run.SignalChanged();
                if (run.State is { IsRunning: false } closed)
                {
                    current.TryRemove(new KeyValuePair<(string, string), Guid>((closed.Namespace, closed.WorkflowId), closed.RunId));
                }
            }
            finally
            {
                run.Gate.Release();
            }
        }
    }

    private async ValueTask LoadAsync(Run run, CancellationToken cancellationToken)
    {
        run.LastUsedAt = time.GetUtcNow();
        if (run.State is not null) return;
        var stored = await store.LoadAsync(run.Key.Namespace, run.Key.RunId, cancellationToken);
        if (stored is null)
        {
            run.Evicted = true;
            runs.TryRemove(run.Key, out _);
            throw NotFound(run.Key);
        }
        run.State = StateCodec.Read(stored);
        if (!run.OffersAgain) return;
        run.OffersAgain = false;
        SetUp(run.State);
    }

    private static RpcException NotFound(RunKey key) => new(new Status(StatusCode.NotFound, $"workflow execution not found for run ID {key.RunId}."));

    /// <summary>The change failed half-way: what was written before counts. The run is looked at at once, for it may have given up what it had on offer.</summary>
    private void Drop(Run run)
    {
        run.State = null;
        run.Tail.Clear();
        run.Updates.TakeBack();
        run.OffersAgain = true;
        timers.Set(run.Key, time.GetUtcNow());
    }

    private async Task WriteAsync(RunChange change)
    {
        var begun = change.IsNew ? change : change.Successor;
        if (begun is not null) Hold(begun);
        Handover? handover = null;
        Handover? next = null;
        try
        {
            handover = Handover.TryBegin(change, queues);
            if (change.Successor is not null) next = Handover.TryBegin(change.Successor, queues);
            var write = change.Finish();
            var successor = change.Successor?.Finish();
            if (write is not null || successor is not null) await store.CommitAsync(change.ToChange(write, successor));
            Publish(change);
            if (change.Successor is not null) Publish(change.Successor);
            if (handover is not null) await handover.CompleteAsync(change.Run);
            if (next is not null) await next.CompleteAsync(change.Successor!.Run);
        }
        catch
        {
            handover?.Fail();
            next?.Fail();
            throw;
        }
        finally
        {
            if (begun is not null) Release(begun.Run);
        }
        foreach (var effect in change.Owed) Dispatch?.Invoke(effect);
    }

    /// <summary>
    /// A run that begins is in the list, and its gate taken, before it is written: whoever finds it in the database finds it here too. This is
    /// the one case of two gates, and the second is known to nobody else.
    /// </summary>
    private void Hold(RunChange begun)
    {
        begun.Run.Gate.Wait(0);
        begun.Run.LastUsedAt = begun.Now;
        runs[begun.Run.Key] = begun.Run;
    }

    private void Release(Run begun)
    {
        if (begun.State is null)
        {
            begun.Evicted = true;
            runs.TryRemove(begun.Key, out _);
        }
        begun.Gate.Release();
    }

    /// <summary>The change is written: the world may know.</summary>
    private void Publish(RunChange change)
    {
        var run = change.Run;
        var state = change.State;
        if (change.IsNew)
        {
            run.State = state;
            current[(state.Namespace, state.WorkflowId)] = state.RunId;
        }
        run.Tail.Append(change.Events);
        foreach (var action in change.AfterCommit) action();
        if (!state.IsRunning)
        {
            run.Updates.EndAll(change.Successor is not null);
            run.Queries.Unblock();
        }
        if (change.OffersTask && state.Task is { IsStarted: false } task) queues.OfferWorkflowTask(state, task);
        foreach (var id in change.OfferedActivities)
        {
            if (!state.Activities.TryGetValue(id, out var activity) || activity is not { IsStarted: false, Pause: null }) continue;
            activity.Offered = true;
            queues.OfferActivity(state, activity);
        }
        timers.Set(run.Key, RunTimers.NextDue(state, change.Now));
        if (change.Events.Count > 0) run.SignalChanged();
    }
}
