using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Updates;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Updates: requests that a run answers.</summary>
internal sealed class UpdateCalls(RunHost host, RunLookup lookup, StartCalls starts, NamespaceCheck check)
{
    /// <summary>More than this a run can't take in all.</summary>
    private const int MostUpdates = 2000;

    /// <summary>More than this can't be under way in a run at once.</summary>
    private const int MostInFlight = 10;

    /// <summary>After this a caller who waits is told how far it has come, and asks again.</summary>
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(20);

    public void Map(GrpcMethods methods)
    {
        methods.Add<UpdateWorkflowExecutionRequest, UpdateWorkflowExecutionResponse>("UpdateWorkflowExecution", (request, call) => UpdateAsync(request, null, call.CancellationToken));
        methods.Add<PollWorkflowExecutionUpdateRequest, PollWorkflowExecutionUpdateResponse>("PollWorkflowExecutionUpdate", PollAsync);
        methods.Add<ExecuteMultiOperationRequest, ExecuteMultiOperationResponse>("ExecuteMultiOperation", MultiOperationAsync);
    }

    private sealed record Found(WorkflowExecution Execution, PendingUpdate? Pending, UpdateStageReached? Reached);

    private sealed record UpdateStageReached(UpdateWorkflowExecutionLifecycleStage Stage, Outcome? Outcome);

    /// <param name="runId">The run that was started for it; null for whichever the request means.</param>
    private async Task<UpdateWorkflowExecutionResponse> UpdateAsync(UpdateWorkflowExecutionRequest request, string? runId, CancellationToken cancellationToken)
    {
        check.Check(request.Namespace);
        Validate(request);
        var execution = runId is null ? request.WorkflowExecution : new WorkflowExecution { WorkflowId = request.WorkflowExecution.WorkflowId, RunId = runId };
        while (true)
        {
            Found? found = null;
            await lookup.ChangeAsync(
                request.Namespace, execution,
                async change => found = await FindOrAdmitAsync(change, request, cancellationToken),
                static _ => ValueTask.FromResult(true),
                cancellationToken);
            try
            {
                var reached = found!.Reached ?? await WaitAsync(found.Pending!, request.WaitPolicy?.LifecycleStage ?? default, cancellationToken);
                return new UpdateWorkflowExecutionResponse
                {
                    UpdateRef = new() { UpdateId = request.Request.Meta.UpdateId, WorkflowExecution = found.Execution }, Outcome = reached.Outcome, Stage = reached.Stage,
                };
            }
            catch (UpdateMovedException) when (request.WorkflowExecution.RunId.Length == 0)
            {
                // Its run has continued as another, which gets it.
                execution = request.WorkflowExecution;
            }
            catch (UpdateMovedException)
            {
                throw RpcErrors.WorkflowCompleted();
            }
        }
    }

