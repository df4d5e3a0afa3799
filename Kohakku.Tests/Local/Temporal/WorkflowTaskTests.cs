using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>Tasks of workflows that do not go as they should.</summary>
public sealed class WorkflowTaskTests(TemporalServerFixture server) : TemporalTest(server)
{
    private RawWorker Raw => new(Client, TaskQueue);

    [Fact(Timeout = Limit)]
    public async Task A_bug_is_tried_again_until_somebody_mends_it()
    {
        var broken = StartWorkerOf<Variants.BrokenEchoWorkflow>();
        // A worker tells of a first failure only; after the others the task times out. It has to tell of that one in time.
        var handle = await Client.StartWorkflowAsync(
            (EchoWorkflow workflow) => workflow.RunAsync("mended"), Options(options => options.TaskTimeout = TimeSpan.FromSeconds(5)));
        var failed = await HasEventAsync(handle, EventType.WorkflowTaskFailed);
        Assert.Contains("a bug, not a failure", failed.WorkflowTaskFailedEventAttributes.Failure.Message, StringComparison.Ordinal);
        await Eventually.Async(async () => (await DescribeAsync(handle)).PendingWorkflowTask?.Attempt >= 3);
        Assert.Equal(WorkflowExecutionStatus.Running, (await handle.DescribeAsync()).Status);
        await broken.StopAsync();
        StartWorker();
        Assert.Equal("mended", await handle.GetResultAsync());
        // Only the first failure is history.
        Assert.Single(await EventTypesAsync(handle), EventType.WorkflowTaskFailed);
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_that_a_worker_does_not_know_waits_for_one_that_does()
    {
        var ignorant = StartWorkerOf<ListWorkflow>();
        var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("known"), Options());
        await HasEventAsync(handle, EventType.WorkflowTaskFailed);
        await ignorant.StopAsync();
        StartWorker();
        Assert.Equal("known", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_task_whose_worker_was_killed_goes_to_another()
    {
        var handle = await Client.StartWorkflowAsync(
            (EchoWorkflow workflow) => workflow.RunAsync("taken over"), Options(options => options.TaskTimeout = TimeSpan.FromSeconds(1)));
        var taken = await Raw.TakeWorkflowTaskAsync(Cancellation);
        StartWorker();
        Assert.Equal("taken over", await handle.GetResultAsync());
        var timedOut = (await HasEventAsync(handle, EventType.WorkflowTaskTimedOut)).WorkflowTaskTimedOutEventAttributes;
        Assert.Equal(TimeoutType.StartToClose, timedOut.TimeoutType);
        await FailsAsync(RpcException.StatusCode.NotFound, () => Raw.CompleteAsync(taken.TaskToken, null, RawWorker.CompleteWorkflow("too late")));
    }

    [Fact(Timeout = Limit)]
    public async Task A_task_that_was_given_back_goes_to_another()
    {
        var handle = await StartListAsync();
        var taken = await Raw.TakeWorkflowTaskAsync(Cancellation);
        await Client.WorkflowService.RespondWorkflowTaskFailedAsync(new()
        {
            Namespace = TemporalServerFixture.Namespace,
            TaskToken = taken.TaskToken,
            Cause = WorkflowTaskFailedCause.WorkflowWorkerUnhandledFailure,
            Failure = new() { Message = "no idea" },
        });
        StartWorker();
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Empty(await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task What_comes_in_while_a_task_ends_its_run_is_not_lost()
    {
        var handle = await StartListAsync();
        var taken = await Raw.TakeWorkflowTaskAsync(Cancellation);
        await handle.SignalAsync(workflow => workflow.PushAsync("late"));
        var refused = await Assert.ThrowsAsync<RpcException>(() => Raw.CompleteAsync(taken.TaskToken, null, RawWorker.CompleteWorkflow("too early")));
        Assert.Equal(RpcException.StatusCode.InvalidArgument, refused.Code);
        var failed = await HasEventAsync(handle, EventType.WorkflowTaskFailed);
        Assert.Equal(WorkflowTaskFailedCause.UnhandledCommand, failed.WorkflowTaskFailedEventAttributes.Cause);
        StartWorker();
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["late"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_command_that_makes_no_sense_fails_its_task_and_nothing_else()
    {
        var handle = await StartListAsync();
        var taken = await Raw.TakeWorkflowTaskAsync(Cancellation);
        await FailsAsync(
            RpcException.StatusCode.InvalidArgument,
            () => Raw.CompleteAsync(taken.TaskToken, null, RawWorker.StartTimer("a timer"), RawWorker.StartTimer("")));
        var failed = await HasEventAsync(handle, EventType.WorkflowTaskFailed);
        Assert.Equal(WorkflowTaskFailedCause.BadStartTimerAttributes, failed.WorkflowTaskFailedEventAttributes.Cause);
        Assert.DoesNotContain(EventType.TimerStarted, await EventTypesAsync(handle));
        StartWorker();
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Empty(await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task What_a_worker_keeps_to_itself_goes_to_another_when_it_is_gone()
    {
        var handle = await StartListAsync();
        var taken = await Raw.TakeWorkflowTaskAsync(Cancellation);
        await Raw.CompleteAsync(taken.TaskToken, new()
        {
            WorkerTaskQueue = new() { Name = $"{TaskQueue}-sticky", Kind = TaskQueueKind.Sticky, NormalName = TaskQueue },
            ScheduleToStartTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(1)),
        });
        StartWorker();
        await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["item"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Who_gave_up_asking_is_given_no_task()
    {
        for (var time = 0; time < 3; time++)
        {
            using var givingUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
            await Assert.ThrowsAnyAsync<Exception>(() => Raw.TakeWorkflowTaskAsync(givingUp.Token));
        }
        StartWorker();
        var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("x"), Options());
        Assert.Equal("x", await handle.GetResultAsync());
        Assert.DoesNotContain(EventType.WorkflowTaskTimedOut, await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task A_local_activity_may_take_longer_than_a_task()
    {
        StartWorker();
        // The worker lets four fifths of this pass before it says that it goes on; the rest is for a slow machine.
        var handle = await Client.StartWorkflowAsync(
            (LongLocalActivityWorkflow workflow) => workflow.RunAsync(), Options(options => options.TaskTimeout = TimeSpan.FromSeconds(20)));
        await Eventually.Async(async () => (await EventTypesAsync(handle)).Contains(EventType.WorkflowTaskCompleted));
        Activities.Release();
        Assert.Equal("held", await handle.GetResultAsync());
        Assert.True((await EventTypesAsync(handle)).Count(type => type == EventType.WorkflowTaskCompleted) >= 2);
        Assert.DoesNotContain(EventType.WorkflowTaskTimedOut, await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task A_payload_of_nearly_two_mebibytes_goes_through_and_a_larger_one_is_refused()
    {
        StartWorker();
        var large = new string('x', 1_950_000);
        var handle = await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(new ActivityCall("Echo", large)), Options());
        Assert.Equal(large, await handle.GetResultAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync($"{large}{large}"), Options()));
    }

    private Task<WorkflowHandle<ListWorkflow, List<string>>> StartListAsync() =>
        Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
}
