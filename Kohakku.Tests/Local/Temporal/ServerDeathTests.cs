using System.Collections.Concurrent;
using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>The server is killed at the worst of times and started again; nothing that it ever answered for is lost.</summary>
public sealed class ServerDeathTests(TemporalServerFixture server) : TemporalTest(server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact(Timeout = 2 * Limit)]
    public async Task Fifty_runs_in_the_middle_all_end_right()
    {
        StartWorker();
        var handles = await Task.WhenAll(Enumerable.Range(0, 50).Select(index => Client.StartWorkflowAsync(
            (JourneyWorkflow workflow) => workflow.RunAsync($"run-{index}", 200 * (index % 10)), Options())));
        for (var death = 1; death <= 2; death++)
        {
            // The first activities are on their way, the first timers have fired, the first children run.
            await Eventually.Async(() => Activities.Begun.Count >= 30 * death, Patience, "the runs are on their way");
            await Server.KillAsync();
            await Server.StartAgainAsync();
        }
        for (var index = 0; index < handles.Length; index++)
        {
            var result = await Client.GetWorkflowHandle<JourneyWorkflow, string>(handles[index].Id).GetResultAsync().WaitAsync(Patience, Cancellation);
            Assert.Equal($"run-{index}-first run-{index}-child run-{index}-last", result);
            Assert.Equal(EventType.WorkflowExecutionCompleted, (await EventTypesAsync(handles[index]))[^1]);
        }
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task Whatever_was_answered_is_there_afterwards()
    {
        var started = new ConcurrentBag<WorkflowHandle<ListWorkflow, List<string>>>();
        var signalled = new ConcurrentDictionary<string, int>();
        var starting = Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                while (true)
                {
                    var handle = await Client.StartWorkflowAsync(
                        (ListWorkflow workflow) => workflow.RunAsync(), Options(options => options.Rpc = new() { Retry = false }));
                    started.Add(handle);
                    await handle.SignalAsync(workflow => workflow.PushAsync("item"), new() { Rpc = new() { Retry = false } });
                    signalled[handle.Id] = 1;
                }
            }
            catch (RpcException)
            {
                // The server is gone.
            }
        }));
        await Eventually.Async(() => signalled.Count >= 20);
        await Server.KillAsync();
        await starting;
        await Server.StartAgainAsync();
        StartWorker();
        foreach (var handle in started)
        {
            await handle.SignalAsync(workflow => workflow.FinishAsync());
            var items = await handle.GetResultAsync().WaitAsync(Patience, Cancellation);
            // A signal that was not answered may have been taken all the same.
            Assert.InRange(items.Count, signalled.GetValueOrDefault(handle.Id), 1);
        }
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task An_id_whose_run_had_ended_before_is_no_new_one_afterwards()
    {
        StartWorker();
        var ended = await Task.WhenAll(Enumerable.Range(0, 10).Select(async index =>
        {
            var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync($"{index}"), Options());
            await handle.GetResultAsync();
            return handle;
        }));
        await Server.KillAsync();
        await Server.StartAgainAsync();
        // All at once with others that are new, whose writes are not refused with theirs.
        var fresh = Enumerable.Range(0, 10).Select(_ => Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("fresh"), Options())).ToList();
        await Task.WhenAll(ended.Select(async (handle, index) =>
        {
            if (index % 2 == 0)
            {
                var again = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("again"), Options(options => options.Id = handle.Id));
                Assert.NotEqual(handle.ResultRunId, again.ResultRunId);
                Assert.Equal("again", await again.GetResultAsync().WaitAsync(Patience, Cancellation));
                return;
            }
            var refused = await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => Client.StartWorkflowAsync(
                (EchoWorkflow workflow) => workflow.RunAsync("again"),
                Options(options => (options.Id, options.IdReusePolicy) = (handle.Id, WorkflowIdReusePolicy.RejectDuplicate))));
            Assert.Equal(handle.ResultRunId, refused.RunId);
        }));
        foreach (var handle in await Task.WhenAll(fresh)) Assert.Equal("fresh", await handle.GetResultAsync().WaitAsync(Patience, Cancellation));
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task A_timer_that_was_due_meanwhile_fires()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((TimersWorkflow workflow) => workflow.RunAsync(2, 1000), Options());
        await HasEventAsync(handle, EventType.TimerStarted);
        await Server.KillAsync();
        await Server.StartAgainAsync();
        Assert.Equal(2, await handle.GetResultAsync().WaitAsync(Patience, Cancellation));
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task An_activity_that_ran_meanwhile_completes()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(new ActivityCall("Hold", "held")), Options());
        await Eventually.Async(() => !Activities.Begun.IsEmpty);
        await Server.KillAsync();
        await Server.StartAgainAsync();
        Activities.Release();
        Assert.Equal("held", await handle.GetResultAsync().WaitAsync(Patience, Cancellation));
        Assert.Equal([("Hold", 1)], Activities.Begun);
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task An_update_that_was_accepted_completes()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.StartUpdateAsync(workflow => workflow.AddWhenReleasedAsync("held"), new("the-update", WorkflowUpdateStage.Accepted));
        await Server.KillAsync();
        await Server.StartAgainAsync();
        await handle.SignalAsync(workflow => workflow.ReleaseAsync());
        Assert.Equal(1, await handle.GetUpdateHandle<int>("the-update").GetResultAsync().WaitAsync(Patience, Cancellation));
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task A_worker_killed_with_the_server_is_done_without()
    {
        var handle = await Client.StartWorkflowAsync(
            (EchoWorkflow workflow) => workflow.RunAsync("taken over"), Options(options => options.TaskTimeout = TimeSpan.FromSeconds(2)));
        await new RawWorker(Client, TaskQueue).TakeWorkflowTaskAsync(Cancellation);
        await Server.KillAsync();
        await Server.StartAgainAsync();
        StartWorker();
        Assert.Equal("taken over", await handle.GetResultAsync().WaitAsync(Patience, Cancellation));
    }

    [Fact(Timeout = 2 * Limit)]
    public async Task Who_waits_for_a_result_gets_it_from_the_server_that_comes_after()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var page = Client.WorkflowService.GetWorkflowExecutionHistoryAsync(
            new()
            {
                Namespace = TemporalServerFixture.Namespace, Execution = new() { WorkflowId = handle.Id }, WaitNewEvent = true,
                HistoryEventFilterType = HistoryEventFilterType.CloseEvent,
            },
            new() { Retry = false });
        await Server.KillAsync();
        await Assert.ThrowsAsync<RpcException>(() => page);
        await Server.StartAgainAsync();
        var result = handle.GetResultAsync();
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.Empty(await result.WaitAsync(Patience, Cancellation));
    }
}
