using CsCheck;
using Google.Protobuf.WellKnownTypes;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class RetriesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<RetryPolicy> Policies =
        from initial in Gen.Long[0, 100_000_000]
        from factor in Gen.Double[1, 10]
        from most in Gen.Int[0, 1000]
        from attempts in Gen.Int[0, 5]
        select Retries.WithDefaults(new RetryPolicy
        {
            InitialInterval = Duration.FromTimeSpan(TimeSpan.FromMicroseconds(initial)),
            MaximumInterval = Duration.FromTimeSpan(TimeSpan.FromMicroseconds(initial) * most),
            BackoffCoefficient = factor,
            MaximumAttempts = attempts,
        });

    [Fact]
    public void Waits_grow_from_the_initial_interval_up_to_the_maximum() => Gen.Select(Policies, Gen.Int[1, 100_000]).Sample((policy, attempt) =>
    {
        policy.MaximumAttempts = 0;
        var first = Delay(policy, 1);
        var delay = Delay(policy, attempt);
        Assert.Equal(policy.InitialInterval.ToTimeSpan(), first);
        Assert.InRange(delay, first < policy.MaximumInterval.ToTimeSpan() ? first : policy.MaximumInterval.ToTimeSpan(), policy.MaximumInterval.ToTimeSpan());
        Assert.True(Delay(policy, attempt + 1) >= delay);
    });

    [Fact]
    public void There_are_as_many_attempts_as_the_policy_allows_and_not_one_more() => Policies.Sample(policy =>
    {
        if (policy.MaximumAttempts == 0) return;
        for (var attempt = 1; attempt < policy.MaximumAttempts; attempt++) Assert.Equal(RetryState.InProgress, Next(policy, attempt, null).State);
        Assert.Equal((null, RetryState.MaximumAttemptsReached), Next(policy, policy.MaximumAttempts, null));
    });

    [Fact]
    public void No_attempt_begins_after_the_deadline() => Gen.Select(Policies, Gen.Int[1, 20], Gen.Int[0, 100_000]).Sample((policy, attempt, left) =>
    {
        policy.MaximumAttempts = 0;
        var deadline = Now.AddMilliseconds(left);
        var (delay, state) = Retries.Next(policy, attempt, null, Now, deadline);
        if (delay is { } wait) Assert.True(Now + wait <= deadline);
        else Assert.Equal((RetryState.Timeout, true), (state, Now + Delay(policy, attempt) > deadline));
    });

    [Fact]
    public void What_the_failure_says_of_its_next_attempt_counts_more_than_the_policy()
    {
        var failure = Application("Busy");
        failure.ApplicationFailureInfo.NextRetryDelay = Duration.FromTimeSpan(TimeSpan.FromHours(3));
        Assert.Equal((TimeSpan.FromHours(3), RetryState.InProgress), Next(Retries.WithDefaults(null), 7, failure));
    }

    [Fact]
    public void Without_a_policy_nothing_is_tried_again() => Assert.Equal((null, RetryState.RetryPolicyNotSet), Next(null, 1, Application("Any")));

    [Fact]
    public void What_is_not_to_be_retried_is_not()
    {
        var policy = Retries.WithDefaults(new RetryPolicy { NonRetryableErrorTypes = { "Fatal", "TemporalTimeout:Heartbeat" } });
        (Failure Failure, RetryState State)[] cases =
        [
            (Application("Fatal"), RetryState.NonRetryableFailure),
            (Application("Other"), RetryState.InProgress),
            (new() { ApplicationFailureInfo = new() { Type = "Other", NonRetryable = true } }, RetryState.NonRetryableFailure),
            (new() { ServerFailureInfo = new() { NonRetryable = true } }, RetryState.NonRetryableFailure),
            (new() { ServerFailureInfo = new() }, RetryState.InProgress),
            (new() { CanceledFailureInfo = new() }, RetryState.NonRetryableFailure),
            (new() { TerminatedFailureInfo = new() }, RetryState.NonRetryableFailure),
            (Timeout(TimeoutType.Heartbeat), RetryState.NonRetryableFailure),
            (Timeout(TimeoutType.StartToClose), RetryState.InProgress),
            (Timeout(TimeoutType.ScheduleToStart), RetryState.Timeout),
            (Timeout(TimeoutType.ScheduleToClose), RetryState.Timeout),
            (new() { ActivityFailureInfo = new() }, RetryState.InProgress),
        ];
        foreach (var (failure, state) in cases) Assert.Equal((failure, state), (failure, Next(policy, 1, failure).State));
    }

    [Fact]
    public void What_a_policy_leaves_open_is_filled_in_and_the_given_one_stays_as_it_is()
    {
        var given = new RetryPolicy { MaximumAttempts = 3 };
        var filled = Retries.WithDefaults(given);
        Assert.Equal((1, 100, 2.0, 3), (filled.InitialInterval.Seconds, filled.MaximumInterval.Seconds, filled.BackoffCoefficient, filled.MaximumAttempts));
        Assert.Null(given.InitialInterval);
    }

    [Fact]
    public void Intervals_beyond_all_use_are_taken_all_the_same()
    {
        var policy = Retries.WithDefaults(new RetryPolicy { InitialInterval = new() { Seconds = 315_576_000_000 }, BackoffCoefficient = 1e300 });
        Assert.Null(Retries.Fault(policy));
        Assert.Equal(RetryState.InProgress, Next(policy, int.MaxValue, null).State);
        var failure = Application("Busy");
        failure.ApplicationFailureInfo.NextRetryDelay = new() { Seconds = long.MaxValue };
        Assert.Equal(RetryState.Timeout, Retries.Next(policy, 1, failure, Now, Now.AddYears(10)).State);
    }

    [Theory]
    [InlineData(-1, 0, 2, 0, "InitialInterval cannot be negative")]
    [InlineData(1, 0, 0.5, 0, "BackoffCoefficient cannot be less than 1")]
    [InlineData(1, -1, 2, 0, "MaximumInterval cannot be negative")]
    [InlineData(5, 4, 2, 0, "MaximumInterval cannot be less than InitialInterval")]
    [InlineData(1, 1, 2, -1, "MaximumAttempts cannot be negative")]
    [InlineData(-1, -1, 0, 1, null)]
    [InlineData(1, 1, 1, 0, null)]
    public void A_policy_that_makes_no_sense_is_refused(int initial, int most, double coefficient, int attempts, string? fault)
    {
        var policy = new RetryPolicy
        {
            InitialInterval = new() { Seconds = initial }, MaximumInterval = new() { Seconds = most }, BackoffCoefficient = coefficient, MaximumAttempts = attempts,
        };
        Assert.Equal(fault is null ? null : $"{fault} on retry policy.", Retries.Fault(policy));
    }

    private static TimeSpan Delay(RetryPolicy policy, int attempt) => Next(policy, attempt, null).Delay ?? throw new InvalidOperationException("It is not tried again.");

    private static (TimeSpan? Delay, RetryState State) Next(RetryPolicy? policy, int attempt, Failure? failure) => Retries.Next(policy, attempt, failure, Now, null);

    private static Failure Application(string type) => new() { ApplicationFailureInfo = new() { Type = type } };

    private static Failure Timeout(TimeoutType type) => new() { TimeoutFailureInfo = new() { TimeoutType = type } };
}
