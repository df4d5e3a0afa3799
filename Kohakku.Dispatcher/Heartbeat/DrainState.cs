using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Registration;

namespace Kohakku.Dispatcher.Heartbeat;

/// <summary>Whether this dispatcher may take new work: not before it has adopted what runs, not while it drains. Safe for any thread.</summary>
internal sealed class DrainState(DispatcherSession session)
{
    private readonly Signal changed = new();
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ordered;

    public bool IsDraining => ordered || session.IsSuperseded;

    /// <summary>Everything of an earlier process is adopted, and agents can reach this one.</summary>
    public void MarkReady() => ready.TrySetResult();

    public Task ReadyAsync(CancellationToken cancellationToken) => ready.Task.WaitAsync(cancellationToken);

    /// <summary>What the controller says at each heartbeat.</summary>
    public void Order(bool drain)
    {
        ordered = drain;
        changed.Raise();
    }

    public async Task WaitWhileDrainingAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = changed.Next;
            if (!IsDraining) return;
            await next.WaitAsync(cancellationToken);
        }
    }
}
