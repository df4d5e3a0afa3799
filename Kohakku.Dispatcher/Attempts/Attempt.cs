using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Reporting;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>
/// One attempt that this dispatcher holds. Its state changes by <c>Apply</c> alone, under its lock, where its events get their
/// sequence and go to the journal in that order. Safe for any thread.
/// </summary>
internal sealed class Attempt : IDisposable
{
    private readonly Lock gate = new();
    private readonly Journal journal;
    private readonly Outbox outbox;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource acknowledged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource launched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private AttemptStatus status = AttemptStatus.New;
    private long sequence;
    private long lastSign;

    public Attempt(AttemptOrder order, TokenHash token, Journal journal, Outbox outbox, TimeProvider time)
    {
        (Order, Token, this.journal, this.outbox, this.time) = (order, token, journal, outbox, time);
        ClaimedAt = time.GetUtcNow();
        Stopping = stop.Token;
        lastSign = time.GetTimestamp();
        Redactor = new SecretRedactor(order.Secrets);
        Mailbox = new Mailbox(order.AttemptId, journal, time);
        Events = new EventQueue(this);
    }

    public Guid Id => Order.AttemptId;
    public AttemptOrder Order { get; }
    public TokenHash Token { get; }
    public DateTimeOffset ClaimedAt { get; private init; }
    public SecretRedactor Redactor { get; }
    public Mailbox Mailbox { get; }
    /// <summary>The outbox's part of it.</summary>
    public EventQueue Events { get; }
    /// <summary>An earlier process of this dispatcher claimed it.</summary>
    public bool IsAdopted { get; private init; }
    public bool IsInline => Order.Agent.Mode == AgentMode.Inline;
    public AttemptStatus Status => Volatile.Read(ref status);
    public DateTimeOffset? RunningAt { get; private set; }
    /// <summary>When it times out; null until it runs.</summary>
    public DateTimeOffset? Deadline => RunningAt + TimeSpan.FromSeconds(Order.TimeoutSeconds);
    public TimeSpan HeartbeatTimeout => TimeSpan.FromSeconds(Order.Agent.HeartbeatTimeoutSeconds);
    /// <summary>The runner has called the dispatcher at least once, this process or an earlier one.</summary>
    public bool WasAlive { get; private set; }
    /// <summary>How long the agent has said nothing.</summary>
    public TimeSpan Silence => time.GetElapsedTime(Volatile.Read(ref lastSign));
    /// <summary>Cancelled when it is to be stopped.</summary>
    public CancellationToken Stopping { get; }
    /// <summary>Completes when it runs, or never will: its agent may be quicker than the runtime, which tells of its start.</summary>
    public Task Launched => launched.Task;
    /// <summary>Completes when the controller has its end, or wants to hear nothing more of it.</summary>
    public Task Acknowledged => acknowledged.Task;

    public void SignOfLife()
    {
        Volatile.Write(ref lastSign, time.GetTimestamp());
        WasAlive = true;
    }

    /// <summary>The agent was just started: its silence counts from now.</summary>
    public void RestartSilence() => Volatile.Write(ref lastSign, time.GetTimestamp());

    /// <summary>Tells the attempt what happened.</summary>
    /// <param name="durable">Completes when the change and its event are in the database.</param>
    /// <returns>False when it came too late or does not fit; nothing has changed then.</returns>
    public bool Apply(AttemptInput input, out Task durable)
    {
        lock (gate)
        {
            if (Advance(input) is not { } change)
            {
                durable = Task.CompletedTask;
                return false;
            }
            durable = journal.Write(new JournalEntry
            {
                Progress = change.Row is { } row ? [row] : [],
                Events = change.Event is { } made ? [made] : [],
                Committed = change.Event is null ? null : () => outbox.Publish(this, [change.Event]),
            });
        }
        if (Status.Stop is not null) _ = stop.CancelAsync();
        if (Status.Stop == StopCause.Fenced) outbox.Drop(this);
        if (Status.Phase == AttemptPhase.Dropped) acknowledged.TrySetResult();
        return true;
    }

