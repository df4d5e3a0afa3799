using Kohakku.Contracts.AgentProtocol;
using Kohakku.Dispatcher.Attempts;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>
/// <c>POST /agent/v1/heartbeat</c>: a sign of life, answered with what is to be done. With <c>?wait=</c> a long poll: the answer comes as
/// soon as there is an order or a message, else after so many seconds.
/// </summary>
internal static class HeartbeatEndpoint
{
    private const int LongestWaitSeconds = 30;

    public static async Task<IResult> BeatAsync(HttpContext context, TimeProvider time, IHostApplicationLifetime lifetime, int wait = 0)
    {
        var attempt = context.Attempt();
        // Half the silence that ends an attempt at most: the next beat must come in time.
        var longest = Math.Min(LongestWaitSeconds, attempt.HeartbeatTimeout.TotalSeconds / 2);
        var answer = await AnswerAsync(attempt, TimeSpan.FromSeconds(Math.Clamp(wait, 0, longest)), time, context.RequestAborted, lifetime.ApplicationStopping);
        return new DeliveredAnswer(attempt, answer);
    }

    private static async Task<AgentHeartbeat> AnswerAsync(
        Attempt attempt, TimeSpan wait, TimeProvider time, CancellationToken aborted, CancellationToken stopping)
    {
        var started = time.GetTimestamp();
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping, attempt.Stopping);
        while (true)
        {
            var changed = attempt.Mailbox.Changed.Next;
            var status = attempt.Status;
            var messages = attempt.Mailbox.Undelivered();
            if (status.Stop is { } stop) return new AgentHeartbeat(AgentOrder.Stop, status.StopReason ?? stop.ToString(), messages);
            var left = wait - time.GetElapsedTime(started);
            if (messages.Count > 0 || left <= TimeSpan.Zero || aborted.IsCancellationRequested || stopping.IsCancellationRequested)
                return new AgentHeartbeat(AgentOrder.Continue, null, messages);
            await changed.WithinAsync(left, time, wake.Token);
        }
    }

    /// <summary>Messages count as delivered only when the answer has gone out; else they come again.</summary>
    private sealed class DeliveredAnswer(Attempt attempt, AgentHeartbeat answer) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            await TypedResults.Ok(answer).ExecuteAsync(httpContext);
            if (!httpContext.RequestAborted.IsCancellationRequested) attempt.Mailbox.MarkDelivered(answer.Messages);
        }
    }
}
