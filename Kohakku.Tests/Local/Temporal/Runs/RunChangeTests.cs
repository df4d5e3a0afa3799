using CsCheck;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class RunChangeTests
{
    private enum Step
    {
        StartTask,
        CompleteTask,
        FailTask,
        TimeOutTask,
        Signal,
        AdmitUpdate,
        StartActivity,
        CompleteActivity,
        FailActivity,
        CancelActivity,
        TimePasses,
    }

    [Fact]
    public void Whatever_happens_in_whatever_order_the_history_is_whole() =>
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 1000]).Array[0, 60].Sample(
            steps =>
            {
                using var run = new PureRun();
                var signals = 0;
                foreach (var (step, choice) in steps)
                {
                    if (step == Step.Signal) run.Signal($"{++signals}");
                    else Do(run, step, choice);
                    Check(run, signals);
                }
            },
            iter: 2_000);

    [Fact]
    public void What_comes_while_a_task_runs_is_written_after_it_and_ends_of_activities_last()
    {
        using var run = new PureRun();
        run.DoTask(Commands.Activity("a"), Commands.Activity("b"), Commands.Timer("t", seconds: 5));
        foreach (var activity in run.State.Activities.Values) run.StartActivity(activity);
        run.Signal("wakes");
        run.StartTask();
        var written = run.History.Count;
        run.Change(change => change.CompleteActivity(Activity(change.State, "b"), null, "worker"));
        run.Signal("one");
        run.Time.Advance(TimeSpan.FromSeconds(5));
        run.Fire();
        run.Change(change => change.CancelActivity(Activity(change.State, "a"), null, "worker"));
        run.Signal("two");
        Assert.Equal(written, run.History.Count);
        run.CompleteTask(Commands.Timer("after"));
        Assert.Equal(
            [
                EventType.WorkflowTaskCompleted, EventType.TimerStarted, EventType.ActivityTaskStarted, EventType.WorkflowExecutionSignaled, EventType.TimerFired,
                EventType.ActivityTaskStarted, EventType.WorkflowExecutionSignaled, EventType.ActivityTaskCompleted, EventType.ActivityTaskCanceled,
                EventType.WorkflowTaskScheduled,
            ],
            run.Types.Skip(written));
    }

    [Fact]
    public void A_heartbeat_has_half_a_second_for_its_way()
    {
        using var run = new PureRun();
        run.DoTask(Commands.Activity("a", command => command.HeartbeatTimeout = new() { Seconds = 1 }));
        run.StartActivity(Activity(run.State, "a"));
        run.Time.Advance(TimeSpan.FromMilliseconds(1_499));
        run.Fire();
        Assert.DoesNotContain(EventType.ActivityTaskTimedOut, run.Types);
        run.Time.Advance(TimeSpan.FromMilliseconds(1));
        run.Fire();
        Assert.Contains(EventType.ActivityTaskTimedOut, run.Types);
    }

    [Fact]
    public void An_event_that_waited_names_those_it_follows_by_the_ids_they_got()
    {
        using var run = new PureRun();
        run.DoTask(Commands.Activity("a"), Commands.Child("child"));
        run.StartActivity(run.State.Activities.Values.Single());
        run.Signal("wakes");
        run.StartTask();
        run.Signal("first");
        run.Change(change => change.CompleteActivity(Activity(change.State, "a"), null, "worker"));
        run.Change(change => change.ChildStarted(change.State.Children.Values.Single(), Guid.NewGuid(), null));
        run.CompleteTask();
        Assert.Equal(Only(run, EventType.ActivityTaskStarted).EventId, Only(run, EventType.ActivityTaskCompleted).ActivityTaskCompletedEventAttributes.StartedEventId);
        Assert.Equal(Only(run, EventType.ChildWorkflowExecutionStarted).EventId, run.State.Children.Values.Single().StartedId);
    }

    [Fact]
    public void A_timer_that_fired_meanwhile_can_be_canceled_still()
    {
        using var run = new PureRun();
        run.DoTask(Commands.Timer("t", seconds: 5));
        run.Signal("wakes");
        run.StartTask();
        run.Time.Advance(TimeSpan.FromSeconds(5));
        run.Fire();
        run.CompleteTask(Commands.CancelTimer("t"));
        Assert.DoesNotContain(EventType.TimerFired, run.Types);
        Assert.Equal(Only(run, EventType.TimerStarted).EventId, Only(run, EventType.TimerCanceled).TimerCanceledEventAttributes.StartedEventId);
        Assert.Null(run.State.Task);
    }

    [Fact]
    public void A_request_that_comes_again_does_nothing()
    {
        using var run = new PureRun();
        var signal = new External.Signal("once", null, "client", null, "the same");
        run.Change(change => change.AddSignal(signal));
        Assert.Empty(run.Change(change => change.AddSignal(signal)));
        Assert.Equal(1, run.State.SignalCount);
    }

    [Fact]
    public void What_waits_when_a_run_is_terminated_is_written_before_its_end()
    {
        using var run = new PureRun();
        run.StartTask();
        run.Signal("late");
        run.Change(change => Closing.Terminate(change, "enough", null, "client"));
        Assert.Equal([EventType.WorkflowTaskFailed, EventType.WorkflowExecutionSignaled, EventType.WorkflowExecutionTerminated], run.Types.TakeLast(3));
        Assert.Empty(run.State.Buffered);
    }

    private static void Do(PureRun run, Step step, int choice)
    {
        var task = run.State.Task;
        var activity = run.State.Activities.Count == 0 ? null : run.State.Activities.Values.ElementAt(choice % run.State.Activities.Count);
        switch (step)
        {
            case Step.StartTask when task is { IsStarted: false }:
                run.StartTask();
                break;
            case Step.CompleteTask when task is { IsStarted: true }:
                run.CompleteTask([.. Enumerable.Range(0, choice % 4).Select(number => (choice + number) % 2 == 0
                    ? Commands.Activity($"{run.History.Count}-{number}", with => with.RetryPolicy.MaximumAttempts = choice % 3)
                    : Commands.Timer($"{run.History.Count}-{number}", choice % 30))]);
                break;
            case Step.FailTask when task is { IsStarted: true }:
                run.Change(change =>
                {
                    change.FailTask(WorkflowTaskFailedCause.WorkflowWorkerUnhandledFailure, null, "worker");
                    change.ScheduleTask();
                });
                break;
            case Step.TimeOutTask when task is not null && (task.IsStarted || task.StickyQueue.Length > 0 || task.Speculative):
                run.Change(change =>
                {
                    if (task.IsStarted) change.TimeOutStartedTask();
                    else change.TimeOutWaitingTask();
                    change.ScheduleTask();
                });
                break;
            case Step.AdmitUpdate when task is null:
                run.Change(change => change.ScheduleTask(speculative: true));
                break;
            case Step.StartActivity when activity is { IsStarted: false } && activity.ScheduledAt <= run.Time.GetUtcNow():
                run.StartActivity(activity);
                break;
            case Step.CompleteActivity when activity is { IsStarted: true }:
                run.Change(change =>
                {
                    change.CompleteActivity(activity, null, "worker");
                    change.EnsureTask();
                });
                break;
            case Step.FailActivity when activity is { IsStarted: true }:
                run.Change(change =>
                {
                    change.FailActivity(activity, new Failure { ApplicationFailureInfo = new() { NonRetryable = choice % 2 == 0 } }, null, "worker");
                    if (!change.State.Activities.ContainsKey(activity.ScheduledId)) change.EnsureTask();
                });
                break;
            case Step.CancelActivity when activity is not null && task is { IsStarted: true }:
                run.CompleteTask(Commands.CancelActivity(activity.ScheduledId));
                break;
            case Step.TimePasses:
                run.Time.Advance(TimeSpan.FromSeconds(choice % 40));
                run.Fire();
                break;
        }
    }

    private static void Check(PureRun run, int signals)
    {
        var started = 0L;
        var activities = new Dictionary<long, long>();
        foreach (var one in run.History)
        {
            // A worker decides on what it was given: nothing comes between the start of its task and the end.
            if (started != 0)
            {
                Assert.True(one.EventType is EventType.WorkflowTaskCompleted or EventType.WorkflowTaskFailed or EventType.WorkflowTaskTimedOut, $"{one.EventType} while a task runs");
                started = 0;
            }
            switch (one.EventType)
            {
                case EventType.WorkflowTaskStarted:
                    started = one.EventId;
                    Assert.Equal(EventType.WorkflowTaskScheduled, run.History[(int)one.WorkflowTaskStartedEventAttributes.ScheduledEventId - 1].EventType);
                    break;
                case EventType.WorkflowTaskCompleted:
                    Assert.Equal(one.EventId - 1, one.WorkflowTaskCompletedEventAttributes.StartedEventId);
                    break;
                case EventType.ActivityTaskStarted:
                    activities.Add(one.ActivityTaskStartedEventAttributes.ScheduledEventId, one.EventId);
                    break;
                case EventType.ActivityTaskCompleted:
                    Assert.Equal(activities[one.ActivityTaskCompletedEventAttributes.ScheduledEventId], one.ActivityTaskCompletedEventAttributes.StartedEventId);
                    break;
                case EventType.ActivityTaskFailed:
                    Assert.Equal(activities[one.ActivityTaskFailedEventAttributes.ScheduledEventId], one.ActivityTaskFailedEventAttributes.StartedEventId);
                    break;
            }
        }
        // Each signal is there once, in the order of their coming.
        var names = run.History.Concat(run.State.Buffered.Values).Where(one => one.EventType == EventType.WorkflowExecutionSignaled).Select(one => one.WorkflowExecutionSignaledEventAttributes.SignalName);
        Assert.Equal(Enumerable.Range(1, signals).Select(number => $"{number}"), names);
        // What waits, waits for a task.
        Assert.True(run.State.Buffered.Count == 0 || run.State.Task is { IsStarted: true });
        // What has come and was not shown yet is shown by a task.
        if (run.State is { Task: null, WaitsForFirstTask: false })
        {
            var last = run.History.FindLastIndex(one => one.EventType == EventType.WorkflowTaskCompleted);
            Assert.DoesNotContain(run.History.Skip(last + 1), one => EventTypes.WaitsForTask(one.EventType) && one.EventType is not EventType.ActivityTaskStarted);
        }
    }

    private static ActivityState Activity(RunState state, string id) => state.Activities.Values.Single(activity => activity.ActivityId == id);

    private static HistoryEvent Only(PureRun run, EventType type) => Assert.Single(run.History, one => one.EventType == type);
}
