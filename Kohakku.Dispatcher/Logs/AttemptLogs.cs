using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Logs;

/// <summary>The logs of all attempts held here, each with its upload. Made on an attempt's first text. Safe for any thread.</summary>
internal sealed partial class AttemptLogs(DispatcherOptions options, ObjectStorage storage, TimeProvider time, ILogger<AttemptLogs> logger) : IDisposable
{
    /// <summary>Of the log, in the <c>ended</c> event.</summary>
    public const int TailBytes = 16 * 1024;
    private static readonly TimeSpan UploadLimit = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Guid, Lazy<Entry>> entries = new();
    private readonly SemaphoreSlim uploads = new(4);
    private readonly CancellationTokenSource stop = new();
    private readonly string folder = Path.Combine(options.DataFolder, "attempt-logs");

    private sealed record Entry(AttemptLog Log, Task Upload);

    public AttemptLog Of(Attempt attempt) => entries.GetOrAdd(attempt.Id, _ => new Lazy<Entry>(() => Open(attempt))).Value.Log;

    public bool TryFind(Guid attemptId, [NotNullWhen(true)] out AttemptLog? log)
    {
        log = entries.TryGetValue(attemptId, out var entry) ? entry.Value.Log : null;
        return log is not null;
    }

    /// <summary>After a restart: goes on with a log that is there.</summary>
    public void Restore(Attempt attempt)
    {
        if (File.Exists(PathOf(attempt.Id))) Of(attempt);
    }

    /// <summary>
    /// Ends the log, and waits a little for its last segment, so that who hears of the attempt's end finds the whole log in the storage.
    /// </summary>
    /// <param name="runnersOwn">What the runner said beside the log, for when it died.</param>
    /// <returns>The end of the log; null when there is none.</returns>
    public async Task<string?> CompleteAsync(Attempt attempt, string runnersOwn)
    {
        if (runnersOwn.Length > 0) Of(attempt).Append("runner", runnersOwn);
        if (!entries.TryGetValue(attempt.Id, out var entry)) return null;
        var (log, upload) = entry.Value;
        log.Complete();
        if (!await upload.WithinAsync(UploadLimit, time)) LogLate(attempt.Id);
        var tail = log.Tail(TailBytes);
        return tail.Length == 0 ? null : tail;
    }

    /// <summary>Deletes the local file once all of it is stored.</summary>
    /// <returns>False when it is not stored yet.</returns>
    public async Task<bool> RemoveAsync(Guid attemptId)
    {
        if (!entries.TryGetValue(attemptId, out var entry)) return true;
        var (log, upload) = entry.Value;
        log.Complete();
        if (!await upload.WithinAsync(UploadLimit, time)) return false;
        log.Delete();
        entries.TryRemove(attemptId, out _);
        return true;
    }

    /// <summary>Deletes files of attempts that nobody knows.</summary>
    public int RemoveUnknown(Func<Guid, bool> isKnown)
    {
        if (!Directory.Exists(folder)) return 0;
        var unknown = Directory.EnumerateFiles(folder, "*.log")
            .Where(path => Guid.TryParseExact(Path.GetFileNameWithoutExtension(path), "N", out var id) && !isKnown(id) && !entries.ContainsKey(id))
            .ToList();
        foreach (var path in unknown) File.Delete(path);
        return unknown.Count;
    }

    public void Dispose()
    {
        stop.Cancel();
        foreach (var entry in entries.Values.Where(entry => entry.IsValueCreated)) entry.Value.Log.Dispose();
        uploads.Dispose();
        stop.Dispose();
    }

    private Entry Open(Attempt attempt)
    {
        var isContinued = File.Exists(PathOf(attempt.Id));
        var log = new AttemptLog(PathOf(attempt.Id), attempt.Redactor);
        var uploader = new LogUploader(attempt.Id, log, storage, uploads, time, logger);
        return new Entry(log, Task.Run(() => uploader.RunAsync(isContinued, stop.Token)));
    }

    private string PathOf(Guid attemptId) => Path.Combine(folder, $"{attemptId:N}.log");

    [LoggerMessage(381, LogLevel.Warning, "The end of attempt {AttemptId}'s log is not stored yet; its end is reported without waiting longer")]
    private partial void LogLate(Guid attemptId);
}
