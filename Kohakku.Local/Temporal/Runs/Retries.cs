using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>When something that failed is tried again. The rules are those of the protocol's <c>RetryPolicy</c>.</summary>
internal static class Retries
{
    /// <summary>Before the name of a timeout in the list of errors that are not retried.</summary>
    private const string TimeoutTypePrefix = "TemporalTimeout:";
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(1);
    private const double DefaultCoefficient = 2;
    private const int DefaultMaximumFactor = 100;

    /// <summary>The policy with what it leaves open filled in.</summary>
    public static RetryPolicy WithDefaults(RetryPolicy? given)
    {
        var policy = given?.Clone() ?? new RetryPolicy();
        if (policy.InitialInterval.ToSpan() == TimeSpan.Zero) policy.InitialInterval = DefaultInterval.ToDuration();
        if (policy.MaximumInterval.ToSpan() == TimeSpan.Zero) policy.MaximumInterval = (policy.InitialInterval.ToSpan() * DefaultMaximumFactor).ToDuration();
        if (policy.BackoffCoefficient == 0) policy.BackoffCoefficient = DefaultCoefficient;
        return policy;
    }

    /// <summary>What is wrong with a policy; null when nothing is.</summary>
    public static string? Fault(RetryPolicy? policy)
    {
        if (policy is null || policy.MaximumAttempts == 1) return null;
        if (policy.InitialInterval.ToSpan() < TimeSpan.Zero) return "InitialInterval cannot be negative on retry policy.";
        if (policy.BackoffCoefficient < 1) return "BackoffCoefficient cannot be less than 1 on retry policy.";
        if (policy.MaximumInterval.ToSpan() < TimeSpan.Zero) return "MaximumInterval cannot be negative on retry policy.";
        if (policy.MaximumInterval.ToSpan() > TimeSpan.Zero && policy.MaximumInterval.ToSpan() < policy.InitialInterval.ToSpan())
        {
            return "MaximumInterval cannot be less than InitialInterval on retry policy.";
        }
        return policy.MaximumAttempts < 0 ? "MaximumAttempts cannot be negative on retry policy." : null;
    }

    /// <summary>How long to wait before the next attempt, or why there is none.</summary>
    /// <param name="attempt">The one that failed, from 1.</param>
    /// <param name="deadline">By when the next attempt must have begun.</param>
    public static (TimeSpan? Delay, RetryState State) Next(RetryPolicy? policy, int attempt, Failure? failure, DateTimeOffset now, DateTimeOffset? deadline)
    {
        if (policy is null) return (null, RetryState.RetryPolicyNotSet);
        if (!IsRetryable(failure, policy)) return (null, IsDeadline(failure) ? RetryState.Timeout : RetryState.NonRetryableFailure);
        if (policy.MaximumAttempts > 0 && attempt >= policy.MaximumAttempts) return (null, RetryState.MaximumAttemptsReached);
        var delay = failure?.ApplicationFailureInfo?.NextRetryDelay is { } given ? given.ToSpan() : Interval(policy, attempt);
        if (deadline is { } end && now + delay > end) return (null, RetryState.Timeout);
        return (delay, RetryState.InProgress);
    }

    private static TimeSpan Interval(RetryPolicy policy, int attempt)
    {
        var ticks = policy.InitialInterval.ToSpan().Ticks * Math.Pow(policy.BackoffCoefficient, attempt - 1);
        var most = policy.MaximumInterval.ToSpan();
        if (most == TimeSpan.Zero) most = policy.InitialInterval.ToSpan() * DefaultMaximumFactor;
        return ticks >= most.Ticks ? most : TimeSpan.FromTicks((long)ticks);
    }

    private static bool IsDeadline(Failure? failure) =>
        failure?.TimeoutFailureInfo is { TimeoutType: TimeoutType.ScheduleToStart or TimeoutType.ScheduleToClose };

    public static bool IsRetryable(Failure? failure, RetryPolicy policy) => failure switch
    {
        null => true,
        { TerminatedFailureInfo: not null } or { CanceledFailureInfo: not null } => false,
        { TimeoutFailureInfo: { } timeout } => timeout.TimeoutType is TimeoutType.StartToClose or TimeoutType.Heartbeat
            && !policy.NonRetryableErrorTypes.Contains(TimeoutTypePrefix + timeout.TimeoutType),
        { ServerFailureInfo: { } server } => !server.NonRetryable,
        { ApplicationFailureInfo: { } application } => !application.NonRetryable && !policy.NonRetryableErrorTypes.Contains(application.Type),
        _ => true,
    };
}
