using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace Kohakku.Tests.Local.Temporal;

public sealed class TimerTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_timer_fires_when_its_time_has_come()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(1, 500), Options());
        await handle.GetResultAsync();
        var events = await EventsAsync(handle);
        var started = events.Find(item => item.EventType == EventType.TimerStarted)!;
        var fired = events.Find(item => item.EventType == EventType.TimerFired)!;
        Assert.True(fired.EventTime.ToDateTime() - started.EventTime.ToDateTime() >= TimeSpan.FromMilliseconds(500));
        Assert.Equal(started.EventId, fired.TimerFiredEventAttributes.StartedEventId);
        Assert.Equal(started.TimerStartedEventAttributes.TimerId, fired.TimerFiredEventAttributes.TimerId);
    }

    [Fact(Timeout = Limit)]
    public async Task Many_timers_all_fire()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(200, 300), Options());
        Assert.Equal(200, await handle.GetResultAsync());
        Assert.Equal(200, (await EventTypesAsync(handle)).Count(type => type == EventType.TimerFired));
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancelled_timer_does_not_fire()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((CancelledTimerWorkflow workflow) => workflow.RunAsync(), Options());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        var types = await EventTypesAsync(handle);
        Assert.Equal((2, 1, 1), (Count(EventType.TimerStarted), Count(EventType.TimerFired), Count(EventType.TimerCanceled)));

        int Count(EventType type) => types.Count(found => found == type);
    }

    [Fact(Timeout = Limit)]
    public async Task A_timer_fires_for_a_worker_that_did_not_start_it()
    {
        var first = StartWorker();
        var handle = await Client.StartWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(1, 1500), Options());
        await HasEventAsync(handle, EventType.TimerStarted);
        await first.StopAsync();
        StartWorker();
        Assert.Equal(1, await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_has_ended_has_no_timers()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(3, 1000), Options());
        await HasEventAsync(handle, EventType.TimerStarted);
        await handle.TerminateAsync();
        // By the time that another run's timer of the same length has fired, those would have, too.
        await Client.ExecuteWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(1, 1200), Options());
        Assert.Equal(EventType.WorkflowExecutionTerminated, (await EventTypesAsync(handle))[^1]);
    }

    [Fact(Timeout = Limit)]
    public async Task Patches_are_recorded_as_markers()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((PatchedWorkflow workflow) => workflow.RunAsync(), Options());
        Assert.Equal("new", await handle.GetResultAsync());
        Assert.Equal(2, (await EventTypesAsync(handle)).Count(type => type == EventType.MarkerRecorded));
    }
}
