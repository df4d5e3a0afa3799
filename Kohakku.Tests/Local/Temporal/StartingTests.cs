using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class StartingTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_workflow_answers_what_it_was_given()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("Grüße"), Options());
        Assert.Equal("Grüße", await handle.GetResultAsync());
        Assert.Equal(
            [
                EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled, EventType.WorkflowTaskStarted, EventType.WorkflowTaskCompleted,
                EventType.WorkflowExecutionCompleted,
            ],
            await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_that_fails_says_why()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((FailingWorkflow workflow) => workflow.RunAsync("broke"), Options());
        var failure = await FailsWithAsync<ApplicationFailureException>(handle);
        Assert.Equal(("broke", "Asked", 5), (failure.Message, failure.ErrorType, failure.Details.ElementAt<int>(0)));
        Assert.Equal(WorkflowExecutionStatus.Failed, (await handle.DescribeAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_waits_for_a_worker_and_its_result_may_be_waited_for_meanwhile()
    {
        var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("late"), Options());
        var result = handle.GetResultAsync();
        Assert.Equal([EventType.WorkflowExecutionStarted, EventType.WorkflowTaskScheduled], await EventTypesAsync(handle));
        StartWorker();
        Assert.Equal("late", await result);
    }

    [Fact(Timeout = Limit)]
    public async Task An_id_that_runs_is_refused_and_the_run_that_has_it_is_named()
    {
        var options = Options();
        var running = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        var refused = await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(
            () => Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options));
        Assert.Equal((options.Id, running.ResultRunId), (refused.WorkflowId, refused.RunId));

        var raw = await Assert.ThrowsAsync<RpcException>(() => Client.WorkflowService.StartWorkflowExecutionAsync(Request(options.Id!, "another request")));
        Assert.Equal(RpcException.StatusCode.AlreadyExists, raw.Code);
        var detail = raw.GrpcStatus.Value!.Details.Single().Unpack<WorkflowExecutionAlreadyStartedFailure>();
        Assert.Equal(running.ResultRunId, detail.RunId);
        Assert.NotEmpty(detail.StartRequestId);
    }

    [Fact(Timeout = Limit)]
    public async Task An_id_that_runs_is_used_or_taken_over_where_asked_for()
    {
        var options = Options();
        var first = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        options.IdConflictPolicy = WorkflowIdConflictPolicy.UseExisting;
        var used = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        Assert.Equal(first.ResultRunId, used.ResultRunId);

        options.IdConflictPolicy = WorkflowIdConflictPolicy.TerminateExisting;
        var taking = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        Assert.NotEqual(first.ResultRunId, taking.ResultRunId);
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await Client.GetWorkflowHandle(first.Id, first.ResultRunId).DescribeAsync()).Status);
        Assert.Equal((WorkflowExecutionStatus.Running, taking.ResultRunId), await CurrentAsync(first.Id));
    }

    [Theory(Timeout = Limit)]
    [InlineData(false, WorkflowIdReusePolicy.AllowDuplicate, true)]
    [InlineData(true, WorkflowIdReusePolicy.AllowDuplicate, true)]
    [InlineData(false, WorkflowIdReusePolicy.AllowDuplicateFailedOnly, false)]
    [InlineData(true, WorkflowIdReusePolicy.AllowDuplicateFailedOnly, true)]
    [InlineData(false, WorkflowIdReusePolicy.RejectDuplicate, false)]
    [InlineData(true, WorkflowIdReusePolicy.RejectDuplicate, false)]
    public async Task An_id_that_has_run_is_taken_as_its_policy_says(bool failed, WorkflowIdReusePolicy policy, bool isTaken)
    {
        StartWorker();
        var options = Options(options => options.IdReusePolicy = policy);
        var first = failed
            ? await Client.StartWorkflowAsync("FailingWorkflow", ["broke"], options)
            : await Client.StartWorkflowAsync("EchoWorkflow", ["once"], options);
        await HasStatusAsync(first, failed ? WorkflowExecutionStatus.Failed : WorkflowExecutionStatus.Completed);
        var again = () => Client.ExecuteWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("again"), options);
        if (isTaken)
        {
            Assert.Equal("again", await again());
        }
        else
        {
            Assert.Equal(first.ResultRunId, (await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(again)).RunId);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_request_that_comes_again_starts_nothing_new()
    {
        var id = Options().Id!;
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Client.WorkflowService.StartWorkflowExecutionAsync(Request(id, "the request"))));
        Assert.Single(runs.Select(run => run.RunId).Distinct());
        Assert.Equal(1, await Client.ListWorkflowsAsync($"WorkflowId = '{id}'").CountAsync(Cancellation));
    }

    [Fact(Timeout = Limit)]
    public async Task Of_many_that_start_an_id_at_once_one_wins()
    {
        var options = Options();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                return (await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options)).ResultRunId;
            }
            catch (WorkflowAlreadyStartedException)
            {
                return null;
            }
        }));
        var winner = Assert.Single(outcomes, run => run is not null);
        Assert.Equal((WorkflowExecutionStatus.Running, winner), await CurrentAsync(options.Id!));
    }

    [Fact(Timeout = Limit)]
    public async Task What_cannot_be_started_is_refused()
    {
        await FailsAsync(RpcException.StatusCode.InvalidArgument, () => Client.WorkflowService.StartWorkflowExecutionAsync(Request("", "no id")));
        var other = new TemporalClient(Client.Connection, new() { Namespace = "no-such-namespace" });
        await FailsAsync(RpcException.StatusCode.NotFound, () => other.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options()));
    }

    [Fact(Timeout = Limit)]
    public async Task What_was_never_started_is_not_found()
    {
        var handle = Client.GetWorkflowHandle("there is no such workflow");
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.DescribeAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.GetResultAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.SignalAsync("Push", ["x"]));
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.QueryAsync<string>("Items", []));
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.ExecuteUpdateAsync("Add", ["x"]));
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.CancelAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.TerminateAsync());
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.FetchHistoryAsync());
    }

    private StartWorkflowExecutionRequest Request(string id, string requestId) => new()
    {
        Namespace = TemporalServerFixture.Namespace,
        WorkflowId = id,
        WorkflowType = new WorkflowType { Name = "WaitingWorkflow" },
        TaskQueue = new TaskQueue { Name = TaskQueue },
        RequestId = requestId,
    };

    private async Task<(WorkflowExecutionStatus, string?)> CurrentAsync(string id)
    {
        var described = await Client.GetWorkflowHandle(id).DescribeAsync();
        return (described.Status, described.RunId);
    }
}
