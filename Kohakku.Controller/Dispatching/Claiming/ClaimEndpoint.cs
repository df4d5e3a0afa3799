using System.Diagnostics.CodeAnalysis;
using Kohakku.Contracts.Dispatching;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Dispatching.Claiming;

internal static class ClaimEndpoint
{
    private const int MostSlots = 1_000;
    private const int LongestWaitSeconds = 60;
    private const int MostImmediateTries = 3;

    // What no signal told of is seen by looking now and then: a transaction that ended without a word, another controller's lost notification.
    private static readonly TimeSpan SafetyPoll = TimeSpan.FromSeconds(2);

    /// <summary>The long poll. Empty when there was nothing until the wait ended, or this controller stops.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "It only spreads the polls of many dispatchers.")]
    public static async Task<Results<Ok<ClaimAnswer>, ProblemHttpResult>> ClaimAsync(
        Guid id, ClaimRequest request, ClaimQueue queue, ClaimWaiters waiters, TimeProvider time, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        if (Check(request) is { } refusal) return refusal;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        using var waiter = waiters.Enter(request.Slots);
        var started = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            waiter.Look();
            var result = await queue.TryClaimAsync(id, request, cancellationToken);
            waiter.Took(result.Orders.Count);
            if (result.Verdict == ClaimVerdict.UnknownDispatcher) return Problems.NotFound($"No dispatcher {id} is registered here.");
            if (result.Verdict == ClaimVerdict.Superseded) return SessionProblems.Superseded();
            if (result.Orders.Count > 0 || result.Repeated) return TypedResults.Ok(new ClaimAnswer(result.Orders));
            if (result.Passed && tries < MostImmediateTries) continue;

            var left = TimeSpan.FromSeconds(request.WaitSeconds) - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || lifetime.ApplicationStopping.IsCancellationRequested) return TypedResults.Ok(new ClaimAnswer([]));
            var poll = SafetyPoll * (0.75 + Random.Shared.NextDouble() / 2);
            try
            {
                await waiter.WaitAsync(left < poll ? left : poll, time, ended.Token);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return TypedResults.Ok(new ClaimAnswer([]));
            }
        }
    }

    private static ProblemHttpResult? Check(ClaimRequest request)
    {
        var faults = new Faults();
        if (request.RequestId == Guid.Empty) faults.Add("requestId", "must not be the empty UUID");
        if (request.Slots is < 1 or > MostSlots) faults.Add("slots", $"must be from 1 to {MostSlots}");
        if (request.WaitSeconds is < 0 or > LongestWaitSeconds) faults.Add("waitSeconds", $"must be from 0 to {LongestWaitSeconds}");
        return faults.Any ? Problems.Unprocessable(faults) : null;
    }
}
