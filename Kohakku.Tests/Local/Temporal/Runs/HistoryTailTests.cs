using CsCheck;
using Kohakku.Local.Temporal.Runs;
using Temporalio.Api.History.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class HistoryTailTests
{
    private const int MostEvents = 512;
    private const int MostBytes = 1024 * 1024;

    [Fact]
    public void It_holds_the_last_events_and_no_more_than_it_may() =>
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 30_000]).Array[0, 60].Sample(
            batches =>
            {
                var tail = new HistoryTail();
                var all = new List<HistoryEvent>();
                foreach (var (count, size) in batches)
                {
                    var batch = Events(all.Count + 1, count, size);
                    all.AddRange(batch);
                    tail.Append(batch);
                    var kept = tail.FirstId == 0 ? [] : all[((int)tail.FirstId - 1)..];
                    Assert.Equal(kept, tail.Range(tail.FirstId, all.Count));
                    Assert.InRange(kept.Count, 0, MostEvents);
                    Assert.InRange(kept.Sum(one => one.CalculateSize()), 0, MostBytes);
                    // Nothing is let go that has room.
                    if (kept.Count < all.Count && kept.Count < MostEvents) Assert.True(kept.Sum(one => one.CalculateSize()) + all[^(kept.Count + 1)].CalculateSize() > MostBytes);
                }
            },
            iter: 100);

    [Fact]
    public void A_part_of_it_is_read_by_ids() => Gen.Select(Gen.Int[1, 600], Gen.Int[1, 600], Gen.Int[1, 600]).Sample((count, first, last) =>
    {
        var tail = new HistoryTail();
        tail.Append(Events(1, count, 10));
        var from = Math.Max(first, (int)tail.FirstId);
        Assert.Equal(Enumerable.Range(from, Math.Max(0, Math.Min(last, count) - from + 1)).Select(id => (long)id), tail.Range(first, last).Select(one => one.EventId));
    });

    [Fact]
    public void After_a_gap_it_holds_only_what_follows()
    {
        var tail = new HistoryTail();
        tail.Append(Events(1, 3, 10));
        tail.Append(Events(7, 2, 10));
        Assert.Equal(7, tail.FirstId);
        Assert.Equal([7L, 8L], tail.Range(1, 100).Select(one => one.EventId));
    }

    [Fact]
    public void An_event_larger_than_all_it_may_hold_leaves_it_empty()
    {
        var tail = new HistoryTail();
        tail.Append(Events(1, 3, 10));
        tail.Append(Events(4, 1, MostBytes));
        Assert.Equal(0, tail.FirstId);
        Assert.Empty(tail.Range(1, 4));
        tail.Append(Events(5, 1, 10));
        Assert.Equal(5, tail.FirstId);
    }

    private static List<HistoryEvent> Events(int firstId, int count, int size) =>
        [.. Enumerable.Range(firstId, count).Select(id => new HistoryEvent { EventId = id, WorkflowExecutionSignaledEventAttributes = new() { SignalName = new string('x', size) } })];
}
