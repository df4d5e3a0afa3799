using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class UpdateWithStartTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task It_starts_what_does_not_run_and_updates_what_does()
    {
        StartWorker();
        var id = Options().Id!;
        var first = Operation(id, WorkflowIdConflictPolicy.UseExisting);
        Assert.Equal(1, await AddAsync(first, "one"));
        var second = Operation(id, WorkflowIdConflictPolicy.UseExisting);
        Assert.Equal(2, await AddAsync(second, "two"));
        var handle = await first.GetHandleAsync();
        Assert.Equal(handle.ResultRunId, (await second.GetHandleAsync()).ResultRunId);
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["one", "two"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task It_waits_for_a_worker()
    {
        var operation = Operation(Options().Id!, WorkflowIdConflictPolicy.Fail);
        var update = AddAsync(operation, "early");
        StartWorker();
        Assert.Equal(1, await update);
        Assert.Equal(WorkflowExecutionStatus.Running, (await (await operation.GetHandleAsync()).DescribeAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task An_id_that_runs_is_refused_and_nothing_is_updated()
    {
        StartWorker();
        var options = Options();
        var running = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options);
        await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => AddAsync(Operation(options.Id!, WorkflowIdConflictPolicy.Fail), "refused"));
        Assert.Empty(await running.QueryAsync(workflow => workflow.Items()));
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_that_is_rejected_has_started_its_run_all_the_same()
    {
        StartWorker();
        var operation = Operation(Options().Id!, WorkflowIdConflictPolicy.Fail);
        await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => AddAsync(operation, ""));
        var handle = await operation.GetHandleAsync();
        Assert.Empty(await handle.QueryAsync(workflow => workflow.Items()));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Empty(await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task It_may_be_left_when_it_is_accepted()
    {
        StartWorker();
        var operation = Operation(Options().Id!, WorkflowIdConflictPolicy.Fail);
        var update = await Client.StartUpdateWithStartWorkflowAsync(
            (ListWorkflow workflow) => workflow.AddWhenReleasedAsync("held"), new(operation, WorkflowUpdateStage.Accepted));
        var handle = await operation.GetHandleAsync();
        await handle.SignalAsync(workflow => workflow.ReleaseAsync());
        Assert.Equal(1, await update.GetResultAsync());
    }

    private WithStartWorkflowOperation<WorkflowHandle<ListWorkflow, List<string>>> Operation(string id, WorkflowIdConflictPolicy policy) =>
        WithStartWorkflowOperation.Create((ListWorkflow workflow) => workflow.RunAsync(), new(id, TaskQueue) { IdConflictPolicy = policy });

    private Task<int> AddAsync(WithStartWorkflowOperation operation, string item) =>
        Client.ExecuteUpdateWithStartWorkflowAsync((ListWorkflow workflow) => workflow.AddAsync(item), new(operation));
}
