using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>A gRPC service by the messages of the SDK, for which there is no generated base class.</summary>
internal abstract class GrpcService
{
    /// <summary>As on the wire, with its package.</summary>
    public abstract string ServiceName { get; }

    /// <summary>Adds each method once. What is not added answers UNIMPLEMENTED.</summary>
    public abstract void Map(GrpcMethods methods);
}

/// <summary>Collects the methods of one service.</summary>
internal sealed class GrpcMethods(Action<string, Delegate, System.Type, System.Type> add)
{
    public void Add<TRequest, TResponse>(string name, Func<TRequest, ServerCallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new() => add(name, handler, typeof(TRequest), typeof(TResponse));
}

/// <summary>Binds a <see cref="GrpcService"/> to the gRPC server.</summary>
internal sealed class GrpcServiceMethods<TService>(IServiceProvider services) : IServiceMethodProvider<TService> where TService : GrpcService
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        var service = services.GetRequiredService<TService>();
        service.Map(new GrpcMethods((name, handler, request, response) =>
            typeof(GrpcServiceMethods<TService>).GetMethod(nameof(Add), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!
                .MakeGenericMethod(request, response).Invoke(null, [context, service.ServiceName, name, handler])));
    }

    private static void Add<TRequest, TResponse>(
        ServiceMethodProviderContext<TService> context, string serviceName, string name, Func<TRequest, ServerCallContext, Task<TResponse>> handler)
        where TRequest : class, IMessage<TRequest>, new()
        where TResponse : class, IMessage<TResponse>, new()
    {
        var method = new Method<TRequest, TResponse>(MethodType.Unary, serviceName, name, Messages.Marshaller<TRequest>(), Messages.Marshaller<TResponse>());
        context.AddUnaryMethod(method, [], (_, request, call) => handler(request, call));
    }
}

/// <summary>Messages on the wire.</summary>
internal static class Messages
{
    /// <summary>Clients know a message that is too large by the text of this error, and don't send it again.</summary>
    public const int LargestRequest = 4 * 1024 * 1024;

    public static Marshaller<T> Marshaller<T>() where T : class, IMessage<T>, new()
    {
        var parser = new MessageParser<T>(() => new T());
        return new Marshaller<T>(
            static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => context.PayloadLength <= LargestRequest
                ? parser.ParseFrom(context.PayloadAsReadOnlySequence())
                : throw new RpcException(new Status(
                    StatusCode.ResourceExhausted, $"grpc: received message larger than max ({context.PayloadLength} vs. {LargestRequest})")));
    }
}
