using System.Diagnostics;
using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;

namespace Kohakku.Tests.Local.Temporal;

public sealed class WorkerTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task Two_workers_share_the_load()
    {
        var others = new TestActivities { Other = Activities };
        Activities.Other = others;
        StartWorker(options => options.MaxConcurrentActivities = 1);
        StartWorker(options => options.MaxConcurrentActivities = 1, others, await Server.ConnectAsync());
        // Neither ends its first activity before the other has one, too.
        Assert.Equal(20, await Client.ExecuteWorkflowAsync((ParallelWorkflow workflow) => workflow.RunAsync("Meet", 20), Options()));
        Assert.True(!Activities.Begun.IsEmpty && !others.Begun.IsEmpty);
        Assert.Equal(20, Activities.Begun.Count + others.Begun.Count);
    }

    [Fact(Timeout = Limit)]
    public async Task A_worker_that_waits_for_tasks_stops_quickly()
    {
        var worker = StartWorker();
        await Client.ExecuteWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(new ActivityCall("Echo", "x")), Options());
        var started = Stopwatch.GetTimestamp();
        await worker.StopAsync();
        // Its polls end; else it would wait for them, which is a minute.
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(45));
    }

    [Fact(Timeout = Limit)]
    public async Task Runs_go_from_worker_to_worker_without_losing_anything()
    {
        var handles = new List<WorkflowHandle<ListWorkflow, List<string>>>();
        for (var index = 0; index < 5; index++) handles.Add(await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options()));
        for (var round = 0; round < 4; round++)
        {
            var worker = StartWorker();
            foreach (var handle in handles) await handle.ExecuteUpdateAsync(workflow => workflow.AddByActivityAsync($"{round}"));
            await worker.StopAsync();
        }
        StartWorker();
        foreach (var handle in handles)
        {
            await handle.SignalAsync(workflow => workflow.FinishAsync());
            Assert.Equal(["0", "1", "2", "3"], await handle.GetResultAsync());
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_hundred_runs_at_once_all_end_right()
    {
        StartWorker();
        StartWorker(client: await Server.ConnectAsync());
        var names = Enumerable.Range(0, 100).Select(index => $"run-{index}").ToList();
        var results = await Task.WhenAll(names.Select(
            name => Client.ExecuteWorkflowAsync((JourneyWorkflow workflow) => workflow.RunAsync(name, 100), Options())));
        Assert.Equal(names.Select(name => $"{name}-first {name}-child {name}-last"), results);
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_whose_worker_was_killed_is_tried_again_when_its_time_is_over()
    {
        var handle = await KilledInTheMiddleAsync(new("Flaky", "2") { StartToCloseMilliseconds = 1000 }, heartbeat: false);
        Assert.Equal("attempt 2", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_whose_worker_was_killed_is_tried_again_when_it_is_silent_for_too_long()
    {
        var handle = await KilledInTheMiddleAsync(new("FallSilent", "x") { HeartbeatMilliseconds = 1000 }, heartbeat: true);
        Assert.Equal("said before", await handle.GetResultAsync());
        Assert.Equal([("FallSilent", 2)], Activities.Begun);
    }

    /// <summary>Its first attempt is with a worker that is never heard of again.</summary>
    private async Task<WorkflowHandle<ActivityWorkflow, string>> KilledInTheMiddleAsync(ActivityCall call, bool heartbeat)
    {
        var onlyWorkflows = StartWorker(options => options.LocalActivityWorkerOnly = true);
        var handle = await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(call), Options());
        var taken = await new RawWorker(Client, TaskQueue).TakeActivityTaskAsync(Cancellation);
        Assert.Equal(1, taken.Attempt);
        if (heartbeat)
        {
            await Client.WorkflowService.RecordActivityTaskHeartbeatAsync(new()
            {
                Namespace = TemporalServerFixture.Namespace, TaskToken = taken.TaskToken, Details = new() { Payloads_ = { RawWorker.Json("said before") } },
            });
        }
        await onlyWorkflows.StopAsync();
        StartWorker();
        return handle;
    }
}
