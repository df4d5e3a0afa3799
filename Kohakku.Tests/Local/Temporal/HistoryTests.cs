using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class HistoryTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_history_is_read_page_by_page()
    {
        var handle = await RunAsync();
        var whole = await EventsAsync(handle);
        var paged = new List<HistoryEvent>();
        var token = ByteString.Empty;
        do
        {
            var page = await Client.WorkflowService.GetWorkflowExecutionHistoryAsync(new()
            {
                Namespace = TemporalServerFixture.Namespace,
                Execution = new() { WorkflowId = handle.Id },
                MaximumPageSize = 3,
                NextPageToken = token,
            });
            paged.AddRange(page.History.Events);
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        Assert.Equal(whole, paged);
        Assert.True(whole.Count > 10);
    }

    [Fact(Timeout = Limit)]
    public async Task A_history_is_read_backwards()
    {
        var handle = await RunAsync();
        var whole = await EventsAsync(handle);
        var reversed = new List<HistoryEvent>();
        var token = ByteString.Empty;
        do
        {
            var page = await Client.WorkflowService.GetWorkflowExecutionHistoryReverseAsync(new()
            {
                Namespace = TemporalServerFixture.Namespace,
                Execution = new() { WorkflowId = handle.Id, RunId = handle.ResultRunId },
                MaximumPageSize = 4,
                NextPageToken = token,
            });
            reversed.AddRange(page.History.Events);
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        reversed.Reverse();
        Assert.Equal(whole, reversed);
    }

    [Fact(Timeout = Limit)]
    public async Task The_event_that_ended_a_run_is_given_alone()
    {
        var handle = await RunAsync();
        var last = await handle.FetchHistoryEventsAsync(new() { EventFilterType = HistoryEventFilterType.CloseEvent }).ToListAsync(Cancellation);
        Assert.Equal([(await EventsAsync(handle))[^1]], last);
    }

    [Fact(Timeout = Limit)]
    public async Task Whoever_waits_for_the_end_hears_of_it()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var waiting = Enumerable.Range(0, 5).Select(_ => handle.GetResultAsync()).ToList();
        await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        Assert.All(await Task.WhenAll(waiting), result => Assert.Equal(["item"], result));
    }

    [Fact(Timeout = Limit)]
    public async Task Whoever_waits_for_new_events_gets_each_of_them()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var followed = new List<HistoryEvent>();
        var first = new TaskCompletionSource();
        var following = Task.Run(async () =>
        {
            await foreach (var item in handle.FetchHistoryEventsAsync(new() { WaitNewEvent = true }))
            {
                followed.Add(item);
                first.TrySetResult();
            }
        });
        await first.Task.WaitAsync(Cancellation);
        for (var time = 0; time < 5; time++) await handle.SignalAsync(workflow => workflow.PushAsync("item"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await following;
        Assert.Equal(await EventsAsync(handle), followed);
    }

    [Fact(Timeout = Limit)]
    public async Task Whoever_waits_in_vain_gets_an_answer_in_time_and_may_ask_again()
    {
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        var page = await Client.WorkflowService.GetWorkflowExecutionHistoryAsync(
            new()
            {
                Namespace = TemporalServerFixture.Namespace,
                Execution = new() { WorkflowId = handle.Id },
                WaitNewEvent = true,
                HistoryEventFilterType = HistoryEventFilterType.CloseEvent,
            },
            new() { Timeout = TimeSpan.FromSeconds(60) });
        Assert.Empty(page.History.Events);
        Assert.False(page.NextPageToken.IsEmpty);
    }

    [Fact(Timeout = Limit)]
    public async Task A_token_that_was_not_given_out_is_refused()
    {
        var handle = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        await FailsAsync(RpcException.StatusCode.InvalidArgument, () => Client.WorkflowService.GetWorkflowExecutionHistoryAsync(new()
        {
            Namespace = TemporalServerFixture.Namespace,
            Execution = new() { WorkflowId = handle.Id },
            NextPageToken = ByteString.CopyFromUtf8("no token of yours"),
        }));
    }

    private async Task<WorkflowHandle<ListWorkflow, List<string>>> RunAsync()
    {
        StartWorker();
        var handle = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        await handle.ExecuteUpdateAsync(workflow => workflow.AddByActivityAsync("item"));
        await handle.SignalAsync(workflow => workflow.FinishAsync());
        await handle.GetResultAsync();
        return handle;
    }
}
