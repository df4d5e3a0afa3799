using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Workers;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>
/// A workflow task that begins with the change that schedules it, because a worker waits for one: both are written at once, and the worker has
/// it a write sooner.
/// </summary>
internal sealed class Handover
{
    private readonly Waiter worker;

    private Handover(Waiter worker) => this.worker = worker;

    /// <returns>Null when the change schedules no task, or no worker waits.</returns>
    public static Handover? TryBegin(RunChange change, TaskQueues queues)
    {
        var state = change.State;
        if (!change.HandsOver || !change.OffersTask || state is not { IsRunning: true, Task: { IsStarted: false, Speculative: false } task }) return null;
        var queue = queues.QueueOf(state, task.StickyQueue);
        if (queue.TakeWaiter() is not { } worker) return null;
        var handover = new Handover(worker);
        try
        {
            // What this change brought is for this task.
            change.FlushBuffered();
            change.StartTask(queue.Key.Name, worker.Poller.Identity, Guid.NewGuid().ToString(), worker.Poller.Version, state.UpdateCount + change.Run.Updates.Count);
        }
        catch
        {
            handover.Fail();
            throw;
        }
        change.OffersTask = false;
        return handover;
    }

    /// <summary>The beginning is written: the worker is given the task. Under the run's gate.</summary>
    public async ValueTask CompleteAsync(Run run)
    {
        try
        {
            var response = await TaskResponses.WorkflowTaskAsync(run, worker.Poller.IsSticky, CancellationToken.None);
            worker.Done.TrySetResult(new BegunQueueTask(run.Key, response) { OfferedAt = run.State!.Task!.ScheduledAt });
        }
        catch (Exception fault)
        {
            // The worker asks again, and the task times out.
            worker.Done.TrySetException(fault);
        }
    }

    /// <summary>It was not written: the worker asks again.</summary>
    public void Fail() => worker.Done.TrySetResult(null);
}
