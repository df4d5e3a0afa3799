using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Claiming;
using Kohakku.Dispatcher.Registration;

namespace Kohakku.Dispatcher.Heartbeat;

/// <summary>Renews the leases of all attempts held here, and brings back what the controller wants of them: stops, messages, drain.</summary>
internal sealed partial class HeartbeatLoop(
    ControllerClient controller, DispatcherSession session, AttemptTable attempts, AgentSlots slots, DrainState drain, TimeProvider time,
    ILogger<HeartbeatLoop> logger) : BackgroundService
{
    // Words of a stop that say the attempt is not ours any more; any other asks for an end in order.
    private static readonly string[] Fencing = ["superseded", "stale", "lost", "ended"];
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await drain.ReadyAsync(stoppingToken);
            while (true)
            {
                var registration = await session.CurrentAsync(stoppingToken);
                var beaten = await RunOnceAsync(registration, stoppingToken);
                var interval = TimeSpan.FromSeconds(Math.Clamp(registration.HeartbeatSeconds, 1, 60));
                await Task.Delay(beaten ? interval : RetryPause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end of the process.
        }
    }

    /// <returns>False when the controller did not answer.</returns>
    internal async Task<bool> RunOnceAsync(DispatcherRegistration registration, CancellationToken cancellationToken)
    {
        // Also of ended ones: nobody may end them otherwise while their end is on its way.
        var request = new HeartbeatRequest(registration.Session, [.. attempts.All.Select(attempt => attempt.Id)], drain.IsDraining ? 0 : slots.Free);
        try
        {
            var answer = await controller.HeartbeatAsync(
                registration.Id, request, TimeSpan.FromSeconds(Math.Clamp(registration.HeartbeatSeconds, 1, 60)), cancellationToken);
            await ApplyAsync(answer);
            return true;
        }
        catch (ControllerException fault)
        {
            if (!session.IsSuperseded) LogFailed(fault.Message);
            session.Report(registration, fault);
            return false;
        }
    }

    private async Task ApplyAsync(HeartbeatAnswer answer)
    {
        drain.Order(answer.Drain);
        foreach (var order in answer.Stop)
        {
            if (attempts.Find(order.AttemptId) is not { } attempt) continue;
            var cause = Fencing.Contains(order.Reason) ? StopCause.Fenced : StopCause.Canceled;
            var words = order.Reason == "canceled" ? null : $"The controller stopped it: {attempt.Redactor.Text(order.Reason)}.";
            if (attempt.Apply(new AttemptInput.StopOrdered(cause, words))) LogStop(order.AttemptId, order.Reason);
        }
        foreach (var message in answer.Messages)
        {
            if (attempts.Find(message.AttemptId) is { } attempt) await attempt.Mailbox.DeliverAsync(message);
        }
    }

    [LoggerMessage(320, LogLevel.Warning, "A heartbeat brought no answer: {Fault}")]
    private partial void LogFailed(string fault);

    [LoggerMessage(321, LogLevel.Information, "Stopping attempt {AttemptId}: {Reason}")]
    private partial void LogStop(Guid attemptId, string reason);
}
