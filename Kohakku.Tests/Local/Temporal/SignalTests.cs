using Kohakku.Tests.Fixtures;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class SignalTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task Signals_arrive_in_their_order()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var items = Enumerable.Range(0, 30).Select(index => $"{index}").ToList();
        foreach (var item in items) await handle.SignalAsync(workflow => workflow.PushAsync(item));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(items, await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Signals_wait_for_a_worker()
    {
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.SignalAsync(workflow => workflow.PushAsync("early"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        // One task is for all of them.
        Assert.Single(await EventTypesAsync(handle), EventType.WorkflowTaskScheduled);
        StartWorker();
        Assert.Equal(["early"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Five_hundred_signals_at_once_all_arrive()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 25, CancellationToken = Cancellation };
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 500), parallel, async (index, _) => await handle.SignalAsync(workflow => workflow.PushAsync($"{index}")));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(Enumerable.Range(0, 500), (await handle.GetResultAsync()).Select(int.Parse).Order());
        Assert.Equal(501, (await EventTypesAsync(handle)).Count(type => type == EventType.WorkflowExecutionSignaled));
    }

    [Fact(Timeout = Limit)]
    public async Task A_signal_whose_request_comes_again_is_one()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var request = new SignalWorkflowExecutionRequest
        {
            Namespace = TemporalServerFixture.Namespace,
            WorkflowExecution = new() { WorkflowId = handle.Id },
            SignalName = "Push",
            Input = new Payloads { Payloads_ = { RawWorker.Json("once") } },
            RequestId = "the request",
        };
        for (var time = 0; time < 3; time++) await Client.WorkflowService.SignalWorkflowExecutionAsync(request);
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["once"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_signal_that_nobody_handles_harms_nothing()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.SignalAsync("NobodyHandlesThis", ["x"]);
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Empty(await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_has_ended_is_not_signalled()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await handle.GetResultAsync();
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.SignalAsync(workflow => workflow.PushAsync("late")));
        await FailsAsync(
            RpcException.StatusCode.NotFound,
            () => Client.GetWorkflowHandle<ListWorkflow>(handle.Id, handle.ResultRunId).SignalAsync(workflow => workflow.PushAsync("late")));
    }

    [Fact(Timeout = Limit)]
    public async Task Signal_with_start_starts_what_does_not_run_and_signals_each_time()
    {
        StartWorker();
        var options = Options();
        async Task<WorkflowHandle<ListWorkflow, List<string>>> PushAsync(string item)
        {
            options.SignalWithStart((ListWorkflow workflow) => workflow.PushAsync(item));
            return await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options);
        }
        var first = await PushAsync("one");
        var second = await PushAsync("two");
        Assert.Equal(first.ResultRunId, second.ResultRunId);
        await first.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["one", "two"], await first.GetResultAsync());
        // The signal is there before the first task.
        Assert.Equal(EventType.WorkflowExecutionSignaled, (await EventTypesAsync(first))[1]);

        var third = await PushAsync("three");
        Assert.NotEqual(first.ResultRunId, third.ResultRunId);
        await third.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(["three"], await third.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Signal_with_start_of_many_at_once_starts_one_run()
    {
        StartWorker();
        var id = Options().Id!;
        var handles = await Task.WhenAll(Enumerable.Range(0, 10).Select(index =>
        {
            var options = new WorkflowOptions(id, TaskQueue);
            options.SignalWithStart((ListWorkflow workflow) => workflow.PushAsync($"{index}"));
            return Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options);
        }));
        Assert.Single(handles.Select(handle => handle.ResultRunId).Distinct());
        await handles[0].SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(10, (await handles[0].GetResultAsync()).Distinct().Count());
    }

    [Fact(Timeout = Limit)]
    public async Task Signal_with_start_obeys_the_reuse_policy()
    {
        StartWorker();
        var options = Options(options => options.IdReusePolicy = WorkflowIdReusePolicy.RejectDuplicate);
        options.SignalWithStart((ListWorkflow workflow) => workflow.FinishAsync());
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options);
        await handle.GetResultAsync();
        await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options));
    }
}
