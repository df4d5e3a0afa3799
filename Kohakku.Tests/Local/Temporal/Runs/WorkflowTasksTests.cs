using Google.Protobuf.WellKnownTypes;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

/// <summary>What each kind of workflow task leaves in the history. A transient one is a second or later attempt, a speculative one is there for an update alone.</summary>
public sealed class WorkflowTasksTests : IDisposable
{
    private static readonly EventType[] Begun = [EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted];
    private readonly PureRun _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void A_run_begins_with_a_task()
    {
        _run.DoTask(Commands.Timer("t"));
        Assert.Equal([.. Begun, EventType.WorkflowTaskCompleted, EventType.TimerStarted], _run.Types);
        Assert.Null(_run.State.Task);
        Assert.Equal(3, _run.State.LastCompletedTaskStartedId);
    }

    [Fact]
    public void A_run_that_has_to_wait_begins_without_a_task()
    {
        using var run = new PureRun(attributes => attributes.FirstWorkflowTaskBackoff = Duration.FromTimeSpan(TimeSpan.FromMinutes(1)));
        run.Signal("comes early");
        Assert.Null(run.State.Task);
        run.Time.Advance(TimeSpan.FromMinutes(1));
        run.Fire();
        Assert.Equal([EventType.WorkflowExecutionStarted, EventType.WorkflowExecutionSignaled, EventType.WorkflowTaskScheduled], run.Types);
    }

