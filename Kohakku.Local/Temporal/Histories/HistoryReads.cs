using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Histories;

/// <summary>Reads of a run's history by clients: in pages, waiting for what is to come, or the last event alone.</summary>
internal sealed class HistoryReads(RunHost host, RunLookup lookup)
{
    /// <summary>After this a reader that waits gets an empty page, and asks again.</summary>
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);

    public async Task<GetWorkflowExecutionHistoryResponse> GetAsync(GetWorkflowExecutionHistoryRequest request, CancellationToken cancellationToken)
    {
        var token = HistoryPageToken.Parse(request.NextPageToken);
        var key = token is null
            ? await lookup.FindAsync(request.Namespace, request.Execution, cancellationToken)
            : new RunKey(request.Namespace, token.RunId);
        token ??= new HistoryPageToken(key.RunId, 1);
        var size = request.MaximumPageSize is > 0 and < HistoryPages.MostEvents ? request.MaximumPageSize : HistoryPages.MostEvents;
        var closeOnly = request.HistoryEventFilterType == HistoryEventFilterType.CloseEvent;
        var deadline = host.Time.GetUtcNow() + LongPoll;
        while (true)
        {
            var (answer, changed) = await host.ReadAsync(
                key,
                async run =>
                {
                    var signal = run.Changed;
                    var made = closeOnly ? await CloseEventAsync(run, request.WaitNewEvent, cancellationToken) : await PageAsync(run, token, size, request.WaitNewEvent, cancellationToken);
                    return (made, signal);
                },
                cancellationToken);
            if (answer is not null) return answer;
            var left = deadline - host.Time.GetUtcNow();
            if (left <= TimeSpan.Zero || !await WaitAsync(changed, left, cancellationToken))
            {
                return new GetWorkflowExecutionHistoryResponse { History = new(), NextPageToken = token.ToBytes() };
            }
        }
    }

    public async Task<GetWorkflowExecutionHistoryReverseResponse> GetReverseAsync(GetWorkflowExecutionHistoryReverseRequest request, CancellationToken cancellationToken)
    {
        var token = HistoryPageToken.Parse(request.NextPageToken);
        var key = token is null
            ? await lookup.FindAsync(request.Namespace, request.Execution, cancellationToken)
            : new RunKey(request.Namespace, token.RunId);
        var size = request.MaximumPageSize is > 0 and < HistoryPages.MostEvents ? request.MaximumPageSize : HistoryPages.MostEvents;
        return await host.ReadAsync(
            key,
            async run =>
            {
                var last = token?.Last ?? run.State!.NextEventId - 1;
                var first = Math.Max(1, last - size + 1);
                var answer = new GetWorkflowExecutionHistoryReverseResponse { History = new() };
                answer.History.Events.Add((await run.ReadAsync(first, last, size, cancellationToken)).Reverse());
                if (first > 1) answer.NextPageToken = new HistoryPageToken(key.RunId, 1, first - 1).ToBytes();
                return answer;
            },
            cancellationToken);
    }

    /// <returns>Null while there is nothing to tell.</returns>
    private static async ValueTask<GetWorkflowExecutionHistoryResponse?> CloseEventAsync(Run run, bool wait, CancellationToken cancellationToken)
    {
        var state = run.State!;
        if (!state.IsRunning)
        {
            var answer = new GetWorkflowExecutionHistoryResponse { History = new() };
            answer.History.Events.Add(await run.ReadEventAsync(state.NextEventId - 1, cancellationToken));
            return answer;
        }
        return wait ? null : new GetWorkflowExecutionHistoryResponse { History = new() };
    }

    private static async ValueTask<GetWorkflowExecutionHistoryResponse?> PageAsync(Run run, HistoryPageToken token, int size, bool wait, CancellationToken cancellationToken)
    {
        var state = run.State!;
        var written = state.NextEventId - 1;
        if (wait && state.IsRunning && token is { Last: 0 } && token.Next > written) return null;
        var range = token.Last == 0
            ? token with { Last = written, TaskId = !wait && state is { IsRunning: true, Task.HasEvents: false } ? state.Task.ScheduledId : 0 }
            : token;
        var (history, next) = await HistoryPages.PageAsync(run, range, size, cancellationToken);
        // Who waits goes on after the last event as long as there may be more.
        if (wait && next.IsEmpty && state.IsRunning) next = new HistoryPageToken(run.Key.RunId, written + 1).ToBytes();
        else if (wait && !next.IsEmpty) next = new HistoryPageToken(run.Key.RunId, token.Next + history.Events.Count).ToBytes();
        return new GetWorkflowExecutionHistoryResponse { History = history, NextPageToken = next };
    }

    private async Task<bool> WaitAsync(Task changed, TimeSpan time, CancellationToken cancellationToken)
    {
        try
        {
            await changed.WaitAsync(time, host.Time, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
