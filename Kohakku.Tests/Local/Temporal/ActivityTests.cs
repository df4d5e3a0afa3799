using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ActivityTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task An_activity_answers_what_it_was_given()
    {
        StartWorker();
        var handle = await StartAsync(new("Echo", "ü"));
        Assert.Equal("ü", await handle.GetResultAsync());
        Assert.Equal(
            [
                EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted,
                EventType.ActivityTaskScheduled, EventType.ActivityTaskStarted, EventType.ActivityTaskCompleted, EventType.WorkflowTaskScheduled,
                EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted, EventType.WorkflowExecutionCompleted,
            ],
            await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_is_tried_until_it_succeeds_and_only_the_last_attempt_is_history()
    {
        StartWorker();
        var handle = await StartAsync(new("Flaky", "3"));
        Assert.Equal("attempt 3", await handle.GetResultAsync());
        Assert.Equal([("Flaky", 1), ("Flaky", 2), ("Flaky", 3)], Activities.Begun);
        Assert.Single(await EventTypesAsync(handle), EventType.ActivityTaskStarted);
        var started = (await HasEventAsync(handle, EventType.ActivityTaskStarted)).ActivityTaskStartedEventAttributes;
        Assert.Equal((3, "attempt 2 failed"), (started.Attempt, started.LastFailure.Message));
    }

    [Fact(Timeout = Limit)]
    public async Task The_interval_between_attempts_is_kept()
    {
        StartWorker();
        var handle = await StartAsync(new("Flaky", "2") { RetryMilliseconds = 1000 });
        await handle.GetResultAsync();
        var events = await EventsAsync(handle);
        var scheduled = events.Find(item => item.EventType == EventType.ActivityTaskScheduled)!.EventTime.ToDateTime();
        var started = events.Find(item => item.EventType == EventType.ActivityTaskStarted)!.EventTime.ToDateTime();
        Assert.True(started - scheduled >= TimeSpan.FromSeconds(1));
    }

    [Fact(Timeout = Limit)]
    public async Task The_last_attempt_that_may_be_made_is_the_last()
    {
        StartWorker();
        var failed = await FailsWithAsync<ActivityFailureException>(await StartAsync(new("Flaky", "10") { MaximumAttempts = 2 }));
        Assert.Equal(RetryState.MaximumAttemptsReached, failed.RetryState);
        var cause = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal(("attempt 2 failed", "Flaky", 2), (cause.Message, cause.ErrorType, cause.Details.ElementAt<int>(0)));
        Assert.Equal(2, Activities.Begun.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task A_failure_that_is_not_to_be_retried_is_not()
    {
        StartWorker();
        var failed = await FailsWithAsync<ActivityFailureException>(await StartAsync(new("Fatal", "never again")));
        Assert.Equal((RetryState.NonRetryableFailure, "Fatal"), (failed.RetryState, failed.ActivityType));
        Assert.True(Assert.IsType<ApplicationFailureException>(failed.InnerException).NonRetryable);

        failed = await FailsWithAsync<ActivityFailureException>(await StartAsync(new("Flaky", "10") { NonRetryable = ["Flaky"] }));
        Assert.Equal(RetryState.NonRetryableFailure, failed.RetryState);
        Assert.Equal(2, Activities.Begun.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_that_no_worker_takes_times_out()
    {
        StartWorker();
        var call = new ActivityCall("Echo", "x") { TaskQueue = $"{TaskQueue}-nobody", ScheduleToStartMilliseconds = 500 };
        Assert.Equal(TimeoutType.ScheduleToStart, (await TimesOutAsync(call)).TimeoutType);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_that_takes_too_long_is_tried_again_or_times_out()
    {
        StartWorker();
        var call = new ActivityCall("Hold", "x") { StartToCloseMilliseconds = 500, MaximumAttempts = 2 };
        Assert.Equal(TimeoutType.StartToClose, (await TimesOutAsync(call)).TimeoutType);
        Assert.Equal([("Hold", 1), ("Hold", 2)], Activities.Begun);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_that_takes_too_long_altogether_times_out()
    {
        StartWorker();
        var call = new ActivityCall("Hold", "x") { ScheduleToCloseMilliseconds = 700 };
        Assert.Equal(TimeoutType.ScheduleToClose, (await TimesOutAsync(call)).TimeoutType);
    }

    [Fact(Timeout = Limit)]
    public async Task Attempts_end_when_there_is_no_time_for_another()
    {
        StartWorker();
        var call = new ActivityCall("Flaky", "100000") { ScheduleToCloseMilliseconds = 1500, RetryMilliseconds = 300 };
        var failed = await FailsWithAsync<ActivityFailureException>(await StartAsync(call));
        Assert.Equal(RetryState.Timeout, failed.RetryState);
        Assert.InRange(Activities.Begun.Count, 2, 6);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_that_falls_silent_times_out_with_what_it_said_last()
    {
        StartWorker();
        var timeout = await TimesOutAsync(new("FallSilent", "last words") { HeartbeatMilliseconds = 700, MaximumAttempts = 1 });
        Assert.Equal((TimeoutType.Heartbeat, "last words"), (timeout.TimeoutType, timeout.LastHeartbeatDetails.ElementAt<string>(0)));
    }

    [Fact(Timeout = Limit)]
    public async Task The_next_attempt_is_told_what_the_last_one_said()
    {
        StartWorker();
        Assert.Equal("last words", await (await StartAsync(new("FallSilent", "last words") { HeartbeatMilliseconds = 700 })).GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Many_activities_of_one_run_are_all_run()
    {
        StartWorker();
        Assert.Equal(150, await Client.ExecuteWorkflowAsync((ParallelWorkflow workflow) => workflow.RunAsync("Echo", 150), Options()));
        Assert.Equal(150, Activities.Begun.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task A_local_activity_is_recorded_as_a_marker()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((LocalActivityWorkflow workflow) => workflow.RunAsync(), Options());
        Assert.Equal("local attempt 2", await handle.GetResultAsync());
        var types = await EventTypesAsync(handle);
        Assert.Equal(2, types.Count(type => type == EventType.MarkerRecorded));
        Assert.DoesNotContain(EventType.ActivityTaskScheduled, types);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_may_have_a_task_queue_of_its_own()
    {
        StartWorker();
        var others = new TestActivities();
        StartWorker(options => options.TaskQueue = $"{TaskQueue}-other", others);
        Assert.Equal("x", await (await StartAsync(new("Echo", "x") { TaskQueue = $"{TaskQueue}-other" })).GetResultAsync());
        Assert.Equal((0, 1), (Activities.Begun.Count, others.Begun.Count));
    }

    private Task<WorkflowHandle<ActivityWorkflow, string>> StartAsync(ActivityCall call) =>
        Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(call), Options());

    private async Task<TimeoutFailureException> TimesOutAsync(ActivityCall call)
    {
        var failed = await FailsWithAsync<ActivityFailureException>(await StartAsync(call));
        return Assert.IsType<TimeoutFailureException>(failed.InnerException);
    }
}
