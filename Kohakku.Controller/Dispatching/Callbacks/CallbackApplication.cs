using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;

namespace Kohakku.Controller.Dispatching.Callbacks;

/// <summary>
/// What a batch of reports does to locked tasks. Each attempt by itself, its events in sequence: a repeat is acknowledged and does nothing, from a gap on
/// nothing is taken. An event that can't be read never will be: nobody can tell any more how its attempt fares, so the attempt is lost from there on
/// (and the task runs again, or asks), instead of blocking its dispatcher's outbox for ever. All else in the batch is untouched by that.
/// </summary>
internal sealed class CallbackApplication(LockedTasks locked, Guid dispatcherId)
{
    /// <summary>How long the reports that were taken had been under way.</summary>
    public List<TimeSpan> Lags { get; } = [];

    /// <param name="unreadable">The database refused the attempt's events before: none of them is taken.</param>
    public IReadOnlyList<CallbackResult> Apply(IReadOnlyList<AttemptEvent> events, string? unreadable = null)
    {
        List<CallbackResult> results = [];
        foreach (var ofAttempt in events.GroupBy(report => report.AttemptId))
            results.Add(ApplyTo(ofAttempt.Key, [.. ofAttempt.OrderBy(report => report.Sequence)], unreadable));
        return results;
    }

    private CallbackResult ApplyTo(Guid attemptId, IReadOnlyList<AttemptEvent> events, string? unreadable)
    {
        if (locked.Attempt(attemptId) is not { Standing: { } attempt } || attempt.DispatcherId != dispatcherId || locked.Task(attempt.TaskId) is not { } task)
            return new CallbackResult(attemptId, 0, CallbackOrder.Stop);
        foreach (var wire in events)
        {
            if (wire.Sequence <= attempt.AppliedSequence) continue;
            if (IsOver(task, attempt)) return new CallbackResult(attemptId, attempt.AppliedSequence, CallbackOrder.Stop);
            if (wire.Sequence > attempt.AppliedSequence + 1) break;
            var fault = unreadable;
            if (unreadable is not null || AttemptReport.Read(wire, out fault) is not { } report) return Reject(task, attempt, wire, fault);
            (task, attempt) = Take(AttemptMachine.Apply(task, attempt, report, Believable(wire.At, attempt), locked.Moment));
            Lags.Add(locked.Now - wire.At);
        }

        // What was lost stays to be stopped, though all that is reported of it was taken before.
        return new CallbackResult(attemptId, attempt.AppliedSequence, attempt.Status == AttemptState.Lost ? CallbackOrder.Stop : CallbackOrder.Continue);
    }

    private CallbackResult Reject(TaskStanding task, AttemptStanding attempt, AttemptEvent wire, string? fault)
    {
        var message = JsonText.CleanPlain($"Dispatcher {attempt.DispatcherName} reported event {wire.Sequence} ('{wire.Type}') in a form that can't be read: {fault}");
        Take(AttemptMachine.Lose(task, attempt, neverStarted: false, message, locked.Moment));
        return new CallbackResult(attempt.Id, attempt.AppliedSequence, CallbackOrder.Stop);
    }

    private (TaskStanding Task, AttemptStanding Attempt) Take(Transition transition)
    {
        locked.Take(transition);
        return (transition.Task, transition.Attempt!);
    }

    private static bool IsOver(TaskStanding task, AttemptStanding attempt) => attempt.Status.IsEnded() || task.CurrentAttemptId != attempt.Id;

    /// <summary>A dispatcher's clock is believed between the claim and now; outside it is wrong.</summary>
    private DateTimeOffset Believable(DateTimeOffset at, AttemptStanding attempt)
    {
        var utc = at.ToUniversalTime();
        return utc > locked.Now ? locked.Now : utc < attempt.ClaimedAt ? attempt.ClaimedAt : utc;
    }
}
