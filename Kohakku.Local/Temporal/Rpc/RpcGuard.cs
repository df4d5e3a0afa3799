using Grpc.Core;
using Grpc.Core.Interceptors;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Visibility;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Makes of what a handler throws the status that the client should see.</summary>
internal sealed partial class RpcGuard(ILogger<RpcGuard> logger) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (AlreadyStartedException fault)
        {
            throw RpcErrors.AlreadyStarted(fault);
        }
        catch (InvalidQueryException fault)
        {
            throw RpcErrors.Invalid($"invalid query: {fault.Message}");
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.Cancelled, "The call was canceled."));
        }
        catch (Exception fault) when (fault is NpgsqlException or StorageException or TimeoutException)
        {
            LogStorage(context.Method, fault);
            throw new RpcException(new Status(StatusCode.Unavailable, "The database can't be reached."));
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            LogFault(context.Method, fault);
            throw new RpcException(new Status(StatusCode.Internal, $"{context.Method} failed; the server's log says why."));
        }
    }

    [LoggerMessage(3301, LogLevel.Warning, "{Method}: the database can't be reached.")]
    private partial void LogStorage(string method, Exception fault);

    [LoggerMessage(3302, LogLevel.Error, "{Method} failed.")]
    private partial void LogFault(string method, Exception fault);
}
