using Kohakku.Controller.Data;

namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>
/// The claims of this process that wait for work. A queued task wakes one of them, the one that waits longest; what it does not take (its labels don't
/// fit, its slots are full) goes on to the next, until all were asked once. Signals that come while a waiter looks at the queue make it look again.
/// Any thread may call.
/// </summary>
internal sealed class ClaimWaiters : IDisposable
{
    private readonly ChangeFeed feed;
    private readonly Lock gate = new();
    private readonly LinkedList<ClaimWaiter> waiters = [];
    private long round;

    public ClaimWaiters(ChangeFeed feed)
    {
        this.feed = feed;
        feed.Queued += Wake;
    }

    /// <summary>How many have looked, found nothing, and wait.</summary>
    public int Waiting
    {
        get
        {
            lock (gate) return waiters.Count(waiter => waiter.HasLooked);
        }
    }

    /// <summary>Enter before the first look at the queue, so that nothing falls between looking and waiting.</summary>
    public ClaimWaiter Enter(int slots)
    {
        var waiter = new ClaimWaiter(this, slots);
        lock (gate) waiter.Place = waiters.AddLast(waiter);
        return waiter;
    }

    public void Dispose() => feed.Queued -= Wake;

    internal void Begin(ClaimWaiter waiter)
    {
        lock (gate) waiter.Begin();
    }

    internal void Settle(ClaimWaiter waiter, int taken)
    {
        lock (gate)
        {
            var rest = waiter.Settle(taken);
            if (rest > 0) Hand(rest, waiter.Round);
        }
    }

    internal void Leave(ClaimWaiter waiter)
    {
        lock (gate)
        {
            if (waiter.Place?.List is null) return;
            waiters.Remove(waiter.Place);
            var unserved = waiter.Unserved;
            if (unserved > 0) Hand(unserved, ++round);
        }
    }

    private void Wake(int count)
    {
        lock (gate) Hand(count, ++round);
    }

    private void Hand(int count, long ofRound)
    {
        foreach (var waiter in waiters)
        {
            if (count <= 0) return;
            if (waiter.Round >= ofRound) continue;
            var share = Math.Min(count, waiter.Slots);
            waiter.Hand(share, ofRound);
            // int.MaxValue says everyone: the count is not known.
            if (count != int.MaxValue) count -= share;
        }
    }
}

/// <summary>One waiting claim. Its own members are called by that claim; what changes it is called under the lock of <see cref="ClaimWaiters"/>.</summary>
internal sealed class ClaimWaiter(ClaimWaiters all, int slots) : IDisposable
{
    private TaskCompletionSource signal = NewSignal();
    private int handed;
    private int trying;

    public int Slots => slots;

    internal LinkedListNode<ClaimWaiter>? Place { get; set; }

    /// <summary>The newest round that woke it.</summary>
    internal long Round { get; private set; }

    internal bool HasLooked { get; private set; }

    internal int Unserved => handed + trying;

    /// <summary>It looks at the queue now.</summary>
    public void Look() => all.Begin(this);

    /// <summary>It has looked, and took so many.</summary>
    public void Took(int count) => all.Settle(this, count);

    /// <summary>Waits until it is handed something since its last look began, but not longer than <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Volatile.Read(ref signal).Task.WaitAsync(atMost, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Looks all the same.
        }
    }

    public void Dispose() => all.Leave(this);

    internal void Hand(int count, long ofRound)
    {
        handed += count;
        Round = ofRound;
        signal.TrySetResult();
    }

    internal void Begin()
    {
        HasLooked = false;
        trying = handed;
        handed = 0;
        if (signal.Task.IsCompleted) signal = NewSignal();
    }

    internal int Settle(int taken)
    {
        HasLooked = taken == 0;
        var rest = trying - taken;
        trying = 0;
        return rest;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
