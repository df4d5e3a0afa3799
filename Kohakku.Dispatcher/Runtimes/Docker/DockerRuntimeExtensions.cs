namespace Kohakku.Dispatcher.Runtimes.Docker;

internal static class DockerRuntimeExtensions
{
    /// <summary>
    /// The runtime <c>local</c>. Takes from the container: <see cref="RuntimeOptions"/>, <see cref="IDispatcherIdentity"/>,
    /// <see cref="Sockets.AttemptSockets"/> and <see cref="TimeProvider"/>.
    /// </summary>
    public static IServiceCollection AddDockerRuntime(this IServiceCollection services) => services.AddSingleton<IAgentRuntime, DockerRuntime>();
}