    public bool Apply(AttemptInput input) => Apply(input, out _);

    /// <summary>
    /// The whole life of an inline attempt at once: what is to be written of it, to be committed together with the others of its claim.
    /// Nothing happens outside the dispatcher, so its order need not be durable before.
    /// </summary>
    public (ProgressRow Row, IReadOnlyList<AttemptEvent> Events) RunInline()
    {
        lock (gate)
        {
            var running = Advance(new AttemptInput.Started("inline"))!;
            Advance(new AttemptInput.ResultPosted(new AgentResult(AgentOutcome.Succeeded)));
            var ended = Advance(new AttemptInput.Exited(new(0, false, ""), WasAlive: true, null))!;
            return (ended.Row!, [running.Event!, ended.Event!]);
        }
    }

    /// <summary>Takes over what an earlier process noted.</summary>
    public static Attempt Restore(AttemptOrder order, StoredAttempt stored, Journal journal, Outbox outbox, TimeProvider time)
    {
        var progress = stored.Progress;
        var attempt = new Attempt(order, TokenHash.OfBytes(stored.Claimed.TokenHash), journal, outbox, time)
        {
            IsAdopted = true,
            ClaimedAt = stored.Claimed.ClaimedAt,
            RunningAt = progress.RunningAt,
            sequence = stored.LastSequence,
            WasAlive = progress.RunningAt is not null,
            status = new AttemptStatus(WireEnum<AttemptPhase>.Parse(progress.Phase), progress.RuntimeId, Result: progress.Result is null
                ? null
                : JsonSerializer.Deserialize(progress.Result, ContractsJson.Default.AgentResult)),
        };
        attempt.Mailbox.Restore(stored.Messages);
        if (attempt.status.IsOver || attempt.status.Phase == AttemptPhase.Running) attempt.launched.TrySetResult();
        if (attempt.status.Phase == AttemptPhase.Dropped) attempt.acknowledged.TrySetResult();
        if (attempt.status.Phase == AttemptPhase.Ended && stored.AcknowledgedSequence >= stored.LastSequence) attempt.acknowledged.TrySetResult();
        return attempt;
    }

    /// <summary>The controller has all events up to its end.</summary>
    public void EndAcknowledged() => acknowledged.TrySetResult();

    public void Dispose() => stop.Dispose();

    private sealed record Change(ProgressRow? Row, AttemptEvent? Event);

    private Change? Advance(AttemptInput input)
    {
        var before = status;
        var step = AttemptMachine.Apply(before, input);
        if (!step.Accepted) return null;
        var now = time.GetUtcNow();
        if (step.Status.Phase == AttemptPhase.Running) RunningAt ??= now;
        Volatile.Write(ref status, step.Status);
        if (step.Status.IsOver || step.Status.Phase == AttemptPhase.Running) launched.TrySetResult();
        var made = step.Event is { } emission ? new AttemptEvent(Id, ++sequence, now, emission.Type, Data(emission)) : null;
        // Reports change events only; a stop is ordered again after a restart.
        var changed = step.Status.Phase != before.Phase || step.Status.Result != before.Result;
        return new Change(changed ? Row(step.Status, now) : null, made);
    }

    private ProgressRow Row(AttemptStatus current, DateTimeOffset now) => new(
        Id, WireEnum<AttemptPhase>.NameOf(current.Phase), current.RuntimeId, RunningAt, Deadline,
        current.Result is null ? null : JsonSerializer.Serialize(current.Result, ContractsJson.Default.AgentResult), current.IsOver ? now : null);

    private static JsonElement? Data(AttemptEmission emission) => emission.Data switch
    {
        null => null,
        JsonElement element => element,
        var data => JsonSerializer.SerializeToElement(data, ContractsJson.Default.GetTypeInfo(data.GetType())!),
    };
}
