using Grpc.Core;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Workers;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What workers do with workflow tasks.</summary>
internal sealed class WorkflowWorkerCalls(RunHost host, RunLookup lookup, TaskQueues queues, TaskCompletion completion, NamespaceCheck check)
{
    /// <summary>A worker that got nothing for this long is answered with nothing, and asks again.</summary>
    public static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(60);

    public void Map(GrpcMethods methods)
    {
        methods.Add<PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse>("PollWorkflowTaskQueue", PollAsync);
        methods.Add<RespondWorkflowTaskCompletedRequest, RespondWorkflowTaskCompletedResponse>("RespondWorkflowTaskCompleted", (request, _) =>
        {
            check.CheckGiven(request.Namespace);
            return completion.CompleteAsync(request, CancellationToken.None);
        });
        methods.Add<RespondWorkflowTaskFailedRequest, RespondWorkflowTaskFailedResponse>("RespondWorkflowTaskFailed", async (request, _) =>
        {
            check.CheckGiven(request.Namespace);
            await completion.FailAsync(request, CancellationToken.None);
            return new RespondWorkflowTaskFailedResponse();
        });
        methods.Add<ResetStickyTaskQueueRequest, ResetStickyTaskQueueResponse>("ResetStickyTaskQueue", ResetStickyAsync);
        methods.Add<ShutdownWorkerRequest, ShutdownWorkerResponse>("ShutdownWorker", (request, _) =>
        {
            check.Check(request.Namespace);
            queues.ShutDown(request.Namespace, request.StickyTaskQueue, request.WorkerInstanceKey);
            return Task.FromResult(new ShutdownWorkerResponse());
        });
    }

    /// <summary>How a worker names its version when it asks for work.</summary>
    public static WorkerVersionStamp? Stamp(WorkerVersionCapabilities? capabilities) =>
        capabilities is { BuildId.Length: > 0 } ? new WorkerVersionStamp { BuildId = capabilities.BuildId, UseVersioning = capabilities.UseVersioning } : null;

    private async Task<PollWorkflowTaskQueueResponse> PollAsync(PollWorkflowTaskQueueRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (string.IsNullOrEmpty(request.TaskQueue?.Name)) throw RpcErrors.Invalid("TaskQueue is not set on request.");
        var queue = queues.Get(new(request.Namespace, request.TaskQueue.Name, QueueKind.Workflow));
        var poller = new Poller(request.Identity, request.WorkerInstanceKey)
        {
            IsSticky = request.TaskQueue.Kind == TaskQueueKind.Sticky,
            Version = Stamp(request.WorkerVersionCapabilities),
        };
        var end = host.Time.GetUtcNow() + LongPoll;
        while (end - host.Time.GetUtcNow() is { Ticks: > 0 } left && await queue.PollAsync(poller, left, call.CancellationToken) is { } task)
        {
            if (task is not BegunQueueTask && call.CancellationToken.IsCancellationRequested)
            {
                queue.Offer(task, first: true);
                break;
            }
            if (await TakeAsync(task, queue, poller, call.CancellationToken) is not { } response) continue;
            response.BacklogCountHint = queue.Backlog;
            if (!call.CancellationToken.IsCancellationRequested) return response;
            await GiveBackAsync(task, response);
            break;
        }
        return new PollWorkflowTaskQueueResponse();
    }

    /// <returns>Null when the task is no longer wanted.</returns>
    private async Task<PollWorkflowTaskQueueResponse?> TakeAsync(QueueTask task, TaskQueue queue, Poller poller, CancellationToken cancellationToken)
    {
        if (task is BegunQueueTask begun) return begun.Response;
        if (task is QueryQueueTask query) return await TakeQueryAsync(query, poller.IsSticky, cancellationToken);
        if (task is not WorkflowQueueTask offered) return null;
        var taken = false;
        try
        {
            return await host.ChangeAsync(
                offered.Run,
                change =>
                {
                    var pending = change.State.Task;
                    if (!change.State.IsRunning || pending is not { IsStarted: false } || pending.ScheduledId != offered.ScheduledId || pending.Attempt != offered.Attempt) return ValueTask.CompletedTask;
                    taken = true;
                    change.StartTask(
                        queue.Key.Name, poller.Identity, Guid.NewGuid().ToString(), poller.Version, change.State.UpdateCount + change.Run.Updates.Count);
                    return ValueTask.CompletedTask;
                },
                async run => taken ? await TaskResponses.WorkflowTaskAsync(run, poller.IsSticky, CancellationToken.None) : null,
                CancellationToken.None);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>The worker went away before it was given the task, which has begun: it times out now rather than in a while.</summary>
    private async Task GiveBackAsync(QueueTask task, PollWorkflowTaskQueueResponse given)
    {
        if (task is QueryQueueTask query)
        {
            queues.Get(query.NormalQueue).Offer(query, first: true);
            return;
        }
        await host.ChangeAsync(
            task.Run,
            change =>
            {
                if (change.State.Task is not { IsStarted: true } begun || begun.StartedId != given.StartedEventId || begun.Attempt != given.Attempt) return;
                change.TimeOutStartedTask();
                change.AfterCommit.Add(change.Run.Updates.TakeBack);
                change.ScheduleTask();
            },
            CancellationToken.None);
    }

    private async Task<PollWorkflowTaskQueueResponse?> TakeQueryAsync(QueryQueueTask query, bool sticky, CancellationToken cancellationToken)
    {
        if (!queues.IsWanted(query)) return null;
        try
        {
            return await host.ReadAsync(query.Run, async run => (PollWorkflowTaskQueueResponse?)await TaskResponses.QueryAsync(run, query, sticky, cancellationToken), cancellationToken);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            query.Answer.TrySetException(fault);
            return null;
        }
    }

    private async Task<ResetStickyTaskQueueResponse> ResetStickyAsync(ResetStickyTaskQueueRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        await lookup.ChangeAsync(
            request.Namespace, request.Execution,
            change =>
            {
                if (!change.State.IsRunning) throw RpcErrors.WorkflowCompleted();
                change.State.StickyQueue = "";
                change.Touch();
            },
            call.CancellationToken);
        return new ResetStickyTaskQueueResponse();
    }
}
