using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class EndTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_cancelled_run_ends_as_cancelled()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.CancelAsync();
        // Once is enough; to ask again is no fault.
        await handle.CancelAsync();
        await FailsWithAsync<CanceledFailureException>(handle);
        Assert.Equal(WorkflowExecutionStatus.Canceled, (await handle.DescribeAsync()).Status);
        Assert.Single(await EventTypesAsync(handle), EventType.WorkflowExecutionCancelRequested);
        // Nor to ask when it is over.
        await handle.CancelAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancelled_run_may_clean_up()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((CleaningWorkflow workflow) => workflow.RunAsync(), Options());
        await HasEventAsync(handle, EventType.WorkflowTaskCompleted);
        await handle.CancelAsync();
        await FailsWithAsync<CanceledFailureException>(handle);
        Assert.Equal([("Echo", 1)], Activities.Begun);
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancelled_run_may_complete()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((CompletingOnCancelWorkflow workflow) => workflow.RunAsync(), Options());
        await HasEventAsync(handle, EventType.WorkflowTaskCompleted);
        await handle.CancelAsync();
        Assert.Equal("completed", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_is_cancelled_before_any_worker_saw_it()
    {
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.CancelAsync();
        StartWorker();
        await FailsWithAsync<CanceledFailureException>(handle);
    }

    [Fact(Timeout = Limit)]
    public async Task A_terminated_run_ends_at_once_and_says_why()
    {
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        var result = handle.GetResultAsync();
        await handle.TerminateAsync("enough", new() { Details = ["of", 2] });
        var failed = await Assert.ThrowsAsync<WorkflowFailedException>(() => result);
        Assert.Equal("enough", Assert.IsType<TerminatedFailureException>(failed.InnerException).Message);
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await handle.DescribeAsync()).Status);
        var terminated = (await EventsAsync(handle))[^1].WorkflowExecutionTerminatedEventAttributes;
        Assert.Equal(("enough", 2), (terminated.Reason, terminated.Details.Payloads_.Count));
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.TerminateAsync("again"));
    }

    [Fact(Timeout = Limit)]
    public async Task A_terminated_run_does_nothing_more()
    {
        StartWorker();
        var call = new ActivityCall("Beat", "x") { HeartbeatMilliseconds = 1000 };
        var handle = await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(call), Options());
        await Eventually.Async(async () => (await DescribeAsync(handle)).PendingActivities.Count == 1);
        await handle.TerminateAsync();
        // Its activity hears of it by its next heartbeat.
        await Eventually.Async(() => !Activities.Outcomes.IsEmpty);
        Assert.StartsWith("cancelled", Assert.Single(Activities.Outcomes), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_is_not_the_one_meant_is_left_alone()
    {
        var options = Options(options => options.IdConflictPolicy = WorkflowIdConflictPolicy.TerminateExisting);
        var first = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        var second = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        await FailsAsync(RpcException.StatusCode.NotFound, () => Client.GetWorkflowHandle(first.Id, first.ResultRunId).TerminateAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => Client.GetWorkflowHandle(first.Id, firstExecutionRunId: first.ResultRunId).TerminateAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => Client.GetWorkflowHandle(first.Id, $"{Guid.NewGuid()}").TerminateAsync());
        Assert.Equal(WorkflowExecutionStatus.Running, (await Client.GetWorkflowHandle(second.Id, second.ResultRunId).DescribeAsync()).Status);
    }
}
