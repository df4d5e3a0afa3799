using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Kohakku.Agent.Attempt;
using Kohakku.Agent.Processes;
using Kohakku.Agent.Protocol;
using Kohakku.Contracts.AgentProtocol;

namespace Kohakku.Agent.Logs;

/// <summary>
/// Carries the log to the dispatcher: batches of at most <see cref="LargestBatch"/> bytes, one at a time so that their order stays,
/// and no more often than every <see cref="Interval"/> while there is little.
/// </summary>
internal sealed class LogSender(LogBuffer buffer, DispatcherClient dispatcher, TimeProvider time)
{
    public const int LargestBatch = 64 * 1024;
    /// <summary>With the bytes this bounds a batch's JSON, where each byte may become six, to less than the 1 MiB the dispatcher takes.</summary>
    private const int MostEvents = 4096;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan UnfinishedLinePatience = TimeSpan.FromSeconds(1);

    private readonly byte[] chunk = new byte[16 * 1024];
    private readonly LineSplitter[] splitters = [new(), new(), new()];
    private readonly List<AgentEvent> events = [];
    private readonly ArrayBufferWriter<byte> body = new(LargestBatch);

    /// <summary>Ends when the buffer is completed and all of it is delivered, or nobody takes it any more.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!buffer.IsCompleted)
            {
                await buffer.WaitAsync(splitters.Any(splitter => splitter.HoldsText) ? UnfinishedLinePatience : Timeout.InfiniteTimeSpan, cancellationToken);
                if (buffer.Length == 0) ForEach((splitter, emit) => splitter.FlushCharacters(emit));
                var begun = time.GetTimestamp();
                while (buffer.Length > 0) await SendAsync(Collect(), cancellationToken);
                if (events.Count > 0) await SendAsync(events.Count, cancellationToken);
                if (!buffer.IsCompleted && time.GetElapsedTime(begun) is var elapsed && elapsed < Interval)
                {
                    await Task.WhenAny(Task.Delay(Interval - elapsed, time, cancellationToken), buffer.Completed);
                }
            }
            ForEach((splitter, emit) => splitter.Flush(emit));
            NoteCut();
            if (events.Count > 0) await SendAsync(events.Count, cancellationToken);
        }
        catch (LinkEndedException)
        {
            // Whoever watches the link stops the agent; until then its output is only drained.
            buffer.Close();
        }
        catch (RunnerFault fault)
        {
            Terminal.Say($"the log can't be delivered any more: {fault.Message}");
            buffer.Close();
        }
    }

    private int Collect()
    {
        NoteCut();
        for (var bytes = 0; bytes < LargestBatch - chunk.Length && events.Count < MostEvents;)
        {
            var count = buffer.Take(chunk, out var stream);
            if (count == 0) break;
            bytes += count;
            splitters[(int)stream].Append(chunk.AsSpan(0, count), Emit(stream));
        }
        return events.Count;
    }

    private void NoteCut()
    {
        if (buffer.TakeCut() is var bytes and > 0)
        {
            events.Add(new LogEvent(LogStreams.NameOf(LogStream.Runner), string.Create(
                CultureInfo.InvariantCulture, $"[{bytes} bytes of output were cut here: the dispatcher did not keep up, or takes no more]\n")));
        }
    }

    private async Task SendAsync(int count, CancellationToken cancellationToken)
    {
        if (count == 0) return;
        body.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(body))
        {
            JsonSerializer.Serialize<IReadOnlyList<AgentEvent>>(writer, events, RunnerJson.Default.IReadOnlyListAgentEvent);
        }
        events.Clear();
        if (!await dispatcher.SendEventsAsync(body.WrittenMemory, cancellationToken)) buffer.Close();
    }

    private void ForEach(Action<LineSplitter, Action<string>> action)
    {
        for (var stream = 0; stream < LogStreams.Count; stream++) action(splitters[stream], Emit((LogStream)stream));
    }

    private Action<string> Emit(LogStream stream) => text => events.Add(new LogEvent(LogStreams.NameOf(stream), text));
}
