using System.Diagnostics.CodeAnalysis;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Attempt;

/// <summary>Why the agent is to end before its time.</summary>
/// <param name="Message">For a person.</param>
/// <param name="Signal">What the agent's group gets first; SIGKILL follows after the grace period.</param>
/// <param name="Reason">What the result carries.</param>
/// <param name="ExitCode">Set when there is nobody to report to any more: how the runner ends.</param>
internal sealed record Stop(string Message, int Signal, FailureReason Reason, int? ExitCode = null);

/// <summary>
/// The first stop decides how the agent is stopped; one that leaves nobody to report to overrides an earlier one's report.
/// All members may be called from any thread.
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable",
    Justification = "Lives as long as the process; a late signal must find it alive.")]
internal sealed class Stops
{
    private readonly TaskCompletionSource<Stop> requested = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource cancellation = new();
    private Stop? final;

    public Task<Stop> Requested => requested.Task;

    /// <summary>Cancelled with the first request.</summary>
    public CancellationToken Token => cancellation.Token;

    /// <summary>Set once nobody is left to report to.</summary>
    public Stop? NobodyToReportTo => Volatile.Read(ref final);

    public void Request(Stop stop)
    {
        if (stop.ExitCode is not null) Interlocked.CompareExchange(ref final, stop, null);
        if (requested.TrySetResult(stop)) cancellation.Cancel();
    }
}
