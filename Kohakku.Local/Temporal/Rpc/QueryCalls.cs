using Grpc.Core;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Queries;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Workers;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>
/// Queries. One that finds the run at rest goes to a worker by itself; one that finds a workflow task under way waits for it, so that the answer
/// is not older than what the caller knows to have happened.
/// </summary>
internal sealed class QueryCalls(RunHost host, RunLookup lookup, TaskQueues queues, NamespaceCheck check)
{
    /// <summary>A run whose task failed this often can't be queried.</summary>
    private const int FailingAttempts = 3;

    public void Map(GrpcMethods methods)
    {
        methods.Add<QueryWorkflowRequest, QueryWorkflowResponse>("QueryWorkflow", QueryAsync);
        methods.Add<RespondQueryTaskCompletedRequest, RespondQueryTaskCompletedResponse>("RespondQueryTaskCompleted", (request, _) => Task.FromResult(Respond(request)));
    }

    private async Task<QueryWorkflowResponse> QueryAsync(QueryWorkflowRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (string.IsNullOrEmpty(request.Query?.QueryType)) throw RpcErrors.Invalid("QueryType is not set on request.");
        var cancellationToken = call.CancellationToken;
        var key = await lookup.FindAsync(request.Namespace, request.Execution, cancellationToken);
        var (rejected, waiting) = await host.ReadAsync(key, run => ValueTask.FromResult(Begin(run, request, call.Deadline)), cancellationToken);
        if (rejected is not null) return rejected;
        if (waiting is not null)
        {
            try
            {
                if ((await waiting.Done.WaitAsync(cancellationToken)).Result is { } result) return Answer(result.ResultType, result.Answer, result.ErrorMessage, result.Failure);
            }
            finally
            {
                if (!waiting.Done.IsCompleted) await host.ReadAsync(key, run => Remove(run, waiting), CancellationToken.None);
            }
        }
        return await DirectlyAsync(key, request.Query, cancellationToken);
    }

    /// <returns>A rejection; or the query put to the run's task; or neither, when it goes to a worker by itself.</returns>
    private static (QueryWorkflowResponse? Rejected, PendingQuery? Waiting) Begin(Run run, QueryWorkflowRequest request, DateTime deadline)
    {
        var state = run.State!;
        if (!state.IsRunning)
        {
            var reject = request.QueryRejectCondition switch
            {
                QueryRejectCondition.NotOpen => true,
                QueryRejectCondition.NotCompletedCleanly => state.Status != WorkflowExecutionStatus.Completed,
                _ => false,
            };
            if (reject) return (new QueryWorkflowResponse { QueryRejected = new() { Status = state.Status } }, null);
            if (state.LastCompletedTaskStartedId == 0) throw RpcErrors.NotReady("Workflow execution closed before WorkflowTaskStarted event");
        }
        if (state.FirstTaskAt is { } first && first > new DateTimeOffset(deadline, TimeSpan.Zero)) throw RpcErrors.NotReady("Workflow task is not scheduled yet.");
        if (state.TaskAttempt >= FailingAttempts) throw RpcErrors.NotReady("Unable to query workflow due to Workflow Task in failed state.");
        if (state.LastCompletedTaskStartedId != 0 && state.Task is null) return (null, null);
        if (run.Queries.Count >= QueryRegistry.Capacity)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, "consistent query buffer is full, cannot accept new consistent queries"));
        }
        var waiting = new PendingQuery(request.Query);
        run.Queries.Add(waiting);
        return (null, waiting);
    }

    private static ValueTask<bool> Remove(Run run, PendingQuery query)
    {
        run.Queries.Remove(query.Id);
        return ValueTask.FromResult(true);
    }

    /// <summary>To the worker that knows the run, for as long as it is given; then to any.</summary>
    private async Task<QueryWorkflowResponse> DirectlyAsync(RunKey key, WorkflowQuery query, CancellationToken cancellationToken)
    {
        var (sticky, normal, patience) = await host.ReadAsync(
            key,
            run =>
            {
                var state = run.State!;
                var normal = queues.QueueOf(state, "");
                var queue = queues.QueueOf(state, state.StickyQueue);
                return ValueTask.FromResult((queue == normal ? null : queue, normal, state.StickyScheduleToStart));
            },
            cancellationToken);
        if (sticky is not null)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(patience > TimeSpan.Zero ? patience : TimeSpan.FromSeconds(5));
            try
            {
                return await AskAsync(sticky, normal.Key, key, query, limit.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // The worker is gone or busy: its stickiness ends.
                await host.ChangeAsync(
                    key,
                    change =>
                    {
                        if (!change.State.IsRunning || change.State.StickyQueue.Length == 0) return;
                        change.State.StickyQueue = "";
                        change.Touch();
                    },
                    cancellationToken);
            }
        }
        return await AskAsync(normal, normal.Key, key, query, cancellationToken);
    }

    private async Task<QueryWorkflowResponse> AskAsync(TaskQueue queue, QueueKey normal, RunKey key, WorkflowQuery query, CancellationToken cancellationToken)
    {
        var task = new QueryQueueTask(key, query, normal) { OfferedAt = host.Time.GetUtcNow() };
        queues.OfferQuery(queue, task);
        try
        {
            var answer = await task.Answer.Task.WaitAsync(cancellationToken);
            return Answer(answer.CompletedType == QueryResultType.Unspecified ? QueryResultType.Failed : answer.CompletedType, answer.QueryResult, answer.ErrorMessage, answer.Failure);
        }
        finally
        {
            queues.Forget(task);
        }
    }

    private RespondQueryTaskCompletedResponse Respond(RespondQueryTaskCompletedRequest request)
    {
        check.CheckGiven(request.Namespace);
        var token = TaskToken.Parse(request.TaskToken);
        if (token.QueryId is not { } id || queues.FindQuery(id) is not { } query) throw RpcErrors.NotFound("query task not found, or already expired");
        query.Answer.TrySetResult(request);
        return new RespondQueryTaskCompletedResponse();
    }

    private static QueryWorkflowResponse Answer(
        QueryResultType type, Temporalio.Api.Common.V1.Payloads? result, string error, Temporalio.Api.Failure.V1.Failure? failure) =>
        type == QueryResultType.Answered ? new QueryWorkflowResponse { QueryResult = result } : throw RpcErrors.QueryFailed(error, failure);
}
