using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class StartOptionTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_memo_is_kept_with_the_run()
    {
        var options = Options(options => options.Memo = new Dictionary<string, object> { ["text"] = "kept", ["number"] = 7 });
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        var memo = (await handle.DescribeAsync()).Memo;
        Assert.Equal("kept", await memo["text"].ToValueAsync<string>());
        Assert.Equal(7, await memo["number"].ToValueAsync<int>());
    }

    [Fact(Timeout = Limit)]
    public async Task A_start_delay_holds_the_first_task_back()
    {
        StartWorker();
        var late = await Client.StartWorkflowAsync(
            (EchoWorkflow workflow) => workflow.RunAsync("late"), Options(options => options.StartDelay = TimeSpan.FromHours(1)));
        var delayed = await Client.StartWorkflowAsync(
            (EchoWorkflow workflow) => workflow.RunAsync("delayed"), Options(options => options.StartDelay = TimeSpan.FromSeconds(1)));
        Assert.Equal("delayed", await delayed.GetResultAsync());
        var events = await EventsAsync(delayed);
        Assert.Equal(TimeSpan.FromSeconds(1), events[0].WorkflowExecutionStartedEventAttributes.FirstWorkflowTaskBackoff.ToTimeSpan());
        Assert.True(events[1].EventTime.ToDateTime() - events[0].EventTime.ToDateTime() >= TimeSpan.FromSeconds(1));
        // The worker was there all the time, and began first what started later.
        Assert.Equal([EventType.WorkflowExecutionStarted], await EventTypesAsync(late));
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_takes_longer_than_it_may_times_out()
    {
        StartWorker();
        var options = Options(options => options.RunTimeout = TimeSpan.FromSeconds(1));
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        Assert.Equal(TimeoutType.StartToClose, (await FailsWithAsync<TimeoutFailureException>(handle)).TimeoutType);
        Assert.Equal(WorkflowExecutionStatus.TimedOut, (await handle.DescribeAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task A_run_that_no_worker_ever_took_times_out_as_well()
    {
        var options = Options(options => options.ExecutionTimeout = TimeSpan.FromSeconds(1));
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), options);
        await FailsWithAsync<TimeoutFailureException>(handle);
    }

    [Fact(Timeout = Limit)]
    public async Task The_execution_timeout_is_for_all_runs_together()
    {
        StartWorker();
        var options = Options(options =>
        {
            options.ExecutionTimeout = TimeSpan.FromSeconds(5);
            options.RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(100), BackoffCoefficient = 1 };
        });
        var handle = await Client.StartWorkflowAsync((AttemptsWorkflow workflow) => workflow.RunAsync(int.MaxValue, "again"), options);
        var failure = (await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync())).InnerException;
        // The last attempt is either cut short or the last that there was time for.
        Assert.True(failure is TimeoutFailureException or ApplicationFailureException, $"{failure}");
        Assert.True(await Client.ListWorkflowsAsync($"WorkflowId = '{options.Id}'").CountAsync(Cancellation) > 2);
        Assert.NotEqual(WorkflowExecutionStatus.Running, (await Client.GetWorkflowHandle(options.Id!).DescribeAsync()).Status);
    }

    [Fact(Timeout = Limit)]
    public async Task What_was_asked_for_is_told_by_the_first_event()
    {
        var options = Options(options =>
        {
            options.ExecutionTimeout = TimeSpan.FromHours(3);
            options.RunTimeout = TimeSpan.FromHours(2);
            options.TaskTimeout = TimeSpan.FromSeconds(7);
            options.RetryPolicy = new() { MaximumAttempts = 5, NonRetryableErrorTypes = ["Never"] };
            options.StaticSummary = "a summary";
        });
        var handle = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("asked"), options);
        var started = (await EventsAsync(handle))[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal(("EchoWorkflow", TaskQueue, 1), (started.WorkflowType.Name, started.TaskQueue.Name, started.Attempt));
        Assert.Equal(
            (TimeSpan.FromHours(3), TimeSpan.FromHours(2), TimeSpan.FromSeconds(7)),
            (started.WorkflowExecutionTimeout.ToTimeSpan(), started.WorkflowRunTimeout.ToTimeSpan(), started.WorkflowTaskTimeout.ToTimeSpan()));
        Assert.Equal((5, "Never"), (started.RetryPolicy.MaximumAttempts, Assert.Single(started.RetryPolicy.NonRetryableErrorTypes)));
        Assert.Equal((handle.ResultRunId, handle.ResultRunId), (started.FirstExecutionRunId, started.OriginalExecutionRunId));
        Assert.Equal("\"asked\"", RawWorker.Text(started.Input));
        Assert.Equal("a summary", await (await handle.DescribeAsync()).GetStaticSummaryAsync());
    }
}
