using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;

namespace Kohakku.Benchmarks;

/// <summary>
/// A Temporal server by the calls of its protocol alone: the SDK's worker, which takes more of a small machine than the server does, is left out. Runs are as the
/// SDK makes them, with eager activities, but without sticky queues.
/// </summary>
internal sealed class TemporalPolls(ITemporalClient client, string queue)
{
    private const int WarmUp = 50;
    private const int Starts = 500;
    private const int Runs = 2_000;
    private const int OpenStarts = 100;
    private const int Pollers = 10;

    private readonly WorkflowService _service = client.WorkflowService;
    private readonly string _namespace = client.Options.Namespace;
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _open = new();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await FirstTaskAsync(cancellationToken);
        await ThroughputAsync(cancellationToken);
    }

    /// <summary>How long after a start is asked for a poll that waits has its workflow task: one at a time, on an idle server.</summary>
    private async Task FirstTaskAsync(CancellationToken cancellationToken)
    {
        var (answered, seen) = (new List<double>(), new List<double>());
        for (var i = -WarmUp; i < Starts; i++)
        {
            var poll = TaskAsync(cancellationToken);
            var started = Stopwatch.GetTimestamp();
            await StartAsync(cancellationToken);
            var answer = Stopwatch.GetElapsedTime(started);
            var (task, arrived) = await poll;
            if (i >= 0)
            {
                answered.Add(answer.TotalMilliseconds);
                seen.Add(Stopwatch.GetElapsedTime(started, arrived).TotalMilliseconds);
            }
            await AnswerAsync(task.TaskToken, End(), cancellationToken);
        }
        Report.Latencies($"{Starts} starts, one at a time, with a poll that waits", ("start answered", answered), ("start → first workflow task", seen));
    }

    private async Task ThroughputAsync(CancellationToken cancellationToken)
    {
        var times = new double[Runs];
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pollers = Enumerable.Range(0, Pollers).Select(_ => WorkAsync(done.Token)).ToList();
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0, Runs, new ParallelOptions { MaxDegreeOfParallelism = OpenStarts, CancellationToken = cancellationToken },
            async (i, stopping) =>
            {
                var began = Stopwatch.GetTimestamp();
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                var id = $"bench-{Guid.NewGuid():N}";
                _open[id] = ended;
                await StartAsync(stopping, id);
                await Task.WhenAny(ended.Task, Task.WhenAny(pollers).Unwrap()).Unwrap().WaitAsync(stopping);
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            });
        var whole = Stopwatch.GetElapsedTime(started);
        await done.CancelAsync();
        await Task.WhenAll(pollers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Report.Latencies($"{Runs:N0} runs with an activity each by polls alone, {OpenStarts} at a time: {Runs / whole.TotalSeconds:N0} runs/s", ("start → end written", [.. times]));
    }

    /// <summary>A worker's loop: the first task of a run asks for an activity, which comes with the answer, the second ends the run.</summary>
    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var (task, _) = await TaskAsync(cancellationToken);
            if (task.PreviousStartedEventId > 0)
            {
                await AnswerAsync(task.TaskToken, End(), cancellationToken);
                if (_open.TryRemove(task.WorkflowExecution.WorkflowId, out var open)) open.TrySetResult();
                continue;
            }
            var answer = await AnswerAsync(task.TaskToken, Activity(), cancellationToken);
            var activity = answer.ActivityTasks.Count == 1 ? answer.ActivityTasks[0] : throw new InvalidOperationException("The activity was asked for at once, and did not come.");
            await _service.RespondActivityTaskCompletedAsync(new() { Namespace = _namespace, TaskToken = activity.TaskToken, Identity = queue }, Call(cancellationToken));
        }
    }

    private Task<StartWorkflowExecutionResponse> StartAsync(CancellationToken cancellationToken, string? id = null) => _service.StartWorkflowExecutionAsync(
        new()
        {
            Namespace = _namespace, WorkflowId = id ?? $"bench-{Guid.NewGuid():N}", WorkflowType = new() { Name = "Polls" }, TaskQueue = new() { Name = queue },
            Identity = queue, RequestId = Guid.NewGuid().ToString(),
        },
        Call(cancellationToken));

    private async Task<(PollWorkflowTaskQueueResponse Task, long Arrived)> TaskAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var task = await _service.PollWorkflowTaskQueueAsync(new() { Namespace = _namespace, TaskQueue = new() { Name = queue }, Identity = queue }, Call(cancellationToken));
            var arrived = Stopwatch.GetTimestamp();
            if (!task.TaskToken.IsEmpty) return (task, arrived);
        }
    }

    private Task<RespondWorkflowTaskCompletedResponse> AnswerAsync(ByteString token, Command command, CancellationToken cancellationToken) =>
        _service.RespondWorkflowTaskCompletedAsync(new() { Namespace = _namespace, TaskToken = token, Identity = queue, Commands = { command } }, Call(cancellationToken));

    private static Command End() => new() { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new() };

    private Command Activity() => new()
    {
        CommandType = CommandType.ScheduleActivityTask,
        ScheduleActivityTaskCommandAttributes = new()
        {
            ActivityId = "1", ActivityType = new() { Name = "Echo" }, TaskQueue = new() { Name = queue }, RequestEagerExecution = true,
            StartToCloseTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromMinutes(1)),
        },
    };

    private static RpcOptions Call(CancellationToken cancellationToken) => new() { CancellationToken = cancellationToken };
}