    private static async ValueTask<Found> FindOrAdmitAsync(RunChange change, UpdateWorkflowExecutionRequest request, CancellationToken cancellationToken)
    {
        var (run, state, id) = (change.Run, change.State, request.Request.Meta.UpdateId);
        if (request.FirstExecutionRunId.Length > 0 && state.FirstRunId.ToString() != request.FirstExecutionRunId) throw RpcErrors.NotFound("workflow execution not found");
        if (await KnownAsync(run, id, cancellationToken) is { } known) return known;
        if (!state.IsRunning) throw RpcErrors.WorkflowCompleted();
        var inFlight = run.Updates.Count + state.Updates.Values.Count(accepted => accepted.CompletedId == 0 && run.Updates.Find(accepted.UpdateId) is null);
        if (inFlight >= MostInFlight)
        {
            throw RpcErrors.With(
                StatusCode.ResourceExhausted, $"limit on number of concurrent in-flight updates has been reached ({MostInFlight})",
                new Temporalio.Api.ErrorDetails.V1.ResourceExhaustedFailure { Cause = ResourceExhaustedCause.ConcurrentLimit, Scope = ResourceExhaustedScope.Namespace });
        }
        if (state.UpdateCount + run.Updates.Count >= MostUpdates)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"The limit on the total number of distinct updates in this workflow has been reached ({MostUpdates})."));
        }
        var pending = run.Updates.Add(new PendingUpdate(id, request.Request, UpdateStage.Admitted));
        // An update does not wait for a delayed start.
        if (state.Task is null) change.ScheduleTask(speculative: true);
        return new Found(state.Execution, pending, null);
    }

    /// <summary>An update of that id that the run knows already.</summary>
    private static async ValueTask<Found?> KnownAsync(Run run, string id, CancellationToken cancellationToken)
    {
        var state = run.State!;
        if (run.Updates.Find(id) is { } pending) return new Found(state.Execution, pending, null);
        if (!state.Updates.TryGetValue(id, out var update)) return null;
        if (update.CompletedId != 0)
        {
            var outcome = (await run.ReadEventAsync(update.CompletedId, cancellationToken)).WorkflowExecutionUpdateCompletedEventAttributes.Outcome;
            return new Found(state.Execution, null, new(UpdateWorkflowExecutionLifecycleStage.Completed, outcome));
        }
        if (!state.IsRunning) return new Found(state.Execution, null, new(UpdateWorkflowExecutionLifecycleStage.Completed, UpdateRegistry.CompletedBeforeOutcome));
        // Accepted before this process began: it is waited for again.
        var accepted = run.Updates.Add(new PendingUpdate(id, null, UpdateStage.Accepted));
        accepted.Accept();
        return new Found(state.Execution, accepted, null);
    }

    private async Task<PollWorkflowExecutionUpdateResponse> PollAsync(PollWorkflowExecutionUpdateRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (string.IsNullOrEmpty(request.UpdateRef?.UpdateId)) throw RpcErrors.Invalid("UpdateRef is not set on request.");
        var key = await lookup.FindAsync(request.Namespace, request.UpdateRef.WorkflowExecution, call.CancellationToken);
        var found = await host.ReadAsync(key, run => KnownAsync(run, request.UpdateRef.UpdateId, call.CancellationToken), call.CancellationToken)
            ?? throw RpcErrors.NotFound($"update {request.UpdateRef.UpdateId} not found");
        try
        {
            var reached = found.Reached ?? await WaitAsync(found.Pending!, request.WaitPolicy?.LifecycleStage ?? default, call.CancellationToken);
            return new PollWorkflowExecutionUpdateResponse
            {
                Outcome = reached.Outcome, Stage = reached.Stage, UpdateRef = new() { UpdateId = request.UpdateRef.UpdateId, WorkflowExecution = found.Execution },
            };
        }
        catch (UpdateMovedException)
        {
            throw RpcErrors.WorkflowCompleted();
        }
    }

    private async Task<UpdateStageReached> WaitAsync(PendingUpdate update, UpdateWorkflowExecutionLifecycleStage stage, CancellationToken cancellationToken)
    {
        var awaited = stage switch
        {
            UpdateWorkflowExecutionLifecycleStage.Completed => (Task)update.Completed,
            UpdateWorkflowExecutionLifecycleStage.Accepted => update.Accepted,
            _ => Task.CompletedTask,
        };
        try
        {
            await awaited.WaitAsync(LongPoll, host.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // What it has reached is the answer.
        }
        if (update.Completed.IsCompleted) return new(UpdateWorkflowExecutionLifecycleStage.Completed, await update.Completed);
        if (update.Accepted.IsCompleted)
        {
            await update.Accepted;
            return new(UpdateWorkflowExecutionLifecycleStage.Accepted, null);
        }
        return new(UpdateWorkflowExecutionLifecycleStage.Admitted, null);
    }

    /// <summary>Update-with-start is the one combination there is: a start, and an update of the run it finds or begins.</summary>
    private async Task<ExecuteMultiOperationResponse> MultiOperationAsync(ExecuteMultiOperationRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (request.Operations.Count != 2 || request.Operations[0].StartWorkflow is not { } start || request.Operations[1].UpdateWorkflow is not { } update)
        {
            throw RpcErrors.Invalid("Operations have to be exactly [Start, Update].");
        }
        if (start.WorkflowId != update.WorkflowExecution?.WorkflowId) throw RpcErrors.Invalid("WorkflowId is not consistent with previous operation(s)");
        StartWorkflowExecutionResponse? started = null;
        try
        {
            Validate(update);
            started = await StartForUpdateAsync(start, update, call.CancellationToken);
            var updated = await UpdateAsync(update, started.RunId, call.CancellationToken);
            return new ExecuteMultiOperationResponse
            {
                Responses =
                {
                    new ExecuteMultiOperationResponse.Types.Response { StartWorkflow = started },
                    new ExecuteMultiOperationResponse.Types.Response { UpdateWorkflow = updated },
                },
            };
        }
        catch (Exception fault) when (fault is RpcException or AlreadyStartedException)
        {
            throw MultiOperationErrors.Failed(fault, startFailed: started is null);
        }
    }

    /// <summary>An update that the present run knows, of the same id, is found whatever the policies of the start say.</summary>
    private async Task<StartWorkflowExecutionResponse> StartForUpdateAsync(StartWorkflowExecutionRequest start, UpdateWorkflowExecutionRequest update, CancellationToken cancellationToken)
    {
        if (await host.CurrentAsync(start.Namespace, start.WorkflowId, cancellationToken) is { } current)
        {
            var known = await host.ReadAsync(
                new RunKey(start.Namespace, current),
                run => ValueTask.FromResult(run.State!.Updates.ContainsKey(update.Request.Meta.UpdateId) || run.Updates.Find(update.Request.Meta.UpdateId) is not null ? run.State : null),
                cancellationToken);
            if (known is not null && start.WorkflowIdConflictPolicy != WorkflowIdConflictPolicy.TerminateExisting)
            {
                return new StartWorkflowExecutionResponse { RunId = current.ToString(), Started = false, Status = known.Status };
            }
        }
        return await starts.StartAsync(start, cancellationToken, hasMore: true);
    }

    private static void Validate(UpdateWorkflowExecutionRequest request)
    {
        const int LongestId = 1000;
        if (request.Request?.Input is null) throw RpcErrors.Invalid("Update input is not set on request.");
        if (request.Request.Input.Name.Length == 0) throw RpcErrors.Invalid("Update name is not set on request.");
        request.Request.Meta ??= new();
        if (request.Request.Meta.UpdateId.Length == 0) request.Request.Meta.UpdateId = Guid.NewGuid().ToString();
        if (request.Request.Meta.UpdateId.Length > LongestId) throw RpcErrors.Invalid("UpdateId length exceeds limit.");
        if (request.WaitPolicy?.LifecycleStage == UpdateWorkflowExecutionLifecycleStage.Admitted)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, "wait policy ADMITTED is not supported for Workflow Updates"));
        }
    }
}
