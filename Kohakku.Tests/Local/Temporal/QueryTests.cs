using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class QueryTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_query_sees_every_signal_that_was_sent_before_it()
    {
        StartWorker();
        var handle = await StartAsync();
        for (var count = 1; count <= 20; count++)
        {
            await handle.SignalAsync(workflow => workflow.PushAsync("item"));
            Assert.Equal(count, (await handle.QueryAsync(workflow => workflow.Items())).Count);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_query_leaves_no_trace()
    {
        StartWorker();
        var handle = await StartAsync();
        await handle.QueryAsync(workflow => workflow.Items());
        var before = await EventTypesAsync(handle);
        for (var time = 0; time < 5; time++) await handle.QueryAsync(workflow => workflow.Items());
        Assert.Equal(before, await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task Many_queries_at_once_are_all_answered()
    {
        StartWorker();
        var handle = await StartAsync();
        await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => handle.QueryAsync(workflow => workflow.Items())));
        Assert.All(answers, answer => Assert.Equal(["item"], answer));
    }

    [Fact(Timeout = Limit)]
    public async Task A_worker_that_does_not_know_the_run_answers_from_its_history()
    {
        var first = StartWorker();
        var handle = await StartAsync();
        await handle.SignalAsync(workflow => workflow.PushAsync("one"));
        Assert.Equal(["one"], await handle.QueryAsync(workflow => workflow.Items()));
        await first.StopAsync();
        StartWorker(options => options.MaxCachedWorkflows = 0);
        Assert.Equal(["one"], await handle.QueryAsync(workflow => workflow.Items()));
        await handle.SignalAsync(workflow => workflow.PushAsync("two"));
        Assert.Equal(["one", "two"], await handle.QueryAsync(workflow => workflow.Items()));
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_has_ended_is_queried_still_unless_that_is_not_wanted()
    {
        StartWorker();
        var handle = await StartAsync();
        await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await handle.GetResultAsync();
        Assert.Equal(["item"], await handle.QueryAsync(workflow => workflow.Items()));
        var rejected = await Assert.ThrowsAsync<WorkflowQueryRejectedException>(
            () => handle.QueryAsync(workflow => workflow.Items(), new() { RejectCondition = QueryRejectCondition.NotOpen }));
        Assert.Equal(WorkflowExecutionStatus.Completed, rejected.WorkflowStatus);
    }

    [Fact(Timeout = Limit)]
    public async Task A_terminated_run_is_queried_still()
    {
        StartWorker();
        var handle = await StartAsync();
        await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        await handle.QueryAsync(workflow => workflow.Items());
        await handle.TerminateAsync();
        Assert.Equal(["item"], await handle.QueryAsync(workflow => workflow.Items()));
        await Assert.ThrowsAsync<WorkflowQueryRejectedException>(
            () => handle.QueryAsync(workflow => workflow.Items(), new() { RejectCondition = QueryRejectCondition.NotCompletedCleanly }));
    }

    [Fact(Timeout = Limit)]
    public async Task A_query_that_fails_or_is_unknown_says_so_and_harms_nothing()
    {
        StartWorker();
        var handle = await StartAsync();
        var broken = await Assert.ThrowsAsync<WorkflowQueryFailedException>(() => handle.QueryAsync(workflow => workflow.Broken()));
        Assert.Contains("the query is broken", broken.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<WorkflowQueryFailedException>(() => handle.QueryAsync<string>("NoSuchQuery", []));
        Assert.Empty(await handle.QueryAsync(workflow => workflow.Items()));
    }

    [Fact(Timeout = Limit)]
    public async Task A_query_before_the_first_task_waits_for_it()
    {
        var handle = await StartAsync();
        await handle.SignalAsync(workflow => workflow.PushAsync("early"));
        var answer = handle.QueryAsync(workflow => workflow.Items());
        StartWorker();
        Assert.Equal(["early"], await answer);
    }

    [Fact(Timeout = Limit)]
    public async Task A_query_that_no_worker_answers_fails_by_its_deadline()
    {
        var handle = await StartAsync();
        var failed = await Assert.ThrowsAsync<RpcException>(() => handle.QueryAsync(
            workflow => workflow.Items(), new() { Rpc = new() { Timeout = TimeSpan.FromSeconds(2), Retry = false } }));
        // The last says that no worker asked for tasks lately.
        Assert.True(
            failed.Code is RpcException.StatusCode.DeadlineExceeded or RpcException.StatusCode.Cancelled or RpcException.StatusCode.FailedPrecondition,
            $"{failed.Code}");
        StartWorker();
        Assert.Empty(await handle.QueryAsync(workflow => workflow.Items()));
    }

    private Task<WorkflowHandle<ListWorkflow, List<string>>> StartAsync() =>
        Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
}
