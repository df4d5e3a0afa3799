using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Failure.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Errors as clients know them: a status, and one detail that says more (<c>grpc-status-details-bin</c>, a google.rpc.Status).</summary>
internal static class RpcErrors
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    public static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    public static RpcException NotFound(string message) => new(new Status(StatusCode.NotFound, message));

    public static RpcException Unimplemented(string message) => new(new Status(StatusCode.Unimplemented, message));

    public static RpcException WorkflowCompleted() => NotFound("workflow execution already completed");

    public static RpcException AlreadyStarted(AlreadyStartedException fault) => With(
        StatusCode.AlreadyExists, fault.Message,
        new WorkflowExecutionAlreadyStartedFailure { StartRequestId = fault.StartRequestId, RunId = fault.RunId.ToString() });

    public static RpcException NamespaceNotFound(string name) =>
        With(StatusCode.NotFound, $"Namespace {name} is not found.", new NamespaceNotFoundFailure { Namespace = name });

    public static RpcException QueryFailed(string message, Failure? failure) =>
        With(StatusCode.InvalidArgument, message, new QueryFailedFailure { Failure = failure });

    public static RpcException NotReady(string message) => With(StatusCode.FailedPrecondition, message, new WorkflowNotReadyFailure());

    public static RpcException With(StatusCode code, string message, IMessage detail)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message, Details = { Any.Pack(detail) } };
        return new RpcException(new Status(code, message), new Metadata { { DetailsTrailer, status.ToByteArray() } });
    }
}
