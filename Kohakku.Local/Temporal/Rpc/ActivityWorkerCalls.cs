using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Workers;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What workers, and whoever completes activities for them, do with activity tasks.</summary>
internal sealed class ActivityWorkerCalls(RunHost host, RunLookup lookup, TaskQueues queues, NamespaceCheck check)
{
    private const int LargestPayload = 2 * 1024 * 1024;

    public void Map(GrpcMethods methods)
    {
        methods.Add<PollActivityTaskQueueRequest, PollActivityTaskQueueResponse>("PollActivityTaskQueue", PollAsync);
        methods.Add<RecordActivityTaskHeartbeatRequest, RecordActivityTaskHeartbeatResponse>("RecordActivityTaskHeartbeat", async (request, call) =>
        {
            var told = await HeartbeatAsync(Token(request.Namespace, request.TaskToken), request.Details, call.CancellationToken);
            return new RecordActivityTaskHeartbeatResponse { CancelRequested = told.Cancel, ActivityPaused = told.Pause, ActivityReset = told.Reset };
        });
        methods.Add<RecordActivityTaskHeartbeatByIdRequest, RecordActivityTaskHeartbeatByIdResponse>("RecordActivityTaskHeartbeatById", async (request, call) =>
        {
            var told = await HeartbeatAsync(await ByIdAsync(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, call), request.Details, call.CancellationToken);
            return new RecordActivityTaskHeartbeatByIdResponse { CancelRequested = told.Cancel, ActivityPaused = told.Pause, ActivityReset = told.Reset };
        });
        methods.Add<RespondActivityTaskCompletedRequest, RespondActivityTaskCompletedResponse>("RespondActivityTaskCompleted", async (request, call) =>
        {
            await CompleteAsync(Token(request.Namespace, request.TaskToken), request.Result, request.Identity, call.CancellationToken);
            return new RespondActivityTaskCompletedResponse();
        });
        methods.Add<RespondActivityTaskCompletedByIdRequest, RespondActivityTaskCompletedByIdResponse>("RespondActivityTaskCompletedById", async (request, call) =>
        {
            await CompleteAsync(await ByIdAsync(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, call), request.Result, request.Identity, call.CancellationToken);
            return new RespondActivityTaskCompletedByIdResponse();
        });
        methods.Add<RespondActivityTaskFailedRequest, RespondActivityTaskFailedResponse>("RespondActivityTaskFailed", async (request, call) =>
        {
            await FailAsync(Token(request.Namespace, request.TaskToken), request.Failure, request.LastHeartbeatDetails, request.Identity, call.CancellationToken);
            return new RespondActivityTaskFailedResponse();
        });
        methods.Add<RespondActivityTaskFailedByIdRequest, RespondActivityTaskFailedByIdResponse>("RespondActivityTaskFailedById", async (request, call) =>
        {
            var activity = await ByIdAsync(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, call);
            await FailAsync(activity, request.Failure, request.LastHeartbeatDetails, request.Identity, call.CancellationToken);
            return new RespondActivityTaskFailedByIdResponse();
        });
        methods.Add<RespondActivityTaskCanceledRequest, RespondActivityTaskCanceledResponse>("RespondActivityTaskCanceled", async (request, call) =>
        {
            await CancelAsync(Token(request.Namespace, request.TaskToken), request.Details, request.Identity, call.CancellationToken);
            return new RespondActivityTaskCanceledResponse();
        });
        methods.Add<RespondActivityTaskCanceledByIdRequest, RespondActivityTaskCanceledByIdResponse>("RespondActivityTaskCanceledById", async (request, call) =>
        {
            await CancelAsync(await ByIdAsync(request.Namespace, request.WorkflowId, request.RunId, request.ActivityId, call), request.Details, request.Identity, call.CancellationToken);
            return new RespondActivityTaskCanceledByIdResponse();
        });
    }

    /// <summary>An activity as a caller names it.</summary>
    /// <param name="Token">Null when it is named by its id, of whichever attempt.</param>
    private sealed record Named(RunKey Run, string ActivityId, TaskToken? Token);

    private async Task<PollActivityTaskQueueResponse> PollAsync(PollActivityTaskQueueRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (string.IsNullOrEmpty(request.TaskQueue?.Name)) throw RpcErrors.Invalid("TaskQueue is not set on request.");
        var queue = queues.Get(new(request.Namespace, request.TaskQueue.Name, QueueKind.Activity));
        var poller = new Poller(request.Identity, request.WorkerInstanceKey);
        var end = host.Time.GetUtcNow() + WorkflowWorkerCalls.LongPoll;
        while (end - host.Time.GetUtcNow() is { Ticks: > 0 } left && await queue.PollAsync(poller, left, call.CancellationToken) is { } task)
        {
            try
            {
                await queue.LimitAsync(request.TaskQueueMetadata?.MaxTasksPerSecond ?? 0, call.CancellationToken);
            }
            catch (OperationCanceledException)
            {
                // It goes back, below.
            }
            if (call.CancellationToken.IsCancellationRequested)
            {
                queue.Offer(task, first: true);
                break;
            }
            if (task is not ActivityQueueTask activity || await TakeAsync(activity, request) is not { } response) continue;
            if (!call.CancellationToken.IsCancellationRequested) return response;
            await GiveBackAsync(activity);
            break;
        }
        return new PollActivityTaskQueueResponse();
    }