    [Fact]
    public void The_first_failure_is_written_and_those_that_follow_leave_no_trace()
    {
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            Assert.Equal(attempt, _run.State.Task!.Attempt);
            _run.StartTask();
            Fail();
        }
        Assert.Equal([.. Begun, EventType.WorkflowTaskFailed], _run.Types);
    }

    [Fact]
    public void A_later_attempt_is_shown_to_its_worker_and_written_once_it_is_done()
    {
        _run.StartTask();
        Fail();
        _run.Time.Advance(TimeSpan.FromSeconds(1));
        var startedAt = _run.Time.GetUtcNow();
        _run.StartTask();
        var shown = WorkflowTasks.UnwrittenEvents(_run.State).ToList();
        Assert.Equal([(5L, EventType.WorkflowTaskScheduled), (6L, EventType.WorkflowTaskStarted)], shown.Select(one => (one.EventId, one.EventType)));
        _run.Time.Advance(TimeSpan.FromSeconds(1));
        _run.CompleteTask();
        var written = _run.History.Skip(4).ToList();
        Assert.Equal([EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted], written.Select(one => one.EventType));
        Assert.Equal(shown, written.Take(2).Select(WithoutTaskId));
        Assert.Equal(startedAt, written[1].EventTime.ToDateTimeOffset());
        Assert.Equal(2, written[0].WorkflowTaskScheduledEventAttributes.Attempt);
        Assert.Equal(1, _run.State.TaskAttempt);
    }

    [Fact]
    public void What_comes_before_a_later_attempt_begins_makes_it_a_first_one()
    {
        _run.StartTask();
        Fail();
        _run.Signal("new");
        Assert.Equal(2, _run.State.Task!.Attempt);
        _run.StartTask();
        Assert.Equal(
            [.. Begun, EventType.WorkflowTaskFailed, EventType.WorkflowExecutionSignaled, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted], _run.Types);
        Assert.Equal((1, 6, 7), (_run.State.Task!.Attempt, _run.State.Task.ScheduledId, _run.State.Task.StartedId));
    }

    [Fact]
    public void What_comes_during_an_attempt_that_fails_makes_the_next_a_first_one()
    {
        _run.StartTask();
        Fail();
        _run.StartTask();
        _run.Signal("new");
        Fail();
        Assert.Equal([.. Begun, EventType.WorkflowTaskFailed, EventType.WorkflowExecutionSignaled, EventType.WorkflowTaskScheduled], _run.Types);
        Assert.Equal(1, _run.State.Task!.Attempt);
    }

    [Fact]
    public void From_the_fourth_attempt_on_a_task_may_take_longer_so_that_it_is_asked_for_less_often()
    {
        var timeouts = new List<double>();
        for (var attempt = 1; attempt <= 20; attempt++)
        {
            timeouts.Add(_run.State.Task!.Timeout.TotalSeconds);
            _run.StartTask();
            _run.Change(change =>
            {
                change.TimeOutStartedTask();
                change.ScheduleTask();
            });
        }
        Assert.Equal([10, 10, 10, 15, 20, 30, 50, 90, 170, 330, 610, 610], timeouts.Take(12));
        Assert.Equal(610, timeouts[^1]);
    }

    [Fact]
    public void A_task_for_an_update_alone_leaves_no_trace_when_the_update_is_rejected()
    {
        _run.DoTask();
        _run.Change(change => change.ScheduleTask(speculative: true));
        _run.StartTask();
        Assert.Equal([5L, 6L], WorkflowTasks.UnwrittenEvents(_run.State).Select(one => one.EventId));
        Assert.Empty(Complete(new() { Messages = { new Message { Body = Any.Pack(new Rejection()) } } }));
        Assert.Equal([.. Begun, EventType.WorkflowTaskCompleted], _run.Types);
        Assert.Null(_run.State.Task);
    }

    [Fact]
    public void A_task_for_an_update_is_written_when_the_update_is_accepted()
    {
        _run.DoTask();
        _run.Change(change => change.ScheduleTask(speculative: true));
        _run.StartTask();
        Complete(new() { Messages = { new Message { Body = Any.Pack(new Acceptance()) } } });
        Assert.Equal([EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted], _run.Types.TakeLast(3));
    }

    [Fact]
    public void A_task_for_an_update_that_showed_events_is_written_unless_the_worker_can_be_shown_them_again()
    {
        foreach (var canDiscard in new[] { true, false })
        {
            using var run = new PureRun();
            run.DoTask(Commands.Timer("t"));
            run.Change(change => change.ScheduleTask(speculative: true));
            run.StartTask();
            var request = new RespondWorkflowTaskCompletedRequest { Capabilities = new() { DiscardSpeculativeWorkflowTaskWithEvents = canDiscard } };
            var written = run.Change(change => change.CompleteTask(request));
            Assert.Equal(canDiscard ? 0 : 3, written.Count);
        }
    }

    [Fact]
    public void A_task_for_an_update_becomes_a_stored_one_when_something_comes_before_it_begins()
    {
        _run.DoTask();
        _run.Change(change => change.ScheduleTask(speculative: true));
        _run.Signal("new");
        _run.StartTask();
        Assert.False(_run.State.Task!.Speculative);
        Assert.Equal([EventType.WorkflowExecutionSignaled, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted], _run.Types.TakeLast(3));
    }

    [Fact]
    public void A_task_for_an_update_that_fails_is_written()
    {
        _run.DoTask();
        _run.Change(change => change.ScheduleTask(speculative: true));
        _run.StartTask();
        Fail();
        Assert.Equal([EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskFailed], _run.Types.TakeLast(3));
        Assert.Equal((2, false), (_run.State.Task!.Attempt, _run.State.Task.Speculative));
    }

    [Fact]
    public void A_task_for_an_update_that_no_worker_takes_becomes_a_stored_one()
    {
        _run.DoTask();
        _run.Change(change => change.ScheduleTask(speculative: true));
        _run.Time.Advance(TimeSpan.FromSeconds(5));
        _run.Fire();
        Assert.Equal([EventType.WorkflowTaskScheduled, EventType.WorkflowTaskTimedOut, EventType.WorkflowTaskScheduled], _run.Types.TakeLast(3));
        Assert.False(_run.State.Task!.Speculative);
    }

    [Fact]
    public void A_worker_that_knows_the_run_and_does_not_take_its_task_is_no_failure()
    {
        _run.StartTask();
        _run.Change(change =>
        {
            change.CompleteTask(new());
            change.State.StickyQueue = "sticky";
            change.State.StickyScheduleToStart = TimeSpan.FromSeconds(5);
        });
        _run.Signal("wakes");
        Assert.Equal("sticky", _run.State.Task!.StickyQueue);
        Assert.Equal(TaskQueueKind.Sticky, _run.History[^1].WorkflowTaskScheduledEventAttributes.TaskQueue.Kind);
        _run.Time.Advance(TimeSpan.FromSeconds(5));
        _run.Fire();
        Assert.Equal([EventType.WorkflowTaskTimedOut, EventType.WorkflowTaskScheduled], _run.Types.TakeLast(2));
        Assert.Equal(("", 1, PureRun.Queue), (_run.State.Task!.StickyQueue, _run.State.Task.Attempt, _run.History[^1].WorkflowTaskScheduledEventAttributes.TaskQueue.Name));
    }

    [Fact]
    public void A_task_that_is_not_answered_in_time_is_given_to_another()
    {
        _run.StartTask();
        Assert.Equal(_run.Time.GetUtcNow() + TimeSpan.FromSeconds(10), RunTimers.NextDue(_run.State, _run.Time.GetUtcNow()));
        _run.Time.Advance(TimeSpan.FromSeconds(9.999));
        _run.Fire();
        Assert.True(_run.State.Task!.IsStarted);
        _run.Time.Advance(TimeSpan.FromSeconds(0.001));
        _run.Fire();
        Assert.Equal(TimeoutType.StartToClose, _run.History[^1].WorkflowTaskTimedOutEventAttributes.TimeoutType);
        Assert.Equal((false, 2), (_run.State.Task!.IsStarted, _run.State.Task.Attempt));
    }

    private void Fail() => _run.Change(change =>
    {
        change.FailTask(WorkflowTaskFailedCause.WorkflowWorkerUnhandledFailure, null, "worker");
        change.ScheduleTask();
    });

    private IReadOnlyList<HistoryEvent> Complete(RespondWorkflowTaskCompletedRequest request) => _run.Change(change => change.CompleteTask(request));

    private static HistoryEvent WithoutTaskId(HistoryEvent one)
    {
        var copy = one.Clone();
        copy.TaskId = 0;
        return copy;
    }
}
