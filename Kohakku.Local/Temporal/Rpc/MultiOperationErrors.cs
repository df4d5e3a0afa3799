using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Failure.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>The error of two operations of which one failed: it tells of each.</summary>
internal static class MultiOperationErrors
{
    /// <param name="startFailed">Else the update did.</param>
    public static RpcException Failed(Exception fault, bool startFailed)
    {
        var error = fault is AlreadyStartedException taken ? RpcErrors.AlreadyStarted(taken) : (RpcException)fault;
        var failed = StatusOf(error);
        var aborted = new MultiOperationExecutionFailure.Types.OperationStatus
        {
            Code = (int)StatusCode.Aborted, Message = "Operation was aborted.", Details = { Any.Pack(new MultiOperationExecutionAborted()) },
        };
        var detail = new MultiOperationExecutionFailure();
        detail.Statuses.Add(startFailed ? [failed, aborted] : [new MultiOperationExecutionFailure.Types.OperationStatus { Code = (int)StatusCode.OK }, failed]);
        return RpcErrors.With(error.StatusCode, startFailed ? "Update-with-Start could not be executed: start failed." : $"Update-with-Start could not be executed: {error.Status.Detail}", detail);
    }

    private static MultiOperationExecutionFailure.Types.OperationStatus StatusOf(RpcException error)
    {
        var status = new MultiOperationExecutionFailure.Types.OperationStatus { Code = (int)error.StatusCode, Message = error.Status.Detail };
        if (error.Trailers.FirstOrDefault(trailer => trailer.IsBinary)?.ValueBytes is { } details) status.Details.Add(Google.Rpc.Status.Parser.ParseFrom(details).Details);
        return status;
    }
}
