using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class RetryAndCronTests(TemporalServerFixture server) : TemporalTest(server)
{
    private static readonly RetryPolicy Fast = new() { InitialInterval = TimeSpan.FromMilliseconds(50), BackoffCoefficient = 1 };

    [Fact(Timeout = Limit)]
    public async Task A_failed_run_is_followed_by_another_until_one_succeeds()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync(
            (AttemptsWorkflow workflow) => workflow.RunAsync(3, "Again"), Options(options => options.RetryPolicy = Fast));
        Assert.Equal(3, await handle.GetResultAsync());
        var first = await EventsAsync(Client.GetWorkflowHandle(handle.Id, handle.ResultRunId));
        var failed = first[^1].WorkflowExecutionFailedEventAttributes;
        Assert.Equal(RetryState.InProgress, failed.RetryState);
        var second = (await EventsAsync(Client.GetWorkflowHandle(handle.Id, failed.NewExecutionRunId)))[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal((2, handle.ResultRunId, handle.ResultRunId), (second.Attempt, second.ContinuedExecutionRunId, second.FirstExecutionRunId));
        Assert.Equal(ContinueAsNewInitiator.Retry, second.Initiator);
        Assert.Equal("attempt 1", second.ContinuedFailure.Message);
        Assert.Equal("attempt 1", failed.Failure.Message);
    }

    [Fact(Timeout = Limit)]
    public async Task The_last_attempt_that_may_be_made_is_the_last()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync(
            (AttemptsWorkflow workflow) => workflow.RunAsync(10, "Again"),
            Options(options => options.RetryPolicy = Fast with { MaximumAttempts = 2 }));
        Assert.Equal("attempt 2", (await FailsWithAsync<ApplicationFailureException>(handle)).Message);
        var last = (await EventsAsync(Client.GetWorkflowHandle(handle.Id)))[^1].WorkflowExecutionFailedEventAttributes;
        Assert.Equal((RetryState.MaximumAttemptsReached, ""), (last.RetryState, last.NewExecutionRunId));
    }

    [Fact(Timeout = Limit)]
    public async Task A_failure_of_a_type_that_is_not_retried_ends_it()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync(
            (AttemptsWorkflow workflow) => workflow.RunAsync(10, "Never"),
            Options(options => options.RetryPolicy = Fast with { NonRetryableErrorTypes = ["Never"] }));
        Assert.Equal("attempt 1", (await FailsWithAsync<ApplicationFailureException>(handle)).Message);
        Assert.Equal(RetryState.NonRetryableFailure, (await EventsAsync(handle))[^1].WorkflowExecutionFailedEventAttributes.RetryState);
    }

    [Fact(Timeout = Limit)]
    public async Task A_signal_that_comes_between_two_attempts_reaches_the_next()
    {
        var handle = await Client.StartWorkflowAsync(
            (AttemptsWorkflow workflow) => workflow.RunAsync(2, "Again"),
            Options(options => options.RetryPolicy = Fast with { InitialInterval = TimeSpan.FromSeconds(5) }));
        StartWorker();
        await HasEventAsync(Client.GetWorkflowHandle(handle.Id, handle.ResultRunId), EventType.WorkflowExecutionFailed);
        await Client.GetWorkflowHandle(handle.Id).SignalAsync("Unknown", ["x"]);
        Assert.Equal(2, await handle.GetResultAsync());
        Assert.Contains(EventType.WorkflowExecutionSignaled, await EventTypesAsync(Client.GetWorkflowHandle(handle.Id)));
    }

    [Fact(Timeout = Limit)]
    public async Task A_cron_schedule_runs_it_again_and_hands_the_last_result_on()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync(
            (CountingWorkflow workflow) => workflow.RunAsync(), Options(options => options.CronSchedule = "@every 1s"));
        var current = Client.GetWorkflowHandle(handle.Id);
        await Eventually.Async(async () => await ResultsAsync(handle.Id) is { Count: >= 3 }, TimeSpan.FromMinutes(1), "three runs completed");
        await current.TerminateAsync("enough");
        Assert.Equal([1, 2, 3], (await ResultsAsync(handle.Id)).Take(3));
        Assert.Equal(WorkflowExecutionStatus.Terminated, (await current.DescribeAsync()).Status);
        var started = (await EventsAsync(current))[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal(("@every 1s", ContinueAsNewInitiator.CronSchedule), (started.CronSchedule, started.Initiator));
        Assert.True(started.FirstWorkflowTaskBackoff.ToTimeSpan() > TimeSpan.Zero);
    }

    [Fact(Timeout = Limit)]
    public async Task A_cron_schedule_that_makes_no_sense_is_refused() =>
        await FailsAsync(RpcException.StatusCode.InvalidArgument, () => Client.StartWorkflowAsync(
            (CountingWorkflow workflow) => workflow.RunAsync(), Options(options => options.CronSchedule = "every now and then")));

    /// <summary>What the runs answered, oldest first.</summary>
    private async Task<List<int>> ResultsAsync(string id)
    {
        var results = new List<int>();
        await foreach (var run in Client.ListWorkflowsAsync($"WorkflowId = '{id}'"))
        {
            var last = (await EventsAsync(Client.GetWorkflowHandle(id, run.RunId)))[^1];
            var result = last.WorkflowExecutionCompletedEventAttributes?.Result ?? last.WorkflowExecutionContinuedAsNewEventAttributes?.LastCompletionResult;
            if (result is not null) results.Add(int.Parse(RawWorker.Text(result), System.Globalization.CultureInfo.InvariantCulture));
        }
        results.Sort();
        return results;
    }
}
