using System.Runtime.InteropServices;
using Kohakku.Agent.Processes;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Attempt;

/// <summary>
/// Signals sent to the runner: those that ask a process to end stop the agent with the same signal and the grace period; the
/// others are the agent's to make something of.
/// </summary>
internal sealed class SignalsToStop : IDisposable
{
    private readonly List<PosixSignalRegistration> registrations = [];

    public SignalsToStop(Stops stops, Action<int> passOn)
    {
        foreach (var number in (int[])[Signals.Terminate, Signals.Interrupt, Signals.Quit, Signals.Hangup])
        {
            Register(number, () => stops.Request(new Stop($"The runner was told to end by {Signals.NameOf(number)}.", number, FailureReason.Canceled)));
        }
        foreach (var number in (int[])[Signals.User1, Signals.User2]) Register(number, () => passOn(number));
    }

    public void Dispose()
    {
        foreach (var registration in registrations) registration.Dispose();
    }

    private void Register(int number, Action action) => registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, context =>
    {
        context.Cancel = true;
        action();
    }));
}
