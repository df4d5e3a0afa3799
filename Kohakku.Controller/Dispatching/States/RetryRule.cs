using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>Whether a task runs again after an attempt that did not succeed, and when.</summary>
internal static class RetryRule
{
    /// <summary>So often the infrastructure may break a generation's attempts before the task fails.</summary>
    public const int InfrastructureLimit = 5;

    /// <summary>So many orders of a generation may go unstarted: a task whose order kills its dispatcher must not live for ever.</summary>
    public const int UnstartedLimit = 20;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    /// <summary>True when the task, counted up for this failure, has an attempt left.</summary>
    public static bool MayRetry(TaskStanding counted, FailureReason reason, bool transient) => reason switch
    {
        FailureReason.Canceled => false,
        _ when reason.IsInfrastructure() => transient && counted.InfrastructureFaults <= InfrastructureLimit,
        _ => counted.AgentFailures < counted.MaxAttempts,
    };

    public static TaskStanding Count(TaskStanding task, FailureReason reason) => reason.IsInfrastructure()
        ? task with { InfrastructureFaults = task.InfrastructureFaults + 1 }
        : task with { AgentFailures = task.AgentFailures + 1 };

    /// <summary>1 s · 2ⁿ for the n-th retry from 0, at most 5 minutes, with full jitter: anything from nothing to that.</summary>
    public static TimeSpan Backoff(int retry, double jitter)
    {
        // 2⁹ s is past the cap; no need to compute what overflows.
        var ceiling = retry >= 9 ? LongestPause : TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << retry, LongestPause.Ticks));
        return ceiling * jitter;
    }
}
