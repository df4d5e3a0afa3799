using Kohakku.Local.Temporal.Runs.State;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>What of a run is due when, and what happens then.</summary>
internal static class RunTimers
{
    /// <summary>The earliest thing that is due; null when the run waits for nothing that time brings.</summary>
    public static DateTimeOffset? NextDue(RunState state, DateTimeOffset now)
    {
        if (!state.IsRunning) return null;
        DateTimeOffset? next = null;
        void Consider(DateTimeOffset? at)
        {
            if (at is { } time && (next is null || time < next)) next = time;
        }
        Consider(state.RunDeadline);
        Consider(state.ExecutionDeadline);
        Consider(state.FirstTaskAt);
        Consider(WorkflowTasks.TaskDeadline(state));
        foreach (var timer in state.Timers.Values) Consider(timer.Due);
        foreach (var activity in state.Activities.Values)
        {
            Consider(Activities.NextTimeout(activity)?.At);
            if (activity is { IsStarted: false, Pause: null } && activity.ScheduledAt > now) Consider(activity.ScheduledAt);
        }
        return next;
    }

    /// <param name="takeBackUpdates">The workflow task came to nothing: the updates that went out with it wait again.</param>
    public static async ValueTask FireAsync(RunChange change, Action takeBackUpdates)
    {
        var state = change.State;
        var now = change.Now;
        if (!state.IsRunning) return;
        if (now >= state.ExecutionDeadline || now >= state.RunDeadline)
        {
            await Closing.TimeOutAsync(change);
            return;
        }
        FireTimers(change);
        FireActivities(change);
        if (WorkflowTasks.TaskDeadline(state) <= now)
        {
            if (state.Task!.IsStarted) change.TimeOutStartedTask();
            else change.TimeOutWaitingTask();
            change.AfterCommit.Add(takeBackUpdates);
            change.ScheduleTask();
        }
        if (state.FirstTaskAt <= now)
        {
            state.FirstTaskAt = null;
            change.Touch();
            change.EnsureTask();
        }
    }

    private static void FireTimers(RunChange change)
    {
        // In the order they are due; those due together, in the order they were started.
        foreach (var timer in change.State.Timers.Values.Where(timer => timer.Due <= change.Now).OrderBy(timer => timer.Due).ThenBy(timer => timer.StartedId).ToList())
        {
            change.State.Timers.Remove(timer.TimerId);
            change.Touch(timer);
            change.Add(new() { TimerFiredEventAttributes = new() { TimerId = timer.TimerId, StartedEventId = timer.StartedId } });
        }
        if (change.State.Buffered.Count > 0) change.EnsureTask();
    }

    private static void FireActivities(RunChange change)
    {
        var ended = false;
        foreach (var activity in change.State.Activities.Values.ToList())
        {
            if (Activities.NextTimeout(activity) is { } timeout && timeout.At <= change.Now)
            {
                ended |= change.TimeOutActivity(activity, timeout.Type);
            }
            else if (activity is { IsStarted: false, Pause: null, Offered: false } && activity.ScheduledAt <= change.Now)
            {
                // Its backoff is over.
                change.OfferedActivities.Add(activity.ScheduledId);
            }
        }
        if (ended) change.EnsureTask();
    }
}
