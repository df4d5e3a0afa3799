using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Npgsql;

namespace Kohakku.Controller.Webhooks.Sending;

/// <summary>
/// Sends what is due. Each webhook has a few attempts on their way at once, so that a slow receiver holds up its own deliveries only. A delivery is had in hand for a time,
/// not by a lock; should this process die, another sends it again: receivers get each event at least once, and know it by its id.
/// </summary>
internal sealed partial class WebhookSending(NpgsqlDataSource database, DeliveryAttempts attempts, WebhookMetrics metrics, TimeProvider time, ILogger<WebhookSending> logger) : IDisposable
{
    /// <summary>Of one webhook: how many are taken at a time, as long as no more than as many are on their way.</summary>
    public const int OfOne = 4;
    private const int OfAll = 256;
    private const int AttemptsKept = 20;
    private static readonly TimeSpan InHand = DeliveryAttempts.Timeout * 4;
    private readonly ConcurrentDictionary<Guid, int> _onTheirWay = new();
    private readonly ConcurrentDictionary<Task, bool> _sends = new();

    /// <summary>Set when an attempt has ended: there may be room for the next.</summary>
    public WakeUp Room { get; } = new();

    /// <summary>Takes what there is room for and begins to send it. Answers how many.</summary>
    public async Task<int> BeginAsync(CancellationToken cancellationToken)
    {
        var free = OfAll - _sends.Count;
        if (free <= 0) return 0;
        var taken = await TakeAsync(free, cancellationToken);
        foreach (var delivery in taken)
        {
            _onTheirWay.AddOrUpdate(delivery.WebhookId, 1, (_, count) => count + 1);
            var send = SendAsync(delivery, cancellationToken);
            _sends[send] = true;
            _ = send.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return taken.Count;

        void Forget(Task send)
        {
            _sends.TryRemove(send, out _);
            Room.Set();
        }
    }

    /// <summary>Waits for all that is on its way.</summary>
    public Task EndAsync() => Task.WhenAll(_sends.Keys);

    public void Dispose() => Room.Dispose();

    private async Task<List<TakenDelivery>> TakeAsync(int free, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        var until = now + InHand;
        Guid[] busy = [.. _onTheirWay.Where(webhook => webhook.Value > OfOne).Select(webhook => webhook.Key)];
        await using var batch = database.CreateBatch();
        batch.Add(SendingSql.Take).With(now).With(OfOne).With(busy).With(free).With(until);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<TakenDelivery> taken = [];
        while (await rows.ReadAsync(cancellationToken))
            taken.Add(new TakenDelivery(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3), rows.GetFieldValue<DateTimeOffset>(4), rows.GetString(5), rows.GetInt32(6), rows.GetString(7),
                rows.GetString(8), rows.GetFieldValue<byte[]>(9), rows.Bytes(10), rows.GetString(11), until));
        return taken;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Nobody awaits it; what was in hand is taken again when its time is over.")]
    private async Task SendAsync(TakenDelivery delivery, CancellationToken cancellationToken)
    {
        // Not on the taker's time.
        await Task.Yield();
        try
        {
            var end = await attempts.PostAsync(delivery, cancellationToken);
            // From here on to the end: that it arrived must not be forgotten because this process stops.
            await WriteAsync(delivery, end, CancellationToken.None);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // This process stops; another takes it up.
        }
        catch (Exception fault)
        {
            LogUnwritten(fault, delivery.Id, delivery.Type);
        }
        finally
        {
            if (_onTheirWay.AddOrUpdate(delivery.WebhookId, 0, (_, count) => count - 1) == 0) _onTheirWay.TryRemove(KeyValuePair.Create(delivery.WebhookId, 0));
        }
    }

    [SuppressMessage("Security", "CA5394", Justification = "Jitter spreads load; nobody gains by guessing it.")]
    private async Task WriteAsync(TakenDelivery delivery, AttemptEnd end, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        var before = JsonSerializer.Deserialize(delivery.Attempts, ContractsJson.Default.IReadOnlyListDeliveryAttempt)!;
        var log = JsonSerializer.Serialize([.. before.TakeLast(AttemptsKept - 1), end.Attempt], ContractsJson.Default.IReadOnlyListDeliveryAttempt);
        await using var batch = database.CreateBatch();
        if (end.Succeeded) batch.Add(SendingSql.Delivered).With(delivery.WebhookId).With(delivery.Id).With(now).With(log);
        else
        {
            var pause = end.Hopeless || end.Gone ? null : RetrySchedule.After(delivery.Tries + 1, end.Asked, Random.Shared.NextDouble());
            batch.Add(SendingSql.Failed).With(delivery.WebhookId).With(delivery.Id).With(now).With(log).With(delivery.Until).With(now + pause);
            if (end.Gone)
            {
                batch.Add(SendingSql.Disable).With(delivery.WebhookId).With(now).With("The receiver answered 410 Gone: it wants nothing more.");
                batch.Add(SendingSql.CancelPending).With(delivery.WebhookId).With(now);
                LogGone(delivery.Url);
            }
            else if (pause is null) LogGivenUp(delivery.Id, delivery.Type, end.Attempt.Status, end.Attempt.Fault);
        }

        await batch.ExecuteNonQueryAsync(cancellationToken);
        metrics.Sent(end);
    }

    [LoggerMessage(3801, LogLevel.Warning, "What became of the delivery of {Id} ({Type}) could not be written down; it is sent again.")]
    private partial void LogUnwritten(Exception fault, Guid id, string type);

    [LoggerMessage(3802, LogLevel.Warning, "The delivery of {Id} ({Type}) is given up: status {Status}, {Fault}")]
    private partial void LogGivenUp(Guid id, string type, int? status, string? fault);

    [LoggerMessage(3803, LogLevel.Warning, "The webhook to {Url} is disabled: its receiver answered 410 Gone.")]
    private partial void LogGone(string url);
}
