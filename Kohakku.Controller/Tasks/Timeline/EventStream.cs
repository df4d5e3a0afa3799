using System.Buffers;
using System.Globalization;
using System.Text;
using Kohakku.Controller.Data;

namespace Kohakku.Controller.Tasks.Timeline;

/// <summary>One entry of a timeline, as it goes over the wire.</summary>
/// <param name="Data">JSON.</param>
internal sealed record StreamEntry(long Id, string Type, byte[] Data);

/// <param name="Ends">Nothing will come after these.</param>
internal sealed record StreamPart(IReadOnlyList<StreamEntry> Entries, bool Ends);

/// <summary>
/// Sends the timeline of a task or a run as server-sent events, from where the client left off until it has ended:
/// <code>
/// id: 3
/// event: attempt.claimed
/// data: {"id":3,"at":"…","type":"attempt.claimed","attempt":1,"data":{"dispatcher":"default"}}
/// </code>
/// Woken by the feed of changes, with a slow look of its own behind it.
/// </summary>
internal sealed class EventStream(ChangeFeed changes, IHostApplicationLifetime host, TimeProvider time)
{
    private const int ReadAtOnce = 500;
    private static readonly TimeSpan SlowLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    /// <param name="id">Of the task or the run.</param>
    /// <param name="after">The last entry that the client has.</param>
    /// <param name="read">The entries after one, so many at most; null when there is nothing (any more) to read.</param>
    public async Task SendAsync(
        HttpResponse response, Guid id, long after, Func<long, int, CancellationToken, Task<StreamPart?>> read, CancellationToken cancellationToken)
    {
        // A stream must not hold up the stop of the process; the client comes back with its Last-Event-ID.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        using var subscription = changes.FollowTask(id);
        try
        {
            await FollowAsync(response, after, read, subscription, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away, or the process stops.
        }
    }

    private async Task FollowAsync(
        HttpResponse response, long after, Func<long, int, CancellationToken, Task<StreamPart?>> read, ChangeSubscription subscription, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        var lastWrite = time.GetTimestamp();
        await response.StartAsync(cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
        while (await read(after, ReadAtOnce, cancellationToken) is { } part)
        {
            if (part.Entries.Count > 0)
            {
                foreach (var entry in part.Entries) Write(response, entry);
                await response.BodyWriter.FlushAsync(cancellationToken);
                (after, lastWrite) = (part.Entries[^1].Id, time.GetTimestamp());
            }

            if (part.Ends) return;
            if (part.Entries.Count == ReadAtOnce) continue;
            await subscription.WaitAsync(SlowLook, time, cancellationToken);
            if (time.GetElapsedTime(lastWrite) < KeepAlive) continue;
            await response.WriteAsync(": keep-alive\n\n", cancellationToken);
            lastWrite = time.GetTimestamp();
        }
    }

    private static void Write(HttpResponse response, StreamEntry entry)
    {
        // A type that a dispatcher of another release made up must not be able to end the line.
        var type = entry.Type.ReplaceLineEndings("");
        var head = string.Create(CultureInfo.InvariantCulture, $"id: {entry.Id}\nevent: {type}\ndata: ");
        var writer = response.BodyWriter;
        Encoding.UTF8.GetBytes(head, writer);
        writer.Write(entry.Data);
        Encoding.UTF8.GetBytes("\n\n", writer);
    }
}
