using System.Diagnostics;
using System.Diagnostics.Metrics;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Dispatching;

/// <summary>What an operator watches of the queue and its dispatchers, and the spans that join a task's trace.</summary>
internal sealed class DispatchingMetrics : IDisposable
{
    public const string Name = "Kohakku.Controller.Dispatching";

    private readonly ActivitySource spans = new(Name);
    private readonly Meter meter;
    private readonly Counter<long> claims;
    private readonly Histogram<double> claimDuration;
    private readonly Histogram<double> pickup;
    private readonly Histogram<double> callbackLag;
    private readonly Counter<long> attempts;
    private readonly Counter<long> tasks;
    private readonly Counter<long> outbox;
    private IReadOnlyList<QueueFigure> queue = [];

    public DispatchingMetrics(IMeterFactory meters)
    {
        meter = meters.Create(Name);
        claims = meter.CreateCounter<long>("kohakku.claims", "{attempt}", "Attempts handed to dispatchers.");
        claimDuration = meter.CreateHistogram<double>("kohakku.claim.duration", "s", "How long the database took to claim.", tags: null, Durations.Buckets);
        pickup = meter.CreateHistogram<double>("kohakku.queue.latency", "s", "How long tasks waited in the queue until they were claimed.", tags: null, Durations.Buckets);
        callbackLag = meter.CreateHistogram<double>("kohakku.callback.lag", "s", "From an event at the dispatcher to its application here.", tags: null, Durations.Buckets);
        attempts = meter.CreateCounter<long>("kohakku.attempts", "{attempt}", "Ended attempts by state and reason.");
        tasks = meter.CreateCounter<long>("kohakku.tasks", "{task}", "Ended tasks by state.");
        outbox = meter.CreateCounter<long>("kohakku.outbox.deliveries", "{message}", "Outbox messages by kind and result.");
        meter.CreateObservableGauge("kohakku.queue.depth", () => queue.Select(figure => figure.Depth()), "{task}", "Queued tasks by agent.");
        meter.CreateObservableGauge("kohakku.queue.age", () => queue.Select(figure => figure.Age()), "s", "Age of the oldest queued task by agent.");
    }

    public void SetQueue(IReadOnlyList<QueueFigure> figures) => queue = figures;

    public void Claimed(int count, TimeSpan took)
    {
        claimDuration.Record(took.TotalSeconds);
        if (count > 0) claims.Add(count);
    }

    public void PickedUp(TimeSpan waited) => pickup.Record(Math.Max(0, waited.TotalSeconds));

    /// <summary>Makes the claim visible in the task's trace.</summary>
    public void TraceClaim(string? traceParent, Guid taskId, string dispatcher, DateTimeOffset queuedAt, DateTimeOffset claimedAt)
    {
        if (!spans.HasListeners() || !ActivityContext.TryParse(traceParent, null, out var parent)) return;
        using var span = spans.StartActivity("task queued", ActivityKind.Internal, parent, startTime: queuedAt);
        span?.SetTag("kohakku.task", taskId).SetTag("kohakku.dispatcher", dispatcher).SetEndTime(claimedAt.UtcDateTime);
    }

    public void Applied(TimeSpan lag) => callbackLag.Record(Math.Max(0, lag.TotalSeconds));

    public void Delivered(string kind, bool succeeded) =>
        outbox.Add(1, new("kind", kind), new("result", succeeded ? "delivered" : "failed"));

    /// <summary>Counts and traces what ended in a committed transaction.</summary>
    public void Count(LockedTasks changed)
    {
        foreach (var attempt in changed.ChangedAttempts)
        {
            if (!attempt.Status.IsEnded()) continue;
            var state = WireEnum<AttemptState>.NameOf(attempt.Status);
            var reason = attempt.Reason is { } why ? WireEnum<FailureReason>.NameOf(why) : "none";
            attempts.Add(1, new("state", state), new("reason", reason));
            TraceAttempt(changed.Task(attempt.TaskId)!, attempt, state, reason);
        }

        foreach (var task in changed.ChangedTasks)
            if (task.Status.IsFinal()) tasks.Add(1, new KeyValuePair<string, object?>("state", WireEnum<TaskState>.NameOf(task.Status)));
    }

    public void Dispose()
    {
        spans.Dispose();
        meter.Dispose();
    }

    private void TraceAttempt(TaskStanding task, AttemptStanding attempt, string state, string reason)
    {
        if (!spans.HasListeners() || !ActivityContext.TryParse(task.TraceParent, null, out var parent)) return;
        using var span = spans.StartActivity("task attempt", ActivityKind.Internal, parent, startTime: attempt.ClaimedAt);
        if (span is null) return;
        span.SetTag("kohakku.task", task.Id).SetTag("kohakku.attempt", attempt.Number).SetTag("kohakku.dispatcher", attempt.DispatcherName)
            .SetTag("kohakku.state", state).SetEndTime((attempt.EndedAt ?? attempt.ClaimedAt).UtcDateTime);
        if (attempt.Status != AttemptState.Succeeded) span.SetStatus(ActivityStatusCode.Error, reason);
    }
}

/// <param name="OldestSeconds">Age of the oldest.</param>
internal sealed record QueueFigure(string Agent, long Count, double OldestSeconds)
{
    public Measurement<long> Depth() => new(Count, new KeyValuePair<string, object?>("agent", Agent));

    public Measurement<double> Age() => new(OldestSeconds, new KeyValuePair<string, object?>("agent", Agent));
}
