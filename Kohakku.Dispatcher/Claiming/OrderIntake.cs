using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Reporting;

namespace Kohakku.Dispatcher.Claiming;

/// <summary>
/// Takes claimed orders in: durable first, then started. Inline ones are run here and now, a whole claim in one write. Used by the
/// claim loop alone, but for what its writes complete.
/// </summary>
internal sealed partial class OrderIntake(
    Journal journal, Outbox outbox, AttemptTable attempts, AgentSlots slots, AttemptSupervisor supervisor, SecretSeal seal, DispatcherMetrics metrics,
    TimeProvider time, ILogger<OrderIntake> logger)
{
    private const int InlineInFlight = 1000;
    private static readonly IReadOnlyDictionary<string, string> NoSecrets = new Dictionary<string, string>();
    private readonly Signal inlineWritten = new();
    private int inlineInFlight;

    /// <summary>Waits until so few inline attempts are being written that more may be claimed.</summary>
    public async Task WaitForInlineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = inlineWritten.Next;
            if (Volatile.Read(ref inlineInFlight) < InlineInFlight) return;
            await next.WaitAsync(cancellationToken);
        }
    }

    public async Task AcceptAsync(IReadOnlyList<AttemptOrder> orders, CancellationToken cancellationToken)
    {
        var inline = new List<Attempt>();
        var others = new List<Attempt>();
        foreach (var order in orders)
        {
            var attempt = new Attempt(order, TokenHash.Of(order.Token), journal, outbox, time);
            if (!attempts.Add(attempt)) continue; // an order that was answered twice
            (attempt.IsInline ? inline : others).Add(attempt);
        }
        if (inline.Count > 0) _ = RunInlineAsync(inline);
        if (others.Count > 0) await AcceptAsync(others, cancellationToken);
    }

    /// <summary>What is written of a claimed attempt; its token and, in clear, its secrets are not.</summary>
    internal ClaimedRow RowOf(Attempt attempt)
    {
        var kept = attempt.Order with { Token = "", Secrets = NoSecrets };
        return new ClaimedRow(attempt.Id, attempt.Order.TaskId, attempt.Token.ToBytes(), JsonSerializer.Serialize(kept, ContractsJson.Default.AttemptOrder),
            seal.Seal(attempt.Id, attempt.Order.Secrets), attempt.ClaimedAt);
    }

    private async Task AcceptAsync(List<Attempt> accepted, CancellationToken cancellationToken)
    {
        var free = slots.Free;
        foreach (var _ in accepted.Take(free)) slots.Take();
        await journal.Write(new JournalEntry { Claimed = [.. accepted.Select(RowOf)] });
        foreach (var attempt in accepted.Take(free)) await supervisor.StartAsync(attempt, cancellationToken);
        // More than were asked for as agents: claimed in the belief that they would be inline (see ClaimSize).
        foreach (var attempt in accepted.Skip(free))
        {
            LogHandedBack(attempt.Id);
            supervisor.GiveBack(attempt, "It was not started: its dispatcher had no free slot.");
        }
    }

    private async Task RunInlineAsync(List<Attempt> inline)
    {
        Interlocked.Add(ref inlineInFlight, inline.Count);
        var claimed = new List<ClaimedRow>(inline.Count);
        var progress = new List<ProgressRow>(inline.Count);
        var perAttempt = new List<IReadOnlyList<AttemptEvent>>(inline.Count);
        foreach (var attempt in inline)
        {
            var (row, events) = attempt.RunInline();
            claimed.Add(new ClaimedRow(attempt.Id, attempt.Order.TaskId, attempt.Token.ToBytes(), null, null, attempt.ClaimedAt));
            progress.Add(row);
            perAttempt.Add(events);
        }
        try
        {
            await journal.Write(new JournalEntry
            {
                Claimed = claimed,
                Progress = progress,
                Events = [.. perAttempt.SelectMany(events => events)],
                Committed = () =>
                {
                    for (var i = 0; i < inline.Count; i++) outbox.Publish(inline[i], perAttempt[i]);
                },
            });
            metrics.EndedInline(inline.Count);
        }
        finally
        {
            Interlocked.Add(ref inlineInFlight, -inline.Count);
            inlineWritten.Raise();
        }
    }

    [LoggerMessage(330, LogLevel.Information, "Attempt {AttemptId} goes back to the queue: no free slot")]
    private partial void LogHandedBack(Guid attemptId);
}
