using System.Threading.Channels;
using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Data;

namespace Kohakku.Dispatcher.Reporting;

/// <summary>One attempt's part of a batch.</summary>
internal sealed record SentEvents(EventQueue Queue, IReadOnlyList<AttemptEvent> Events);

/// <summary>
/// Durable events on their way to the controller. An attempt with something to send is scheduled once; the sender that takes it has it
/// to itself until the answer is applied, so that an attempt's events go out in order however many senders there are.
/// </summary>
internal sealed class Outbox(StoredAttempts stored)
{
    private readonly Channel<EventQueue> ready = Channel.CreateUnbounded<EventQueue>();
    private int depth;

    /// <summary>Events in memory that are not acknowledged.</summary>
    public int Depth => Volatile.Read(ref depth);

    /// <summary>Called by the journal after the commit, in the order of the events.</summary>
    public void Publish(Attempt attempt, IReadOnlyList<AttemptEvent> events)
    {
        var queue = attempt.Events;
        lock (queue)
        {
            if (queue.Dropped) return;
            foreach (var made in events) queue.Add(made);
            Interlocked.Add(ref depth, events.Count);
            Schedule(queue);
        }
    }

    /// <summary>After a restart: the attempt's unacknowledged events are sent from the database.</summary>
    public void Restore(Attempt attempt, long acknowledged, long last)
    {
        lock (attempt.Events)
        {
            attempt.Events.Restore(acknowledged, last);
            Interlocked.Add(ref depth, (int)(last - acknowledged));
            Schedule(attempt.Events);
        }
    }

    /// <summary>Nothing of the attempt is sent any more.</summary>
    public void Drop(Attempt attempt)
    {
        lock (attempt.Events) Interlocked.Add(ref depth, -attempt.Events.Drop());
    }

    public ValueTask<bool> WaitAsync(CancellationToken cancellationToken) => ready.Reader.WaitToReadAsync(cancellationToken);

    /// <summary>Takes up to <paramref name="limit"/> events of as many attempts as there are; empty when another sender was quicker.</summary>
    public async Task<IReadOnlyList<SentEvents>> TakeAsync(int limit, CancellationToken cancellationToken)
    {
        var taken = new List<SentEvents>();
        var count = 0;
        while (count < limit && ready.Reader.TryRead(out var queue))
        {
            try
            {
                await LoadAsync(queue, cancellationToken);
            }
            catch
            {
                // The database is away: everything taken so far goes back, for another time.
                foreach (var each in taken) Return(each.Queue);
                Return(queue);
                throw;
            }
            lock (queue)
            {
                var events = queue.Peek(limit - count);
                if (events.Count == 0)
                {
                    queue.Scheduled = false;
                    continue;
                }
                taken.Add(new SentEvents(queue, events));
                count += events.Count;
            }
        }
        return taken;
    }

    /// <summary>Applies the controller's answer to what was sent of one attempt.</summary>
    /// <returns>How many events it acknowledged and whether the attempt's end was among them.</returns>
    public (int Count, bool Ended) Acknowledge(EventQueue queue, long acceptedThrough)
    {
        lock (queue)
        {
            var result = queue.Acknowledge(acceptedThrough);
            Interlocked.Add(ref depth, -result.Count);
            return result;
        }
    }

    /// <summary>The sender is done with the attempt: it is scheduled again when there is more of it.</summary>
    public void Return(EventQueue queue)
    {
        lock (queue)
        {
            queue.Scheduled = false;
            Schedule(queue);
        }
    }

    private async Task LoadAsync(EventQueue queue, CancellationToken cancellationToken)
    {
        long after;
        lock (queue)
        {
            if (!queue.MustLoad) return;
            after = queue.Loaded;
        }
        var events = await stored.LoadEventsAsync(queue.Attempt.Id, after, EventQueue.InMemory, cancellationToken);
        lock (queue) queue.Load(events);
    }

    private void Schedule(EventQueue queue)
    {
        if (queue.Scheduled || !queue.HasMore) return;
        queue.Scheduled = true;
        ready.Writer.TryWrite(queue);
    }
}
