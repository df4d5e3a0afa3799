using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ContinueAsNewTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task Each_run_has_the_input_of_the_last_and_the_memo_of_the_first()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync(
            (CountdownWorkflow workflow) => workflow.RunAsync(new Countdown(3, "kept")),
            Options(options => options.Memo = new Dictionary<string, object> { ["memo"] = "of the first" }));
        var result = await handle.GetResultAsync();
        Assert.Equal(("kept", "of the first", handle.ResultRunId), (result.Kept, result.Memo, result.FirstRunId));

        // From run to run, as the histories tell.
        var runId = handle.ResultRunId!;
        for (var left = 3; left > 0; left--)
        {
            var events = await EventsAsync(Client.GetWorkflowHandle(handle.Id, runId));
            var continued = events[^1].WorkflowExecutionContinuedAsNewEventAttributes;
            Assert.Equal(ContinueAsNewInitiator.Workflow, continued.Initiator);
            var next = (await EventsAsync(Client.GetWorkflowHandle(handle.Id, continued.NewExecutionRunId)))[0].WorkflowExecutionStartedEventAttributes;
            Assert.Equal((runId, handle.ResultRunId, 1), (next.ContinuedExecutionRunId, next.FirstExecutionRunId, next.Attempt));
            runId = continued.NewExecutionRunId;
        }
        Assert.Equal(runId, (await Client.GetWorkflowHandle(handle.Id).DescribeAsync()).RunId);
        Assert.Equal(4, await Client.ListWorkflowsAsync($"WorkflowId = '{handle.Id}'").CountAsync(Cancellation));
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_answers_for_itself_where_its_successors_are_not_followed()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((CountdownWorkflow workflow) => workflow.RunAsync(new Countdown(1, "kept")), Options());
        await handle.GetResultAsync();
        await Assert.ThrowsAsync<Temporalio.Exceptions.WorkflowContinuedAsNewException>(() => handle.GetResultAsync(followRuns: false));
    }

    [Fact(Timeout = Limit)]
    public async Task No_signal_is_lost_between_two_runs()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((RelayWorkflow workflow) => workflow.RunAsync(new List<string>(), 5), Options());
        var current = Client.GetWorkflowHandle<RelayWorkflow, List<string>>(handle.Id);
        var items = Enumerable.Range(0, 60).Select(index => $"{index}").ToList();
        foreach (var item in items) await current.SignalAsync(workflow => workflow.PushAsync(item));
        // As long as signals come in, the end of a run may be put off; when none do it has come.
        await Eventually.Async(async () => (await current.DescribeAsync()).RunId != handle.ResultRunId, what: "another run");
        await current.SignalAsync(workflow => workflow.PushAsync("end"));
        Assert.Equal([.. items, "end"], await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_child_that_continues_answers_its_parent_at_its_end()
    {
        StartWorker();
        var child = new ChildCall("RelayingChildWorkflow", $"child-{Guid.NewGuid():N}", "3");
        Assert.Equal("after 3", await Client.ExecuteWorkflowAsync((ParentWorkflow workflow) => workflow.RunAsync(child), Options()));
        Assert.Equal(4, await Client.ListWorkflowsAsync($"WorkflowId = '{child.Id}'").CountAsync(Cancellation));
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_and_all_that_follow_are_cancelled_by_the_first_one_s_id()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((RelayWorkflow workflow) => workflow.RunAsync(new List<string>(), 1), Options());
        await handle.SignalAsync(workflow => workflow.PushAsync("on"));
        await HasEventAsync(Client.GetWorkflowHandle(handle.Id, handle.ResultRunId), EventType.WorkflowExecutionContinuedAsNew);
        await Client.GetWorkflowHandle(handle.Id, firstExecutionRunId: handle.ResultRunId).CancelAsync();
        await FailsWithAsync<Temporalio.Exceptions.CanceledFailureException>(handle);
    }
}
