using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Registration;
using Npgsql;

namespace Kohakku.Dispatcher.Reporting;

/// <summary>
/// Sends the outbox to the controller in signed batches, for ever and in order per attempt. A batch goes out as soon as there is one
/// event; what comes in while it is under way makes the next. Two senders overlap the controller's work with ours.
/// </summary>
internal sealed partial class Reporter(
    Outbox outbox, ControllerClient controller, DispatcherSession session, Journal journal, AttemptTable attempts, DispatcherMetrics metrics,
    TimeProvider time, ILogger<Reporter> logger) : BackgroundService
{
    private const int Senders = 2;
    private const int LargestBatch = 500;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, Senders).Select(_ => SendAllAsync(stoppingToken)));

    private async Task SendAllAsync(CancellationToken cancellationToken)
    {
        var sender = new Sender();
        try
        {
            while (await outbox.WaitAsync(cancellationToken)) await SendOnceAsync(sender, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What is not acknowledged is in the database.
        }
    }

    private async Task SendOnceAsync(Sender sender, CancellationToken cancellationToken)
    {
        IReadOnlyList<SentEvents> batch;
        try
        {
            batch = await outbox.TakeAsync(sender.Limit, cancellationToken);
        }
        catch (NpgsqlException fault)
        {
            LogNotLoaded(fault);
            await Task.Delay(sender.Backoff.Next(), time, cancellationToken);
            return;
        }
        if (batch.Count > 0) await SendAsync(sender, batch, cancellationToken);
    }

    private async Task SendAsync(Sender sender, IReadOnlyList<SentEvents> batch, CancellationToken cancellationToken)
    {
        while (true)
        {
            var registration = await session.CurrentAsync(cancellationToken);
            var started = time.GetTimestamp();
            try
            {
                var answer = await controller.ReportAsync(new CallbackBatch(registration.Session, [.. batch.SelectMany(sent => sent.Events)]), cancellationToken);
                var count = Apply(batch, answer);
                metrics.Reported(time.GetElapsedTime(started), count);
                sender.Succeeded();
                return;
            }
            catch (ControllerException fault) when (fault.Fault == ControllerFault.Refused)
            {
                Refuse(sender, batch, fault);
                return;
            }
            catch (ControllerException fault)
            {
                LogFailed(batch.Sum(sent => sent.Events.Count), fault.Message);
                session.Report(registration, fault);
                await Task.Delay(sender.Backoff.Next(), time, cancellationToken);
            }
        }
    }

    private int Apply(IReadOnlyList<SentEvents> batch, CallbackAnswer answer)
    {
        var results = answer.Results.DistinctBy(result => result.AttemptId).ToDictionary(result => result.AttemptId);
        var acknowledged = new List<(Guid, long)>();
        var forgotten = new List<Guid>();
        var total = 0;
        foreach (var (queue, sent) in batch)
        {
            var attempt = queue.Attempt;
            if (!results.TryGetValue(attempt.Id, out var result)) result = new CallbackResult(attempt.Id, sent[0].Sequence - 1, CallbackOrder.Continue);
            var (count, ended) = outbox.Acknowledge(queue, result.AcceptedThrough);
            total += count;
            if (count > 0) acknowledged.Add((attempt.Id, result.AcceptedThrough));
            if (ended) End(attempt, forgotten);
            else if (result.Order == CallbackOrder.Stop) Fence(attempt, forgotten);
            else if (result.AcceptedThrough < sent[0].Sequence - 1) LoseTrack(attempt, result, sent[0].Sequence, forgotten);
            if (queue.Unproductive > 0) _ = ReturnLaterAsync(queue);
            else outbox.Return(queue);
        }
        // Not awaited: what is lost with a crash is sent again, and acknowledged as a repeat.
        if (acknowledged.Count > 0 || forgotten.Count > 0) _ = journal.Write(new JournalEntry { Acknowledged = acknowledged, Forgotten = forgotten });
        return total;
    }

    private void End(Attempt attempt, List<Guid> forgotten)
    {
        attempt.EndAcknowledged();
        if (!attempt.IsInline) return;
        // Nothing of it is anywhere but in the database.
        attempts.Remove(attempt);
        forgotten.Add(attempt.Id);
    }

    private void Fence(Attempt attempt, List<Guid> forgotten)
    {
        LogFenced(attempt.Id);
        outbox.Drop(attempt);
        // An attempt that has ended here already needs no more than to be cleaned up.
        if (!attempt.Apply(new AttemptInput.StopOrdered(StopCause.Fenced))) End(attempt, forgotten);
    }

    private void LoseTrack(Attempt attempt, CallbackResult result, long oldest, List<Guid> forgotten)
    {
        // It acknowledged those once, and they are gone here: a controller restored from an older backup.
        LogLost(attempt.Id, result.AcceptedThrough, oldest);
        Fence(attempt, forgotten);
    }

    private async Task ReturnLaterAsync(EventQueue queue)
    {
        var pause = TimeSpan.FromMilliseconds(Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(queue.Unproductive, 10))));
        await Task.Delay(pause, time);
        outbox.Return(queue);
    }

    // Something in the batch is not to the controller's taste: it is sent in halves until it stands alone, and then given up.
    private void Refuse(Sender sender, IReadOnlyList<SentEvents> batch, ControllerException fault)
    {
        var forgotten = new List<Guid>();
        if (batch is [{ Events: [var single] }])
        {
            LogRefused(single.AttemptId, single.Sequence, single.Type, fault.Message);
            Fence(batch[0].Queue.Attempt, forgotten);
            if (forgotten.Count > 0) _ = journal.Write(new JournalEntry { Forgotten = forgotten });
        }
        else
        {
            sender.Limit = Math.Max(1, batch.Sum(sent => sent.Events.Count) / 2);
        }
        foreach (var sent in batch) outbox.Return(sent.Queue);
    }

    private sealed class Sender
    {
        public Backoff Backoff { get; } = new(FirstPause, LongestPause);
        public int Limit { get; set; } = LargestBatch;

        public void Succeeded()
        {
            Backoff.Reset();
            Limit = Math.Min(LargestBatch, Limit * 2);
        }
    }

    [LoggerMessage(370, LogLevel.Warning, "The controller did not take {Count} events, trying again: {Fault}")]
    private partial void LogFailed(int count, string fault);

    [LoggerMessage(371, LogLevel.Warning, "Attempt {AttemptId} is not ours any more: stopping it and dropping its events")]
    private partial void LogFenced(Guid attemptId);

    [LoggerMessage(372, LogLevel.Error, "Attempt {AttemptId}: the controller knows events up to {Accepted}, but those before {Oldest} were acknowledged and are gone")]
    private partial void LogLost(Guid attemptId, long accepted, long oldest);

    [LoggerMessage(373, LogLevel.Error, "Attempt {AttemptId}: the controller refused event {Sequence} ({Type}) for good: {Fault}")]
    private partial void LogRefused(Guid attemptId, long sequence, string type, string fault);

    [LoggerMessage(374, LogLevel.Error, "Events could not be read from the database")]
    private partial void LogNotLoaded(Exception fault);
}
