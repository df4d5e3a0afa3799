using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Heartbeat;
using Kohakku.Dispatcher.Registration;

namespace Kohakku.Dispatcher.Claiming;

/// <summary>
/// One long poll at a time for as many attempts as there are free slots. A request whose answer was lost is repeated under the same id,
/// and brings the same orders. Stops asking while the dispatcher drains.
/// </summary>
internal sealed partial class ClaimLoop(
    ControllerClient controller, DispatcherSession session, AgentSlots slots, OrderIntake intake, DrainState drain, DispatcherMetrics metrics,
    TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ClaimLoop> logger) : BackgroundService
{
    private const int LargestClaim = 500;
    private const int WaitSeconds = 30;
    private readonly ClaimSize size = new(LargestClaim);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Ends when the shutdown begins, not when it is this service's turn: nothing new may start then.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            await drain.ReadyAsync(stop.Token);
            while (true) await ClaimOnceAsync(stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The end of the process.
        }
    }

    /// <returns>How many orders came.</returns>
    internal async Task<int> ClaimOnceAsync(CancellationToken cancellationToken)
    {
        await drain.WaitWhileDrainingAsync(cancellationToken);
        await intake.WaitForInlineAsync(cancellationToken);
        await slots.WaitAsync(cancellationToken);
        var asked = size.Next(slots.Free);
        var orders = await ClaimAsync(asked, cancellationToken);
        var inline = orders.Count(order => order.Agent.Mode == AgentMode.Inline);
        size.Observe(asked, inline, orders.Count - inline);
        metrics.Claimed(orders.Count);
        // Whatever happens to this process from here on, the orders are in hand: they must become durable.
        await intake.AcceptAsync(orders, CancellationToken.None);
        return orders.Count;
    }

    private async Task<IReadOnlyList<AttemptOrder>> ClaimAsync(int asked, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(5));
        var requestId = Guid.CreateVersion7();
        while (true)
        {
            var registration = await session.CurrentAsync(cancellationToken);
            try
            {
                var request = new ClaimRequest(registration.Session, requestId, asked, WaitSeconds);
                return (await controller.ClaimAsync(registration.Id, request, cancellationToken)).Attempts;
            }
            catch (ControllerException fault) when (fault.Fault is ControllerFault.UnknownSession or ControllerFault.Superseded)
            {
                // What was claimed under the old session and never started goes back to the queue.
                session.Report(registration, fault);
                requestId = Guid.CreateVersion7();
                if (fault.Fault == ControllerFault.Superseded) await drain.WaitWhileDrainingAsync(cancellationToken);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
            catch (ControllerException fault)
            {
                LogFailed(fault.Message);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    [LoggerMessage(310, LogLevel.Warning, "A claim brought no answer, asking again: {Fault}")]
    private partial void LogFailed(string fault);
}
