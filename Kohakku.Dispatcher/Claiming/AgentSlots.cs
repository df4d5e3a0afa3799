using Kohakku.Dispatcher.Attempts;

namespace Kohakku.Dispatcher.Claiming;

/// <summary>How many agents run at once. Safe for any thread.</summary>
internal sealed class AgentSlots(int capacity)
{
    private readonly Signal freed = new();
    private int used;

    public int Capacity { get; } = capacity;

    public int Used => Volatile.Read(ref used);

    /// <summary>Never negative, though adopted agents may be more than there are slots.</summary>
    public int Free => Math.Max(0, Capacity - Used);

    /// <summary>Takes a slot also when there is none: what already runs, runs.</summary>
    public void Take() => Interlocked.Increment(ref used);

    public void Release()
    {
        Interlocked.Decrement(ref used);
        freed.Raise();
    }

    /// <summary>Waits until a slot is free.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = freed.Next;
            if (Free > 0) return;
            await next.WaitAsync(cancellationToken);
        }
    }
}