    /// <returns>Null when the task is no longer wanted.</returns>
    private async Task<PollActivityTaskQueueResponse?> TakeAsync(ActivityQueueTask offered, PollActivityTaskQueueRequest request)
    {
        ActivityState? taken = null;
        try
        {
            return await host.ChangeAsync(
                offered.Run,
                change =>
                {
                    if (!change.State.IsRunning || !change.State.Activities.TryGetValue(offered.ScheduledId, out var activity)) return ValueTask.CompletedTask;
                    if (activity.IsStarted || activity.Pause is not null || activity.Attempt != offered.Attempt) return ValueTask.CompletedTask;
                    taken = activity;
                    change.StartActivity(activity, request.Identity, Guid.NewGuid().ToString(), WorkflowWorkerCalls.Stamp(request.WorkerVersionCapabilities));
                    return ValueTask.CompletedTask;
                },
                async run => taken is null ? null : await TaskResponses.ActivityAsync(run, taken, CancellationToken.None),
                CancellationToken.None);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>The worker went away before it was given the task: another gets it, as the same attempt.</summary>
    private Task GiveBackAsync(ActivityQueueTask offered) => host.ChangeAsync(
        offered.Run,
        change =>
        {
            if (!change.State.Activities.TryGetValue(offered.ScheduledId, out var activity) || activity.Attempt != offered.Attempt || !activity.IsStarted) return;
            activity.StartedAt = null;
            change.Touch(activity);
            change.OfferedActivities.Add(activity.ScheduledId);
        },
        CancellationToken.None);

    private Task<(bool Cancel, bool Pause, bool Reset)> HeartbeatAsync(Named named, Payloads? details, CancellationToken cancellationToken) => ChangeAsync(
        named,
        (change, activity) =>
        {
            activity.LastHeartbeatAt = change.Now;
            activity.HeartbeatDetails = details;
            change.Touch(activity);
            return (activity.CancelRequested, activity.Pause is not null, activity.ResetRequested);
        },
        cancellationToken);

    private Task<bool> CompleteAsync(Named named, Payloads? result, string identity, CancellationToken cancellationToken) => ChangeAsync(
        named,
        (change, activity) =>
        {
            StartIfNone(change, activity, identity);
            if (((IMessage?)result)?.CalculateSize() > LargestPayload)
            {
                change.FailActivity(activity, TooLarge("Complete result exceeds size limit."), null, identity);
            }
            else
            {
                change.CompleteActivity(activity, result, identity);
            }
            change.EnsureTask();
            return true;
        },
        cancellationToken);

    private Task<bool> FailAsync(Named named, Failure? failure, Payloads? details, string identity, CancellationToken cancellationToken) => ChangeAsync(
        named,
        (change, activity) =>
        {
            StartIfNone(change, activity, identity);
            if (((IMessage?)failure)?.CalculateSize() > LargestPayload) failure = TooLarge("Failure exceeds size limit.");
            change.FailActivity(activity, failure, details, identity);
            if (!change.State.Activities.ContainsKey(activity.ScheduledId)) change.EnsureTask();
            return true;
        },
        cancellationToken);

    private Task<bool> CancelAsync(Named named, Payloads? details, string identity, CancellationToken cancellationToken) => ChangeAsync(
        named,
        (change, activity) =>
        {
            if (!activity.CancelRequested) throw RpcErrors.Invalid("unable to mark activity as canceled without activity being request canceled first");
            StartIfNone(change, activity, identity);
            change.CancelActivity(activity, details, identity);
            change.EnsureTask();
            return true;
        },
        cancellationToken);

    private Task<T> ChangeAsync<T>(Named named, Func<RunChange, ActivityState, T> act, CancellationToken cancellationToken)
    {
        T result = default!;
        return host.ChangeAsync(
            named.Run,
            change =>
            {
                result = act(change, Find(change.State, named));
                return ValueTask.CompletedTask;
            },
            _ => ValueTask.FromResult(result),
            cancellationToken);
    }

    private static ActivityState Find(RunState state, Named named)
    {
        if (!state.IsRunning) throw RpcErrors.WorkflowCompleted();
        if (named.Token is not { } token)
        {
            return state.Activities.Values.FirstOrDefault(pending => pending.ActivityId == named.ActivityId)
                ?? throw RpcErrors.NotFound($"cannot find pending activity with ActivityID {named.ActivityId}, check workflow execution history for more details");
        }
        return state.Activities.TryGetValue(token.ScheduledId, out var activity) && activity.Attempt == token.Attempt && activity.StartedAt?.UtcTicks == token.StartedAt
            ? activity
            : throw RpcErrors.NotFound("invalid activityID or activity already timed out or invoking workflow is completed");
    }

    /// <summary>Completed by its id before a worker had it: it counts as begun by whoever completes it.</summary>
    private static void StartIfNone(RunChange change, ActivityState activity, string identity)
    {
        if (!activity.IsStarted) change.StartActivity(activity, identity, Guid.NewGuid().ToString(), null);
    }

    private Named Token(string @namespace, ByteString bytes)
    {
        check.CheckGiven(@namespace);
        var token = TaskToken.Parse(bytes);
        return new Named(token.Run, token.ActivityId, token);
    }

    private async Task<Named> ByIdAsync(string @namespace, string workflowId, string runId, string activityId, ServerCallContext call)
    {
        check.Check(@namespace);
        if (activityId.Length == 0) throw RpcErrors.Invalid("activityID cannot be empty");
        var key = await lookup.FindAsync(@namespace, new() { WorkflowId = workflowId, RunId = runId }, call.CancellationToken);
        return new Named(key, activityId, null);
    }

    private static Failure TooLarge(string message) => new() { Message = message, Source = "Server", ServerFailureInfo = new() { NonRetryable = true } };
}
