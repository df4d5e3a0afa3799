using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class UpdateTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task An_update_answers_what_its_handler_answers()
    {
        StartWorker();
        var handle = await StartAsync();
        Assert.Equal(1, await handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("one")));
        Assert.Equal(2, await handle.ExecuteUpdateAsync(workflow => workflow.AddByActivityAsync("two")));
        await FinishesWithAsync(handle, "one", "two");
        var types = await EventTypesAsync(handle);
        Assert.Equal(2, types.Count(type => type == EventType.WorkflowExecutionUpdateAccepted));
        Assert.Equal(2, types.Count(type => type == EventType.WorkflowExecutionUpdateCompleted));
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_that_is_rejected_leaves_no_trace()
    {
        StartWorker();
        var handle = await StartAsync();
        await handle.QueryAsync(workflow => workflow.Items());
        var before = await EventTypesAsync(handle);
        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("")));
        Assert.Equal("Empty", Assert.IsType<ApplicationFailureException>(rejected.InnerException).ErrorType);
        Assert.Equal(before, await EventTypesAsync(handle));
        Assert.Equal(1, await handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("one")));
        await FinishesWithAsync(handle, "one");
    }

    [Fact(Timeout = Limit)]
    public async Task Who_waits_until_an_update_is_accepted_hears_at_once_that_it_is_rejected()
    {
        StartWorker();
        var handle = await StartAsync();
        for (var i = 0; i < 100; i++)
        {
            var answer = await Client.WorkflowService.UpdateWorkflowExecutionAsync(new()
            {
                Namespace = TemporalServerFixture.Namespace,
                WorkflowExecution = new() { WorkflowId = handle.Id },
                WaitPolicy = new() { LifecycleStage = UpdateWorkflowExecutionLifecycleStage.Accepted },
                Request = new() { Meta = new() { UpdateId = $"rejected-{i}" }, Input = new() { Name = "Add", Args = new() { Payloads_ = { RawWorker.Json("") } } } },
            });
            Assert.Equal(UpdateWorkflowExecutionLifecycleStage.Completed, answer.Stage);
            Assert.Equal("Empty", answer.Outcome.Failure.ApplicationFailureInfo.Type);
        }
        await FinishesWithAsync(handle);
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_that_fails_says_why_and_the_run_goes_on()
    {
        StartWorker();
        var handle = await StartAsync();
        var failed = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(workflow => workflow.FailAsync("as asked")));
        Assert.Equal("as asked", Assert.IsType<ApplicationFailureException>(failed.InnerException).Message);
        await FinishesWithAsync(handle);
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_may_be_left_when_it_is_accepted_and_come_back_to()
    {
        StartWorker();
        var handle = await StartAsync();
        var update = await handle.StartUpdateAsync(
            workflow => workflow.AddWhenReleasedAsync("held"), new("the-update", WorkflowUpdateStage.Accepted));
        Assert.Contains(EventType.WorkflowExecutionUpdateAccepted, await EventTypesAsync(handle));
        Assert.DoesNotContain(EventType.WorkflowExecutionUpdateCompleted, await EventTypesAsync(handle));
        var waiting = handle.GetUpdateHandle<int>("the-update").GetResultAsync();
        await handle.SignalAsync(workflow => workflow.ReleaseAsync());
        Assert.Equal((1, 1), (await update.GetResultAsync(), await waiting));
        await FinishesWithAsync(handle, "held");
        // After its end, too.
        Assert.Equal(1, await handle.GetUpdateHandle<int>("the-update").GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_of_the_same_id_is_the_same_update()
    {
        StartWorker();
        var handle = await StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(index => handle.ExecuteUpdateAsync(
            workflow => workflow.AddByActivityAsync($"{index}"), new() { Id = "the-update" })));
        Assert.All(answers, answer => Assert.Equal(1, answer));
        Assert.Equal(1, await handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("another"), new() { Id = "the-update" }));
        Assert.Single(await handle.QueryAsync(workflow => workflow.Items()));
        Assert.Single(await EventTypesAsync(handle), EventType.WorkflowExecutionUpdateAccepted);
    }

    [Fact(Timeout = Limit)]
    public async Task Updates_at_once_are_all_made()
    {
        StartWorker();
        var handle = await StartAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            index => handle.ExecuteUpdateAsync(workflow => workflow.AddByActivityAsync($"{index}"))));
        Assert.Equal(Enumerable.Range(1, 8), answers.Order());
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_waits_for_a_worker()
    {
        var handle = await StartAsync();
        var update = handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("early"));
        StartWorker();
        Assert.Equal(1, await update);
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_does_not_wait_for_a_start_delay()
    {
        StartWorker();
        var options = Options(options => options.StartDelay = TimeSpan.FromDays(1));
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), options);
        Assert.Equal(1, await handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("early")));
        await FinishesWithAsync(handle, "early");
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_in_the_middle_outlives_its_worker()
    {
        var first = StartWorker();
        var handle = await StartAsync();
        var update = await handle.StartUpdateAsync(workflow => workflow.AddWhenReleasedAsync("held"), new(WorkflowUpdateStage.Accepted));
        await first.StopAsync();
        var result = update.GetResultAsync();
        StartWorker();
        await handle.SignalAsync(workflow => workflow.ReleaseAsync());
        Assert.Equal(1, await result);
        Assert.Single(await EventTypesAsync(handle), EventType.WorkflowExecutionUpdateAccepted);
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_has_ended_is_not_updated()
    {
        StartWorker();
        var handle = await StartAsync();
        await FinishesWithAsync(handle);
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.ExecuteUpdateAsync(workflow => workflow.AddAsync("late")));
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_that_the_end_of_its_run_cuts_off_fails()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((HastyWorkflow workflow) => workflow.RunAsync(), Options());
        var update = await handle.StartUpdateAsync(workflow => workflow.NeverEndAsync(), new(WorkflowUpdateStage.Accepted));
        var result = update.GetResultAsync();
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await handle.GetResultAsync();
        await Assert.ThrowsAnyAsync<TemporalException>(() => result.WaitAsync(TimeSpan.FromMinutes(1), Cancellation));
    }

    [Fact(Timeout = Limit)]
    public async Task An_update_that_is_unknown_is_not_found()
    {
        StartWorker();
        var handle = await StartAsync();
        await FailsAsync(RpcException.StatusCode.NotFound, () => handle.GetUpdateHandle<int>("no-such-update").GetResultAsync());
        await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync("NoSuchUpdate", ["x"]));
    }

    private Task<WorkflowHandle<ListWorkflow, List<string>>> StartAsync() =>
        Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());

    private static async Task FinishesWithAsync(WorkflowHandle<ListWorkflow, List<string>> handle, params string[] items)
    {
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Equal(items, await handle.GetResultAsync());
    }
}
