using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes;

/// <summary>
/// Where agents run. Everything is addressed by the attempt's id, which the runtime writes on what it starts (a container's
/// label, a folder's name), so that a dispatcher that comes back finds its own again. All members may be called at once for
/// different attempts; of one attempt only <see cref="StopAsync"/> runs beside <see cref="WaitAsync"/>.
/// </summary>
internal interface IAgentRuntime
{
    /// <summary><c>process</c>, <c>local</c> or <c>worker</c>, as <c>RUNTIME_BACKEND</c> names it.</summary>
    string Name { get; }

    /// <summary>Checks once at start that the runtime can be used: engine reachable, runner there, folders writable.</summary>
    /// <exception cref="RuntimeUnavailableException">With one line that says what is missing and how to get it.</exception>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>Makes the agent's image present. Pulls of one image are one pull; <paramref name="progress"/> hears percentages.</summary>
    /// <exception cref="LaunchException">The image can't be had.</exception>
    Task PrepareAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken);

    /// <summary>Starts the runner with the agent. Starting the same attempt twice finds the first start.</summary>
    /// <returns>The runtime's id of it: the container's id, or <c>pid:start time</c>.</returns>
    /// <exception cref="LaunchException">It could not be started; nothing is left behind.</exception>
    Task<string> StartAsync(AgentLaunch launch, CancellationToken cancellationToken);

    /// <summary>Waits for the end of what runs, also of what an earlier process of this dispatcher started.</summary>
    Task<RuntimeExit> WaitAsync(Guid attemptId, string runtimeId, CancellationToken cancellationToken);

    /// <summary>SIGTERM, then SIGKILL after <paramref name="grace"/>, to all that the attempt started. Nothing there is no error.</summary>
    Task StopAsync(Guid attemptId, string runtimeId, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Removes all traces of the attempt: container, socket folder, workspace. Nothing there is no error.</summary>
    Task RemoveAsync(Guid attemptId, CancellationToken cancellationToken);

    /// <summary>All attempts of this dispatcher instance (and of no other) of which something is left, running or not.</summary>
    Task<IReadOnlyList<FoundAgent>> ListAsync(CancellationToken cancellationToken);
}

/// <summary>What to start.</summary>
/// <param name="DispatcherUrl">Where a runner without a socket reaches the dispatcher.</param>
internal sealed record AgentLaunch(
    Guid AttemptId, Guid TaskId, OrderedAgent Agent, ResourceLimits Resources, string Token, Uri DispatcherUrl, string? TraceParent);

/// <param name="ExitCode">The runner's; null when nobody knows any more. 0: it reported the agent's end itself.</param>
/// <param name="LogTail">What the runner itself last wrote, for when it died without reporting; may be empty.</param>
internal sealed record RuntimeExit(int? ExitCode, bool OutOfMemory, string LogTail);

/// <param name="RuntimeId">Null when it was created but never started.</param>
internal sealed record FoundAgent(Guid AttemptId, string? RuntimeId);

/// <summary>An attempt that could not be started.</summary>
/// <param name="reason"><see cref="FailureReason.ImagePull"/> or <see cref="FailureReason.StartFailed"/>.</param>
/// <param name="message">What happened and what to do, for a person.</param>
/// <param name="transient">False when trying again can't help (no such image): then it is not retried as an infrastructure fault.</param>
internal sealed class LaunchException(FailureReason reason, string message, bool transient, Exception? inner = null) : Exception(message, inner)
{
    public FailureReason Reason { get; } = reason;
    public bool Transient { get; } = transient;
}

/// <summary>The chosen runtime can't be used on this machine.</summary>
internal sealed class RuntimeUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
