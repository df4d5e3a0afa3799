using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Attempts;

namespace Kohakku.Dispatcher.Reporting;

/// <summary>
/// One attempt's events that are durable here and not yet acknowledged by the controller. The first ones are in memory, bounded;
/// the rest is read from the database when their turn comes. The outbox alone uses it, and locks it.
/// </summary>
internal sealed class EventQueue(Attempt attempt)
{
    /// <summary>How many events of one attempt are kept in memory.</summary>
    public const int InMemory = 256;

    private readonly List<AttemptEvent> pending = [];
    private long published;
    private long loaded;
    private long acknowledged;
    private int unproductive;

    public Attempt Attempt { get; } = attempt;

    /// <summary>It waits for a sender, or one has it: nobody else may take it.</summary>
    public bool Scheduled { get; set; }

    /// <summary>Nothing of it is to be sent any more.</summary>
    public bool Dropped { get; private set; }

    public bool HasMore => !Dropped && (pending.Count > 0 || loaded < published);

    public bool MustLoad => !Dropped && pending.Count == 0 && loaded < published;

    public long Loaded => loaded;

    /// <summary>After a restart: all behind <paramref name="acknowledged"/> is in the database.</summary>
    public void Restore(long acknowledged, long last) => (this.acknowledged, loaded, published) = (acknowledged, acknowledged, last);

    public void Add(AttemptEvent made)
    {
        published = made.Sequence;
        if (loaded != made.Sequence - 1 || pending.Count >= InMemory) return;
        pending.Add(made);
        loaded = made.Sequence;
    }

    public void Load(IReadOnlyList<AttemptEvent> events)
    {
        if (Dropped) return;
        // One that is not in the database any more was acknowledged before a restart and never will be asked for.
        if (events.Count == 0) loaded = published;
        foreach (var stored in events.Where(stored => stored.Sequence > loaded))
        {
            pending.Add(stored);
            loaded = stored.Sequence;
        }
    }

    /// <summary>The next to send; they stay until they are acknowledged.</summary>
    public IReadOnlyList<AttemptEvent> Peek(int limit) => pending.Count <= limit ? [.. pending] : pending.GetRange(0, limit);

    /// <returns>How many events were acknowledged by it, and whether the attempt's end was among them.</returns>
    public (int Count, bool Ended) Acknowledge(long sequence)
    {
        var count = 0;
        while (count < pending.Count && pending[count].Sequence <= sequence) count++;
        var ended = pending.Take(count).Any(sent => sent.Type == AttemptEventTypes.Ended);
        if (count > 0) acknowledged = pending[count - 1].Sequence;
        pending.RemoveRange(0, count);
        unproductive = count > 0 ? 0 : unproductive + 1;
        return (count, ended);
    }

    /// <summary>How often in a row the controller took nothing of it.</summary>
    public int Unproductive => unproductive;

    /// <returns>How many events are given up.</returns>
    public int Drop()
    {
        var count = Dropped ? 0 : (int)(published - acknowledged);
        Dropped = true;
        pending.Clear();
        return count;
    }
}
