using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class DescribeTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_run_is_described_while_it_runs_and_when_it_has_ended()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await HasEventAsync(handle, EventType.WorkflowTaskCompleted);
        var running = await handle.DescribeAsync();
        Assert.Equal(
            (handle.Id, handle.ResultRunId, "ListWorkflow", TaskQueue, WorkflowExecutionStatus.Running, null),
            (running.Id, running.RunId, running.WorkflowType, running.TaskQueue, running.Status, running.CloseTime));
        Assert.True(running.StartTime <= running.ExecutionTime);
        var config = (await DescribeAsync(handle)).ExecutionConfig;
        Assert.Equal((null, null), (config.WorkflowExecutionTimeout, config.WorkflowRunTimeout));

        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await handle.GetResultAsync();
        var ended = await handle.DescribeAsync();
        Assert.Equal((WorkflowExecutionStatus.Completed, (await EventsAsync(handle)).Count), (ended.Status, ended.HistoryLength));
        Assert.True(ended.CloseTime >= ended.StartTime);
        Assert.Equal(running.StartTime, ended.StartTime);
    }

    [Fact(Timeout = Limit)]
    public async Task A_pending_activity_is_told_with_its_attempt_failure_and_heartbeat()
    {
        var raw = new RawWorker(Client, TaskQueue);
        StartWorker(options => options.LocalActivityWorkerOnly = true);
        var call = new ActivityCall("NobodyHasThis", "x") { HeartbeatMilliseconds = 60_000 };
        var handle = await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(call), Options());
        var scheduled = await Eventually.NotNullAsync(async () => (await DescribeAsync(handle)).PendingActivities.SingleOrDefault());
        Assert.Equal(("NobodyHasThis", PendingActivityState.Scheduled, 1), (scheduled.ActivityType.Name, scheduled.State, scheduled.Attempt));

        var first = await raw.TakeActivityTaskAsync(Cancellation);
        await Client.WorkflowService.RespondActivityTaskFailedAsync(new()
        {
            Namespace = TemporalServerFixture.Namespace,
            TaskToken = first.TaskToken,
            Failure = new() { Message = "the first failed", ApplicationFailureInfo = new() { Type = "First" } },
        });
        var second = await raw.TakeActivityTaskAsync(Cancellation);
        await Client.WorkflowService.RecordActivityTaskHeartbeatAsync(new()
        {
            Namespace = TemporalServerFixture.Namespace, TaskToken = second.TaskToken, Details = new() { Payloads_ = { RawWorker.Json("halfway") } },
        });
        var started = Assert.Single((await DescribeAsync(handle)).PendingActivities);
        Assert.Equal(
            (PendingActivityState.Started, 2, "the first failed", "\"halfway\"", RawWorker.Identity),
            (started.State, started.Attempt, started.LastFailure.Message, RawWorker.Text(started.HeartbeatDetails), started.LastWorkerIdentity));
        Assert.NotNull(started.LastStartedTime);
        Assert.NotNull(started.LastHeartbeatTime);

        await handle.TerminateAsync();
        Assert.Empty((await DescribeAsync(handle)).PendingActivities);
    }

    [Fact(Timeout = Limit)]
    public async Task Pending_children_and_the_parent_are_told()
    {
        StartWorker();
        var child = new ChildCall("WaitingWorkflow", $"child-{Guid.NewGuid():N}");
        var handle = await Client.StartWorkflowAsync((ParentWorkflow workflow) => workflow.RunAsync(child), Options());
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        var pending = Assert.Single((await DescribeAsync(handle)).PendingChildren);
        Assert.Equal((child.Id, "WaitingWorkflow", ParentClosePolicy.Terminate), (pending.WorkflowId, pending.WorkflowTypeName, pending.ParentClosePolicy));
        var described = await Client.GetWorkflowHandle(child.Id).DescribeAsync();
        Assert.Equal((handle.Id, handle.ResultRunId, pending.RunId), (described.ParentId, described.ParentRunId, described.RunId));
        var root = (await DescribeAsync(Client.GetWorkflowHandle(child.Id))).WorkflowExecutionInfo.RootExecution;
        Assert.Equal((handle.Id, handle.ResultRunId), (root.WorkflowId, root.RunId));
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_task_that_waits_is_told()
    {
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        Assert.Equal(PendingWorkflowTaskState.Scheduled, (await DescribeAsync(handle)).PendingWorkflowTask.State);
        await new RawWorker(Client, TaskQueue).TakeWorkflowTaskAsync(Cancellation);
        Assert.Equal(PendingWorkflowTaskState.Started, (await DescribeAsync(handle)).PendingWorkflowTask.State);
    }

    [Fact(Timeout = Limit)]
    public async Task An_earlier_run_is_described_by_its_own_id()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((CountdownWorkflow workflow) => workflow.RunAsync(new Countdown(1, "kept")), Options());
        await handle.GetResultAsync();
        var first = await Client.GetWorkflowHandle(handle.Id, handle.ResultRunId).DescribeAsync();
        var last = await Client.GetWorkflowHandle(handle.Id).DescribeAsync();
        Assert.Equal((WorkflowExecutionStatus.ContinuedAsNew, WorkflowExecutionStatus.Completed), (first.Status, last.Status));
        Assert.NotEqual(first.RunId, last.RunId);
        await FailsAsync(RpcException.StatusCode.NotFound, () => Client.GetWorkflowHandle(handle.Id, $"{Guid.NewGuid()}").DescribeAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_task_queue_tells_who_asks_it()
    {
        StartWorker(options => options.Identity = "the worker");
        await Eventually.Async(async () =>
        {
            var described = await Client.WorkflowService.DescribeTaskQueueAsync(
                new() { Namespace = TemporalServerFixture.Namespace, TaskQueue = new() { Name = TaskQueue }, TaskQueueType = TaskQueueType.Workflow });
            return described.Pollers.Any(poller => poller.Identity == "the worker");
        });
    }
}
