using System.Collections.Concurrent;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher;

/// <summary>A runtime whose agents do nothing but what a test says: for timing, order and faults.</summary>
internal sealed class FakeRuntime : IAgentRuntime
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<RuntimeExit>> running = new();

    public string Name => "process";
    public LaunchException? LaunchFault { get; set; }
    public ConcurrentDictionary<Guid, AgentLaunch> Started { get; } = new();
    public ConcurrentQueue<Guid> Stopped { get; } = new();
    public ConcurrentQueue<Guid> Removed { get; } = new();
    /// <summary>Left by somebody this dispatcher does not know.</summary>
    public ConcurrentDictionary<Guid, string> Strays { get; } = new();

    public void Exit(Guid attemptId, int? exitCode = 0, bool outOfMemory = false, string logTail = "") =>
        running[attemptId].TrySetResult(new RuntimeExit(exitCode, outOfMemory, logTail));

    public Task InitializeAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task PrepareAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken) =>
        LaunchFault is { } fault ? Task.FromException(fault) : Task.CompletedTask;

    public Task<string> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        running.TryAdd(launch.AttemptId, new(TaskCreationOptions.RunContinuationsAsynchronously));
        Started[launch.AttemptId] = launch;
        return Task.FromResult($"fake:{launch.AttemptId}");
    }

    public Task<RuntimeExit> WaitAsync(Guid attemptId, string runtimeId, CancellationToken cancellationToken) =>
        running.TryGetValue(attemptId, out var exit) ? exit.Task.WaitAsync(cancellationToken) : Task.FromResult(new RuntimeExit(null, false, ""));

    public Task StopAsync(Guid attemptId, string runtimeId, TimeSpan grace, CancellationToken cancellationToken)
    {
        Stopped.Enqueue(attemptId);
        if (running.TryGetValue(attemptId, out var exit)) exit.TrySetResult(new RuntimeExit(143, false, ""));
        return Task.CompletedTask;
    }

    public Task RemoveAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        Removed.Enqueue(attemptId);
        running.TryRemove(attemptId, out _);
        Strays.TryRemove(attemptId, out _);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<FoundAgent>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<FoundAgent>>(
        [.. running.Keys.Select(id => new FoundAgent(id, $"fake:{id}")), .. Strays.Select(stray => new FoundAgent(stray.Key, stray.Value))]);
}
