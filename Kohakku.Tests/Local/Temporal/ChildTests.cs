using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using ChildWorkflowCancellationType = Temporalio.Workflows.ChildWorkflowCancellationType;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ChildTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_child_answers_its_parent()
    {
        StartWorker();
        var child = Child("EchoWorkflow", "from the child");
        var handle = await StartParentAsync(child);
        Assert.Equal("from the child", await handle.GetResultAsync());
        Assert.Equal(
            [EventType.StartChildWorkflowExecutionInitiated, EventType.ChildWorkflowExecutionStarted, EventType.ChildWorkflowExecutionCompleted],
            (await EventTypesAsync(handle)).Where(type => type.ToString().Contains("Child", StringComparison.Ordinal)));
        var started = (await EventsAsync(Client.GetWorkflowHandle(child.Id)))[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal((handle.Id, handle.ResultRunId), (started.ParentWorkflowExecution.WorkflowId, started.ParentWorkflowExecution.RunId));
        Assert.Equal((handle.Id, handle.ResultRunId), (started.RootWorkflowExecution.WorkflowId, started.RootWorkflowExecution.RunId));
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_that_fails_tells_its_parent_why()
    {
        StartWorker();
        var failed = await FailsWithAsync<ChildWorkflowFailureException>(await StartParentAsync(Child("FailingWorkflow", "child broke")));
        Assert.Equal("FailingWorkflow", failed.WorkflowType);
        var cause = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal(("child broke", "Asked"), (cause.Message, cause.ErrorType));
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_that_is_terminated_tells_its_parent()
    {
        StartWorker();
        var child = Child("WaitingWorkflow");
        var handle = await StartParentAsync(child);
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        await Client.GetWorkflowHandle(child.Id).TerminateAsync();
        Assert.IsType<TerminatedFailureException>((await FailsWithAsync<ChildWorkflowFailureException>(handle)).InnerException);
        Assert.Contains(EventType.ChildWorkflowExecutionTerminated, await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_that_times_out_tells_its_parent()
    {
        StartWorker();
        var handle = await StartParentAsync(Child("WaitingWorkflow") with { RunMilliseconds = 1000 });
        Assert.IsType<TimeoutFailureException>((await FailsWithAsync<ChildWorkflowFailureException>(handle)).InnerException);
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_that_is_tried_again_answers_at_last()
    {
        StartWorker();
        var child = Child("FailingWorkflow", "child broke") with { MaximumAttempts = 3 };
        var handle = await StartParentAsync(child);
        await FailsWithAsync<ChildWorkflowFailureException>(handle);
        Assert.Equal(3, await Client.ListWorkflowsAsync($"WorkflowId = '{child.Id}'").CountAsync(Cancellation));
        Assert.Single(await EventTypesAsync(handle), EventType.ChildWorkflowExecutionStarted);
    }

    [Fact(Timeout = Limit)]
    public async Task A_parent_cancels_its_child_and_waits_for_its_end()
    {
        StartWorker();
        var child = Child("CleaningWorkflow");
        var handle = await Client.StartWorkflowAsync((CancellingParentWorkflow workflow) => workflow.RunAsync(child), Options());
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        await HasEventAsync(Client.GetWorkflowHandle(child.Id), EventType.WorkflowTaskCompleted);
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionCanceled);
        await handle.SignalAsync(workflow => workflow.LeaveAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        Assert.Equal([("Echo", 1)], Activities.Begun);
        Assert.Equal(WorkflowExecutionStatus.Canceled, (await Client.GetWorkflowHandle(child.Id).DescribeAsync()).Status);
    }

    [Theory(Timeout = Limit)]
    [InlineData(ChildWorkflowCancellationType.TryCancel, WorkflowExecutionStatus.Canceled)]
    [InlineData(ChildWorkflowCancellationType.Abandon, WorkflowExecutionStatus.Running)]
    public async Task A_parent_cancels_its_child_and_does_not_wait(ChildWorkflowCancellationType type, WorkflowExecutionStatus expected)
    {
        StartWorker();
        var child = Child("WaitingWorkflow") with { CancellationType = type, ClosePolicy = Temporalio.Workflows.ParentClosePolicy.Abandon };
        var handle = await Client.StartWorkflowAsync((CancellingParentWorkflow workflow) => workflow.RunAsync(child), Options());
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        await HasStatusAsync(Client.GetWorkflowHandle(child.Id), expected);
        await handle.SignalAsync(workflow => workflow.LeaveAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        Assert.Equal(expected, (await Client.GetWorkflowHandle(child.Id).DescribeAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancelled_parent_cancels_its_child()
    {
        StartWorker();
        var child = Child("WaitingWorkflow");
        var handle = await StartParentAsync(child);
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        await handle.CancelAsync();
        await FailsWithAsync<CanceledFailureException>(handle);
        await HasStatusAsync(Client.GetWorkflowHandle(child.Id), WorkflowExecutionStatus.Canceled);
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_whose_id_runs_already_is_not_started()
    {
        StartWorker();
        var running = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        var handle = await Client.StartWorkflowAsync((LateParentWorkflow workflow) => workflow.RunAsync(running.Id), Options());
        Assert.Equal($"WaitingWorkflow {running.Id}", await handle.GetResultAsync());
        var failed = await HasEventAsync(handle, EventType.StartChildWorkflowExecutionFailed);
        Assert.Equal(
            StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists, failed.StartChildWorkflowExecutionFailedEventAttributes.Cause);
    }

    [Fact(Timeout = Limit)]
    public async Task A_parent_signals_its_child()
    {
        StartWorker();
        Assert.Equal("from the parent", await Client.ExecuteWorkflowAsync((TalkingParentWorkflow workflow) => workflow.RunAsync(), Options()));
    }

    [Theory(Timeout = Limit)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.Terminate, "complete", WorkflowExecutionStatus.Terminated)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.Terminate, "fail", WorkflowExecutionStatus.Terminated)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.Terminate, "terminate", WorkflowExecutionStatus.Terminated)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.RequestCancel, "complete", WorkflowExecutionStatus.Canceled)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.RequestCancel, "terminate", WorkflowExecutionStatus.Canceled)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.Abandon, "complete", WorkflowExecutionStatus.Running)]
    [InlineData(Temporalio.Workflows.ParentClosePolicy.Abandon, "terminate", WorkflowExecutionStatus.Running)]
    public async Task A_child_outlives_its_parent_only_where_it_may(
        Temporalio.Workflows.ParentClosePolicy policy, string how, WorkflowExecutionStatus expected)
    {
        StartWorker();
        var child = Child("WaitingWorkflow") with { ClosePolicy = policy };
        var handle = await Client.StartWorkflowAsync((LeavingWorkflow workflow) => workflow.RunAsync(child), Options());
        await HasEventAsync(handle, EventType.ChildWorkflowExecutionStarted);
        if (how == "terminate") await handle.TerminateAsync();
        else await handle.SignalAsync(workflow => workflow.EndAsync(how));
        await Eventually.Async(async () => (await handle.DescribeAsync()).Status != WorkflowExecutionStatus.Running);
        var left = Client.GetWorkflowHandle(child.Id);
        await HasStatusAsync(left, expected);
        if (expected == WorkflowExecutionStatus.Running) await left.SignalAsync("StillThere", ["x"]);
    }

    private static ChildCall Child(string workflow, params string[] arguments) => new(workflow, $"child-{Guid.NewGuid():N}", arguments);

    private Task<WorkflowHandle<ParentWorkflow, string>> StartParentAsync(ChildCall child) =>
        Client.StartWorkflowAsync((ParentWorkflow workflow) => workflow.RunAsync(child), Options());
}
