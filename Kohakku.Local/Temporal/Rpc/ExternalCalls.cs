using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What clients tell a run that is under way: signals, cancel, terminate; and the deletion of runs.</summary>
internal sealed class ExternalCalls(RunHost host, RunLookup lookup, NamespaceCheck check)
{
    private const int LongestName = 1000;
    private const int LargestPayload = 2 * 1024 * 1024;

    /// <summary>More signals than this a run can't take.</summary>
    private const int MostSignals = 10_000;

    public void Map(GrpcMethods methods)
    {
        methods.Add<SignalWorkflowExecutionRequest, SignalWorkflowExecutionResponse>("SignalWorkflowExecution", SignalAsync);
        methods.Add<RequestCancelWorkflowExecutionRequest, RequestCancelWorkflowExecutionResponse>("RequestCancelWorkflowExecution", CancelAsync);
        methods.Add<TerminateWorkflowExecutionRequest, TerminateWorkflowExecutionResponse>("TerminateWorkflowExecution", TerminateAsync);
        methods.Add<DeleteWorkflowExecutionRequest, DeleteWorkflowExecutionResponse>("DeleteWorkflowExecution", DeleteAsync);
    }

    private async Task<SignalWorkflowExecutionResponse> SignalAsync(SignalWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (request.SignalName.Length == 0) throw RpcErrors.Invalid("SignalName is not set on request.");
        if (request.SignalName.Length > LongestName) throw RpcErrors.Invalid("SignalName length exceeds limit.");
        if (((IMessage?)request.Input)?.CalculateSize() > LargestPayload) throw RpcErrors.Invalid($"Blob data size exceeds limit: Input must be at most {LargestPayload} bytes.");
        await lookup.ChangeAsync(
            request.Namespace, request.WorkflowExecution,
            change =>
            {
                Open(change);
                if (change.State.SignalCount >= MostSignals) throw RpcErrors.Invalid("exceeded workflow execution limit for signal events");
                change.AddSignal(new(request.SignalName, request.Input, request.Identity, request.Header, request.RequestId) { Links = request.Links });
            },
            call.CancellationToken);
        return new SignalWorkflowExecutionResponse();
    }

    private async Task<RequestCancelWorkflowExecutionResponse> CancelAsync(RequestCancelWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        await lookup.ChangeAsync(
            request.Namespace, request.WorkflowExecution,
            change =>
            {
                OfChain(change, request.FirstExecutionRunId);
                // One that has ended needs no cancel: that is no error.
                if (!change.State.IsRunning) return;
                change.RequestCancel(request.Reason, request.Identity, links: request.Links);
            },
            call.CancellationToken);
        return new RequestCancelWorkflowExecutionResponse();
    }

    private async Task<TerminateWorkflowExecutionResponse> TerminateAsync(TerminateWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        await lookup.ChangeAsync(
            request.Namespace, request.WorkflowExecution,
            change =>
            {
                OfChain(change, request.FirstExecutionRunId);
                Open(change);
                Closing.Terminate(change, request.Reason, request.Details, request.Identity, request.Links);
            },
            call.CancellationToken);
        return new TerminateWorkflowExecutionResponse();
    }

    private async Task<DeleteWorkflowExecutionResponse> DeleteAsync(DeleteWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        var key = await lookup.FindAsync(request.Namespace, request.WorkflowExecution, call.CancellationToken);
        var workflowId = await host.ChangeAsync(
            key,
            change =>
            {
                if (change.State.IsRunning) Closing.Terminate(change, "Delete workflow execution", null, RunHost.Identity);
                return ValueTask.CompletedTask;
            },
            static run => ValueTask.FromResult(run.State!.WorkflowId),
            call.CancellationToken);
        await host.Store.DeleteAsync(key.Namespace, key.RunId, call.CancellationToken);
        host.Forget(key, workflowId);
        return new DeleteWorkflowExecutionResponse();
    }

    private static void Open(RunChange change)
    {
        if (!change.State.IsRunning) throw RpcErrors.WorkflowCompleted();
    }

    /// <summary>Whoever names the first run means its chain, not another that has taken the workflow id since.</summary>
    private static void OfChain(RunChange change, string firstRunId)
    {
        if (firstRunId.Length > 0 && change.State.FirstRunId.ToString() != firstRunId) throw RpcErrors.NotFound("workflow execution not found");
    }
}
