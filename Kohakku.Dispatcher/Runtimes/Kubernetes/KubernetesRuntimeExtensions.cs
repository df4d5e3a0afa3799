namespace Kohakku.Dispatcher.Runtimes.Kubernetes;

internal static class KubernetesRuntimeExtensions
{
    /// <summary>
    /// The runtime <c>worker</c>. Takes from the container: <see cref="RuntimeOptions"/>, <see cref="IDispatcherIdentity"/> and <see cref="TimeProvider"/>.
    /// </summary>
    public static IServiceCollection AddKubernetesRuntime(this IServiceCollection services) => services.AddSingleton<IAgentRuntime, KubernetesRuntime>();
}
