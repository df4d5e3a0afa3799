using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>Activities that an operator holds back, lets go on, or has begin anew, while a worker has them and while none has.</summary>
public sealed class ActivityOperatorTests(TemporalServerFixture server) : TemporalTest(server)
{
    private const string Elsewhere = "elsewhere";

    // The activity waits in a queue of its own, which the test asks.
    private RawWorker Raw => new(Client, $"{TaskQueue}-{Elsewhere}");

    [Fact(Timeout = Limit)]
    public async Task The_attempt_that_runs_hears_of_a_reset_and_counts_as_the_first()
    {
        var handle = await StartAsync(maximumAttempts: 2);
        await FailAsync(await TakeAsync(attempt: 1));
        var second = await TakeAsync(attempt: 2);
        await ResetAsync(handle);
        Assert.Equal(1, Assert.Single((await DescribeAsync(handle)).PendingActivities).Attempt);
        Assert.Equal((true, false), await BeatAsync(second));
        await FailAsync(second);
        // Of two attempts the one that was reset was the first.
        var last = await TakeAsync(attempt: 2);
        Assert.Equal((false, false), await BeatAsync(last));
        await FailAsync(last);
        var failed = Assert.IsType<ActivityFailureException>((await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync())).InnerException);
        Assert.Equal(RetryState.MaximumAttemptsReached, failed.RetryState);
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_waits_for_its_next_attempt_begins_anew_at_once()
    {
        var handle = await StartAsync(maximumAttempts: 0, retryMilliseconds: 3_600_000);
        await FailAsync(await TakeAsync(attempt: 1));
        await ResetAsync(handle);
        await CompleteAsync(await TakeAsync(attempt: 1));
        Assert.Equal("done", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task One_that_is_paused_while_it_runs_is_told_and_tried_no_more_until_it_may_go_on()
    {
        var handle = await StartAsync(maximumAttempts: 1);
        var first = await TakeAsync(attempt: 1);
        await PauseAsync(handle);
        Assert.Equal((false, true), await BeatAsync(first));
        await ResetAsync(handle);
        Assert.Equal((true, true), await BeatAsync(first));
        await FailAsync(first);
        Assert.Equal(PendingActivityState.Paused, Assert.Single((await DescribeAsync(handle)).PendingActivities).State);
        await Client.WorkflowService.UnpauseActivityAsync(new() { Namespace = TemporalServerFixture.Namespace, Execution = new() { WorkflowId = handle.Id }, Type = "Echo" });
        // No attempt was used up by it.
        await CompleteAsync(await TakeAsync(attempt: 2));
        Assert.Equal("done", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task An_answer_for_a_namespace_that_is_not_there_says_so_before_it_looks_at_the_token()
    {
        var fault = await Assert.ThrowsAsync<RpcException>(() => Client.WorkflowService.RespondActivityTaskCompletedAsync(
            new() { Namespace = "no-such-namespace", TaskToken = Google.Protobuf.ByteString.CopyFrom(1) }));
        Assert.Equal(RpcException.StatusCode.NotFound, fault.Code);
        Assert.Contains("no-such-namespace", fault.Message, StringComparison.Ordinal);
    }

    private async Task<WorkflowHandle<ActivityWorkflow, string>> StartAsync(int maximumAttempts, int retryMilliseconds = 20)
    {
        StartWorker();
        var call = new ActivityCall("Echo", "x") { TaskQueue = $"{TaskQueue}-{Elsewhere}", MaximumAttempts = maximumAttempts, RetryMilliseconds = retryMilliseconds };
        return await Client.StartWorkflowAsync((ActivityWorkflow workflow) => workflow.RunAsync(call), Options());
    }

    private async Task<PollActivityTaskQueueResponse> TakeAsync(int attempt)
    {
        var task = await Raw.TakeActivityTaskAsync(Cancellation);
        Assert.Equal(attempt, task.Attempt);
        return task;
    }

    private async Task<(bool Reset, bool Paused)> BeatAsync(PollActivityTaskQueueResponse task)
    {
        var told = await Client.WorkflowService.RecordActivityTaskHeartbeatAsync(new() { Namespace = TemporalServerFixture.Namespace, TaskToken = task.TaskToken });
        return (told.ActivityReset, told.ActivityPaused);
    }

    private async Task FailAsync(PollActivityTaskQueueResponse task) => await Client.WorkflowService.RespondActivityTaskFailedAsync(
        new() { Namespace = TemporalServerFixture.Namespace, TaskToken = task.TaskToken, Failure = new Failure { Message = "failed", ApplicationFailureInfo = new() } });

    private async Task CompleteAsync(PollActivityTaskQueueResponse task) => await Client.WorkflowService.RespondActivityTaskCompletedAsync(
        new() { Namespace = TemporalServerFixture.Namespace, TaskToken = task.TaskToken, Result = new() { Payloads_ = { RawWorker.Json("done") } } });

    private async Task ResetAsync(WorkflowHandle handle) => await Client.WorkflowService.ResetActivityAsync(
        new() { Namespace = TemporalServerFixture.Namespace, Execution = new() { WorkflowId = handle.Id }, Type = "Echo" });

    private async Task PauseAsync(WorkflowHandle handle) => await Client.WorkflowService.PauseActivityAsync(
        new() { Namespace = TemporalServerFixture.Namespace, Execution = new() { WorkflowId = handle.Id }, Type = "Echo", Reason = "a test" });
}
