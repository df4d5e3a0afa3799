using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Runtimes;

internal static class RuntimeRuns
{
    /// <summary>A whole life: prepared, started, waited for, removed.</summary>
    public static async Task<RuntimeExit> RunAsync(this IAgentRuntime runtime, AgentLaunch launch, CancellationToken cancellationToken)
    {
        await runtime.PrepareAsync(launch, new Progress<int>(), cancellationToken);
        var id = await runtime.StartAsync(launch, cancellationToken);
        var exit = await runtime.WaitAsync(launch.AttemptId, id, cancellationToken);
        await runtime.RemoveAsync(launch.AttemptId, cancellationToken);
        return exit;
    }
}
