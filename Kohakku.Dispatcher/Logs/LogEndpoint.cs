using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.Logs;

/// <summary><c>GET /v1/attempts/{id}/logs</c>: the live log, for the controller.</summary>
internal static class LogEndpoint
{
    private const int BufferBytes = 64 * 1024;

    public static void MapLogs(this IEndpointRouteBuilder endpoints) => endpoints.MapGet("/v1/attempts/{id:guid}/logs", ReadAsync).RequireSignature();

    /// <param name="follow">Goes on as the log grows, until the attempt's end.</param>
    /// <param name="tail">Only the last so many lines of what is there.</param>
    private static Results<ProblemHttpResult, PushStreamHttpResult> ReadAsync(
        Guid id, AttemptTable attempts, AttemptLogs logs, IHostApplicationLifetime lifetime, HttpContext context, bool follow = false, int? tail = null)
    {
        if (tail is < 0) return Problems.BadRequest("tail", "must not be negative");
        if (attempts.Find(id) is not { } attempt) return Problems.NotFound("This dispatcher does not hold that attempt, or not any more.");
        if (!follow && !logs.TryFind(id, out _)) return TypedResults.Stream(_ => Task.CompletedTask, "text/plain; charset=utf-8");
        var log = logs.Of(attempt);
        var offset = tail is { } lines ? (lines == 0 ? log.Length : log.OffsetOfLastLines(lines)) : 0;
        return TypedResults.Stream(body => CopyAsync(log, offset, follow, body, context, lifetime.ApplicationStopping), "text/plain; charset=utf-8");
    }

    // One buffer per reader, filled only when the last one is gone: a slow reader costs no memory.
    private static async Task CopyAsync(AttemptLog log, long offset, bool follow, Stream body, HttpContext context, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var buffer = new byte[BufferBytes];
        try
        {
            // Answers at once, also when there is nothing to say yet.
            await context.Response.StartAsync(stop.Token);
            while (true)
            {
                var changed = log.Changed.Next;
                var isLast = log.IsCompleted;
                var read = log.Read(buffer, offset);
                offset += read;
                if (read > 0)
                {
                    await body.WriteAsync(buffer.AsMemory(0, read), stop.Token);
                    await body.FlushAsync(stop.Token);
                }
                else if (isLast || !follow)
                {
                    return;
                }
                else
                {
                    await changed.WaitAsync(stop.Token);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The reader went away, or this process ends: the reader finds the rest in the storage.
        }
    }
}
