using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Tasks.Logs;

/// <param name="Attempt">The number of the only attempt wanted; null for the current one and, when following, those after it.</param>
/// <param name="Tail">Only the last lines of what is there.</param>
internal sealed record LogRequest(int? Attempt, bool Follow, int? Tail);

/// <summary>
/// Writes a task's log to a client: what is stored of ended attempts, what their dispatchers have of running ones, and, when following,
/// what comes, attempt after attempt, until the task is final. Where a dispatcher can't be reached, what it stored so far.
/// </summary>
internal sealed class LogStream(NpgsqlDataSource database, StoredLogs stored, LiveLogs live, ChangeFeed changes, TimeProvider time)
{
    private static readonly TimeSpan SlowLook = TimeSpan.FromSeconds(5);

    public async Task SendAsync(Stream client, Guid projectId, Guid taskId, TaskWithLogs task, LogRequest request, CancellationToken cancellationToken)
    {
        using var subscription = changes.FollowTask(taskId);
        // What happened before the subscription began is in this look.
        if (request.Follow) task = await ReadAsync() ?? task;
        var next = request.Attempt ?? (task.Attempts is [.., var newest] ? newest.Number : 1);
        var tail = request.Tail;
        while (true)
        {
            if (task.Attempts.FirstOrDefault(attempt => attempt.Number >= next) is { } attempt)
            {
                if (!request.Follow)
                {
                    await SendOnceAsync(client, attempt, tail, cancellationToken);
                    return;
                }

                await FollowAttemptAsync(client, attempt, tail, ReadAsync, subscription, cancellationToken);
                if (request.Attempt is not null) return;
                (next, tail) = (attempt.Number + 1, null);
            }
            else if (task.IsFinal || !request.Follow) return;
            else await subscription.WaitAsync(SlowLook, time, cancellationToken);

            if (await ReadAsync() is not { } now) return;
            task = now;
        }

        Task<TaskWithLogs?> ReadAsync() => TaskWithLogs.ReadAsync(database, projectId, taskId, cancellationToken);
    }

    private async Task SendOnceAsync(Stream client, LogAttempt attempt, int? tail, CancellationToken cancellationToken)
    {
        if (!attempt.HasEnded && await live.OpenAsync(attempt, follow: false, tail, cancellationToken) is { } stream)
        {
            await using (stream) await CopyAsync(LiveLogs.ReadAsync(stream, cancellationToken), client, 0, cancellationToken);
            return;
        }

        var from = tail is { } lines ? await stored.FindTailAsync(attempt.Id, lines, cancellationToken) : 0;
        await CopyAsync(stored.ReadAsync(attempt.Id, from, cancellationToken), client, 0, cancellationToken);
    }

    /// <summary>Until the attempt has ended and all of its log is sent.</summary>
    private async Task FollowAttemptAsync(
        Stream client, LogAttempt attempt, int? tail, Func<Task<TaskWithLogs?>> readAsync, ChangeSubscription subscription, CancellationToken cancellationToken)
    {
        // How much of the log the client has or does not want; null when a dispatcher cut the tail, whose start only it knew.
        long? sent = 0;
        while (true)
        {
            if (!attempt.HasEnded && await live.OpenAsync(attempt, follow: true, tail, cancellationToken) is { } stream)
            {
                var skip = tail is null ? sent ?? 0 : 0;
                long copied;
                await using (stream) copied = await CopyAsync(LiveLogs.ReadAsync(stream, cancellationToken), client, skip, cancellationToken);
                sent = tail is null && sent is not null ? Math.Max(sent.Value, copied) : null;
            }
            else if (sent is { } from)
            {
                if (tail is { } lines) from = await stored.FindTailAsync(attempt.Id, lines, cancellationToken);
                sent = from + await CopyAsync(stored.ReadAsync(attempt.Id, from, cancellationToken), client, 0, cancellationToken);
            }

            // A tail was sent; from here on only what is new.
            if (tail is not null) tail = sent is null ? 0 : null;
            if (attempt.HasEnded) return;
            // The stream ended because the attempt did, which its dispatcher is about to report, or because the dispatcher went away.
            await subscription.WaitAsync(SlowLook, time, cancellationToken);
            if ((await readAsync())?.Attempts.FirstOrDefault(known => known.Id == attempt.Id) is not { } now) return;
            attempt = now;
        }
    }

    /// <summary>Answers how long the source was, with what was skipped.</summary>
    private static async Task<long> CopyAsync(IAsyncEnumerable<ReadOnlyMemory<byte>> source, Stream client, long skip, CancellationToken cancellationToken)
    {
        var seen = 0L;
        await foreach (var chunk in source.WithCancellation(cancellationToken))
        {
            var known = (int)Math.Clamp(skip - seen, 0, chunk.Length);
            seen += chunk.Length;
            if (known == chunk.Length) continue;
            await client.WriteAsync(chunk[known..], cancellationToken);
            await client.FlushAsync(cancellationToken);
        }

        return seen;
    }
}
