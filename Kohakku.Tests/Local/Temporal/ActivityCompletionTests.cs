using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>Activities that are cancelled, and such as are completed by somebody else than their worker.</summary>
public sealed class ActivityCompletionTests(TemporalServerFixture server) : TemporalTest(server)
{
    private static readonly ActivityCall Beating = new("Beat", "alive") { HeartbeatMilliseconds = 1000 };

    [Fact(Timeout = Limit)]
    public async Task A_cancel_is_tried_and_the_workflow_does_not_wait()
    {
        StartWorker();
        var handle = await StartBeatingAsync(Beating with { CancellationType = ActivityCancellationType.TryCancel });
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        Assert.Contains(EventType.ActivityTaskCancelRequested, await EventTypesAsync(handle));
        await Eventually.Async(() => !Activities.Outcomes.IsEmpty);
        Assert.StartsWith("cancelled", Assert.Single(Activities.Outcomes), StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancel_is_waited_for_until_the_activity_has_ended()
    {
        StartWorker();
        var handle = await StartBeatingAsync(Beating with { CancellationType = ActivityCancellationType.WaitCancellationCompleted });
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        Assert.StartsWith("cancelled", Assert.Single(Activities.Outcomes), StringComparison.Ordinal);
        var types = await EventTypesAsync(handle);
        Assert.True(types.IndexOf(EventType.ActivityTaskCancelRequested) < types.IndexOf(EventType.ActivityTaskCanceled));
    }

    [Fact(Timeout = Limit)]
    public async Task A_cancel_that_abandons_leaves_the_activity_alone()
    {
        StartWorker();
        var handle = await StartBeatingAsync(Beating with { CancellationType = ActivityCancellationType.Abandon });
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
        Assert.DoesNotContain(EventType.ActivityTaskCancelRequested, await EventTypesAsync(handle));
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_that_no_worker_took_is_cancelled_at_once()
    {
        StartWorker();
        var call = new ActivityCall("Echo", "x") { TaskQueue = $"{TaskQueue}-nobody", CancellationType = ActivityCancellationType.WaitCancellationCompleted };
        var handle = await Client.StartWorkflowAsync((CancellingWorkflow workflow) => workflow.RunAsync(call), Options());
        await HasEventAsync(handle, EventType.ActivityTaskScheduled);
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        Assert.Equal("cancelled", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_is_completed_by_its_token()
    {
        StartWorker();
        var handle = await StartLaterAsync();
        var activity = Client.GetAsyncActivityHandle(await TokenAsync());
        await activity.HeartbeatAsync(new() { Details = ["on its way"] });
        await activity.CompleteAsync("from outside");
        Assert.Equal("from outside", await handle.GetResultAsync());
        await Assert.ThrowsAnyAsync<Exception>(() => activity.CompleteAsync("again"));
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_is_completed_by_its_id()
    {
        StartWorker();
        var handle = await StartLaterAsync();
        await Client.GetAsyncActivityHandle(handle.Id, handle.ResultRunId!, await ActivityIdAsync(handle)).CompleteAsync("from outside");
        Assert.Equal("from outside", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task An_activity_is_failed_from_outside()
    {
        StartWorker();
        var handle = await StartLaterAsync(maximumAttempts: 1);
        await Client.GetAsyncActivityHandle(await TokenAsync()).FailAsync(new ApplicationFailureException("no luck", errorType: "Outside"));
        var failed = await FailsWithAsync<ActivityFailureException>(handle);
        Assert.Equal("Outside", Assert.IsType<ApplicationFailureException>(failed.InnerException).ErrorType);
    }

    [Fact(Timeout = Limit)]
    public async Task A_failure_from_outside_is_retried_and_the_old_token_is_worthless()
    {
        StartWorker();
        var handle = await StartLaterAsync();
        var first = await TokenAsync();
        await Client.GetAsyncActivityHandle(first).FailAsync(new ApplicationFailureException("no luck"));
        await Eventually.Async(() => Activities.Tokens.Count == 2);
        await Assert.ThrowsAnyAsync<Exception>(() => Client.GetAsyncActivityHandle(first).CompleteAsync("too late"));
        await Client.GetAsyncActivityHandle(Activities.Tokens.Last()).CompleteAsync("second");
        Assert.Equal("second", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task Who_completes_from_outside_hears_of_a_cancel_and_reports_it()
    {
        StartWorker();
        var call = new ActivityCall("Later", "x") { CancellationType = ActivityCancellationType.WaitCancellationCompleted };
        var handle = await Client.StartWorkflowAsync((CancellingWorkflow workflow) => workflow.RunAsync(call), Options());
        var activity = Client.GetAsyncActivityHandle(await TokenAsync());
        await activity.HeartbeatAsync();
        await handle.SignalAsync(workflow => workflow.CancelAsync());
        await HasEventAsync(handle, EventType.ActivityTaskCancelRequested);
        await Assert.ThrowsAsync<AsyncActivityCanceledException>(() => activity.HeartbeatAsync());
        await activity.ReportCancellationAsync();
        Assert.Equal("cancelled", await handle.GetResultAsync());
    }

    [Fact(Timeout = Limit)]
    public async Task A_token_that_was_not_given_out_is_refused() =>
        await Assert.ThrowsAnyAsync<Exception>(() => Client.GetAsyncActivityHandle([1, 2, 3]).CompleteAsync("x"));

    private async Task<WorkflowHandle<CancellingWorkflow, string>> StartBeatingAsync(ActivityCall call)
    {
        var handle = await Client.StartWorkflowAsync((CancellingWorkflow workflow) => workflow.RunAsync(call), Options());
        await Eventually.Async(() => !Activities.Begun.IsEmpty);
        return handle;
    }

    private Task<WorkflowHandle<ActivityWorkflow, string>> StartLaterAsync(int maximumAttempts = 0) => Client.StartWorkflowAsync(
        (ActivityWorkflow workflow) => workflow.RunAsync(new ActivityCall("Later", "x") { MaximumAttempts = maximumAttempts }), Options());

    private Task<byte[]> TokenAsync() => Eventually.NotNullAsync(() => Task.FromResult(Activities.Tokens.FirstOrDefault()));

    private async Task<string> ActivityIdAsync(WorkflowHandle handle)
    {
        await TokenAsync();
        return (await DescribeAsync(handle)).PendingActivities.Single().ActivityId;
    }
}
