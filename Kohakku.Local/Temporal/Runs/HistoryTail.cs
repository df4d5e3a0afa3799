using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>The last events of a run, kept in memory for the workers that follow it: they ask for what is new, not for what is old.</summary>
internal sealed class HistoryTail
{
    private const int MostEvents = 512;
    private const int MostBytes = 1024 * 1024;

    private readonly List<HistoryEvent> events = [];
    private long bytes;

    /// <summary>0 when it is empty.</summary>
    public long FirstId => events.Count == 0 ? 0 : events[0].EventId;

    public void Append(IReadOnlyList<HistoryEvent> added)
    {
        if (added.Count == 0) return;
        if (events.Count > 0 && events[^1].EventId + 1 != added[0].EventId) Clear();
        events.AddRange(added);
        bytes += added.Sum(one => (long)one.CalculateSize());
        var excess = 0;
        while (excess < events.Count && (events.Count - excess > MostEvents || bytes > MostBytes)) bytes -= events[excess++].CalculateSize();
        events.RemoveRange(0, excess);
    }

    /// <summary>Those from the first to the last id, as far as they are here.</summary>
    public IEnumerable<HistoryEvent> Range(long first, long last) =>
        events.Count == 0 ? [] : events.Skip((int)Math.Max(0, first - FirstId)).TakeWhile(one => one.EventId <= last);

    public void Clear()
    {
        events.Clear();
        bytes = 0;
    }
}
