using Kohakku.Agent.Attempt;
using Kohakku.Agent.Logs;
using Kohakku.Agent.Processes;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Protocol;

/// <summary>Shows the dispatcher that the runner lives, from the first call to the last, and hears its orders.</summary>
internal sealed class Heartbeats(DispatcherClient dispatcher, Stops stops, LogBuffer log, TimeProvider time)
{
    /// <summary>A dispatcher that answers at once, whatever it is asked to wait, is not to be flooded.</summary>
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var noted = new HashSet<Guid>();
        try
        {
            while (true)
            {
                var begun = time.GetTimestamp();
                var answer = await dispatcher.BeatAsync(cancellationToken);
                if (answer.Order == AgentOrder.Stop) stops.Request(StopOf(answer.Reason));
                foreach (var message in answer.Messages)
                {
                    if (noted.Add(message.Id)) log.Note($"{message.Kind} received; an agent of mode exec can't be spoken to: {message.Body}");
                }
                if (time.GetElapsedTime(begun) is var elapsed && elapsed < ShortestInterval)
                {
                    await Task.Delay(ShortestInterval - elapsed, time, cancellationToken);
                }
            }
        }
        catch (LinkEndedException fault)
        {
            stops.Request(new Stop(fault.Message, SignalFor(fault.End), FailureReason.HeartbeatLost, fault.End.ExitCode));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The attempt has ended.
        }
        catch (RunnerFault fault)
        {
            stops.Request(new Stop($"The runner's heartbeat failed: {fault.Message}", Signals.Terminate, FailureReason.StartFailed));
        }
    }

    /// <summary>An attempt that is over must do no more harm, not even while it tidies up.</summary>
    public static int SignalFor(LinkEnd end) => end.ExitCode == ExitCodes.Superseded ? Signals.Kill : Signals.Terminate;

    private static Stop StopOf(string? reason)
    {
        var word = string.IsNullOrWhiteSpace(reason) ? "stopped" : reason;
        var cause = word switch
        {
            "timeout" or "timedOut" => FailureReason.Timeout,
            "budgetExceeded" => FailureReason.BudgetExceeded,
            _ => FailureReason.Canceled,
        };
        return new Stop($"The agent was stopped: {word.TrimEnd('.')}.", Signals.Terminate, cause);
    }
}
