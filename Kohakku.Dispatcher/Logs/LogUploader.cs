using System.Buffers;
using System.Globalization;
using Kohakku.Contracts.Storage;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Logs;

/// <summary>
/// Copies one attempt's log to the object storage as it grows, in segments <c>logs/{attemptId}/{00000}.log</c>: each as soon as 4 MiB are
/// there, or 5 s after its first byte. After a restart it goes on behind the segments that are there. One loop per log.
/// </summary>
internal sealed partial class LogUploader(Guid attemptId, AttemptLog log, ObjectStorage storage, SemaphoreSlim slots, TimeProvider time, ILogger logger)
{
    public const int SegmentBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan SegmentAge = TimeSpan.FromSeconds(5);
    private long uploaded;
    private int segment;

    /// <summary>Ends when the log is completed and all of it is stored.</summary>
    /// <param name="isContinued">An earlier process may have stored some of it.</param>
    public async Task RunAsync(bool isContinued, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(15));
        var known = !isContinued;
        while (true)
        {
            try
            {
                if (!known) await FindStoredAsync(cancellationToken);
                known = true;
                if (!await WaitForSegmentAsync(cancellationToken)) return;
                await UploadAsync(cancellationToken);
                backoff.Reset();
            }
            catch (ObjectStorageException fault)
            {
                LogFailed(logger, attemptId, fault.Message);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    private async Task FindStoredAsync(CancellationToken cancellationToken)
    {
        (uploaded, segment) = (0, 0);
        await foreach (var found in storage.ListAsync(ObjectKeys.Logs(attemptId), cancellationToken))
        {
            uploaded += found.Size;
            segment++;
        }
    }

    /// <returns>False when there will be no more.</returns>
    private async Task<bool> WaitForSegmentAsync(CancellationToken cancellationToken)
    {
        long? since = null;
        while (true)
        {
            var changed = log.Changed.Next;
            var there = log.Length - uploaded;
            if (there >= SegmentBytes) return true;
            if (log.IsCompleted) return there > 0;
            if (there > 0) since ??= time.GetTimestamp();
            var patience = since is { } first ? SegmentAge - time.GetElapsedTime(first) : Timeout.InfiniteTimeSpan;
            if (since is not null && patience <= TimeSpan.Zero) return true;
            if (since is null) await changed.WaitAsync(cancellationToken);
            else await changed.WithinAsync(patience, time, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task UploadAsync(CancellationToken cancellationToken)
    {
        // Few at a time: each holds a segment in memory.
        await slots.WaitAsync(cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(SegmentBytes, log.Length - uploaded));
        try
        {
            var read = log.Read(buffer.AsSpan(0, Math.Min(buffer.Length, SegmentBytes)), uploaded);
            await storage.PutAsync(ObjectKeys.LogSegment(attemptId, segment), buffer.AsMemory(0, read), "text/plain; charset=utf-8", cancellationToken);
            uploaded += read;
            segment++;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            slots.Release();
        }
    }

    [LoggerMessage(380, LogLevel.Warning, "The log of attempt {AttemptId} could not be stored yet: {Fault}")]
    private static partial void LogFailed(ILogger logger, Guid attemptId, string fault);
}
