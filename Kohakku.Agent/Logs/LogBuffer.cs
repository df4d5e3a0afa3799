using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Kohakku.Agent.Logs;

/// <summary>
/// What the agent has written and the dispatcher does not have yet, in a fixed amount of memory. While it is full its writers
/// wait, and through their pipes the agent. When they have waited for <see cref="patience"/> without the buffer ever running empty,
/// the dispatcher does not keep up: from then on what comes is counted and dropped until the buffer is empty again.
/// Writers are threads of their own; there is one reader. All members may be called from any thread.
/// </summary>
[SuppressMessage("Reliability", "CA1001:Types that own disposable fields should be disposable",
    Justification = "Lives as long as the process; a thread that still reads a pipe must find it alive.")]
internal sealed class LogBuffer(TimeProvider time, TimeSpan? patience = null, int capacity = 1024 * 1024)
{
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(20);
    private const int MostRuns = 16 * 1024;

    private readonly TimeSpan patience = patience ?? DefaultPatience;
    private readonly object gate = new();
    private readonly byte[] ring = new byte[capacity];
    private readonly Queue<Run> runs = new();
    private readonly SemaphoreSlim available = new(0, 1);
    private readonly TaskCompletionSource completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int start;
    private int length;
    private int tail; // the bytes of the last run, which still grows
    private LogStream tailStream;
    private TimeSpan waited;
    private bool isClosed;
    private bool isDiscarding;
    private bool isCompleted;
    private long cut;
    private long uncountedCut;

    /// <summary>Bytes of the agent's output that were dropped.</summary>
    public long Cut
    {
        get
        {
            lock (gate) return cut;
        }
    }

    /// <summary>Takes all of it, waiting for room while the dispatcher keeps up.</summary>
    public void Append(LogStream stream, ReadOnlySpan<byte> bytes)
    {
        lock (gate)
        {
            while (bytes.Length > 0)
            {
                if (isClosed || isDiscarding)
                {
                    cut += bytes.Length;
                    uncountedCut += bytes.Length;
                    return;
                }
                var room = runs.Count >= MostRuns ? 0 : Math.Min(capacity - length, bytes.Length);
                if (room == 0)
                {
                    WaitForRoom();
                    continue;
                }
                Store(stream, bytes[..room]);
                bytes = bytes[room..];
            }
        }
    }

    /// <summary>A line of the runner's own; never waits, and is dropped where there is no room.</summary>
    public void Note(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line.TrimEnd('\n') + '\n');
        lock (gate)
        {
            if (!isClosed && bytes.Length <= capacity - length) Store(LogStream.Runner, bytes);
        }
    }

    /// <summary>Nothing of the log is wanted any more: all that is there and all that comes is counted and dropped.</summary>
    public void Close()
    {
        lock (gate)
        {
            if (isClosed) return;
            isClosed = true;
            cut += length;
            (start, length, tail) = (0, 0, 0);
            runs.Clear();
            Monitor.PulseAll(gate);
            Signal();
        }
    }

    /// <summary>Nothing more will be written.</summary>
    public void Complete()
    {
        lock (gate)
        {
            isCompleted = true;
            Signal();
        }
        completed.TrySetResult();
    }

    /// <summary>Ends once nothing more will be written.</summary>
    public Task Completed => completed.Task;

    /// <summary>Waits for something to read, the end, or the time.</summary>
    public Task WaitAsync(TimeSpan limit, CancellationToken cancellationToken) => available.WaitAsync(limit, cancellationToken);

    /// <summary>Bytes that wait to be read.</summary>
    public int Length
    {
        get
        {
            lock (gate) return length;
        }
    }

    public bool IsCompleted
    {
        get
        {
            lock (gate) return isCompleted && length == 0;
        }
    }

    /// <summary>Moves the oldest bytes of one stream out.</summary>
    /// <returns>How many; 0 when there are none.</returns>
    public int Take(Span<byte> target, out LogStream stream)
    {
        lock (gate)
        {
            if (runs.Count == 0 && tail == 0)
            {
                stream = default;
                return 0;
            }
            var run = runs.Count > 0 ? runs.Peek() : new Run(tailStream, tail);
            stream = run.Stream;
            var count = Math.Min(run.Length, target.Length);
            CopyOut(target[..count]);
            Shorten(run, count);
            start = (start + count) % capacity;
            length -= count;
            if (length == 0) RunEmpty();
            Monitor.PulseAll(gate);
            return count;
        }
    }

    /// <summary>Bytes dropped since the last call, once there is room again to say so.</summary>
    public long TakeCut()
    {
        lock (gate)
        {
            if (isDiscarding && !isCompleted) return 0;
            var bytes = uncountedCut;
            uncountedCut = 0;
            return bytes;
        }
    }

    private void WaitForRoom()
    {
        var begun = time.GetTimestamp();
        Monitor.Wait(gate, patience - waited is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero);
        waited += time.GetElapsedTime(begun);
        if (waited >= patience && length > 0) isDiscarding = true;
    }

    private void RunEmpty()
    {
        waited = TimeSpan.Zero;
        isDiscarding = false;
    }

    private void Store(LogStream stream, ReadOnlySpan<byte> bytes)
    {
        var wasEmpty = length == 0;
        var end = (start + length) % capacity;
        var first = Math.Min(bytes.Length, capacity - end);
        bytes[..first].CopyTo(ring.AsSpan(end));
        bytes[first..].CopyTo(ring);
        length += bytes.Length;
        if (tail > 0 && tailStream != stream)
        {
            runs.Enqueue(new Run(tailStream, tail));
            tail = 0;
        }
        tailStream = stream;
        tail += bytes.Length;
        if (wasEmpty) Signal();
    }

    private void CopyOut(Span<byte> target)
    {
        var first = Math.Min(target.Length, capacity - start);
        ring.AsSpan(start, first).CopyTo(target);
        ring.AsSpan(0, target.Length - first).CopyTo(target[first..]);
    }

    private void Shorten(Run run, int count)
    {
        if (runs.Count == 0) tail -= count;
        else if (count == run.Length) runs.Dequeue();
        else runs.Peek().Length -= count;
    }

    private void Signal()
    {
        if (available.CurrentCount == 0) available.Release();
    }

    /// <summary>Neighbouring bytes of one stream.</summary>
    private sealed class Run(LogStream stream, int length)
    {
        public LogStream Stream { get; } = stream;
        public int Length { get; set; } = length;
    }
}
