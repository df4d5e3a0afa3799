using Kohakku.Contracts.Dispatching;
using Kohakku.Controller.Dispatching.Lifecycle;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Callbacks;

/// <summary>Applies batches of reports, each in one transaction; only where the database refuses one, attempt by attempt.</summary>
internal sealed partial class CallbackReceiver(TaskChanges changes, DispatchingMetrics metrics, ILogger<CallbackReceiver> logger)
{
    /// <summary>Null when the session is not (any more) one of a dispatcher.</summary>
    public async Task<CallbackAnswer?> ApplyAsync(CallbackBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await ApplyAsync(batch.Session, batch.Events, null, cancellationToken) is { } applied ? new CallbackAnswer(applied) : null;
        }
        catch (PostgresException fault) when (IsAboutData(fault))
        {
            LogRefused(fault.MessageText);
        }

        // Something in it is what this database can't hold: find out in which attempt, and take the others.
        List<CallbackResult> results = [];
        foreach (var ofAttempt in batch.Events.GroupBy(report => report.AttemptId))
        {
            if (await ApplyAloneAsync(batch.Session, [.. ofAttempt], cancellationToken) is not { } alone) return null;
            results.AddRange(alone);
        }

        return new CallbackAnswer(results);
    }

    private async Task<IReadOnlyList<CallbackResult>?> ApplyAloneAsync(Guid session, IReadOnlyList<AttemptEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await ApplyAsync(session, events, null, cancellationToken);
        }
        catch (PostgresException fault) when (IsAboutData(fault))
        {
            return await ApplyAsync(session, events, fault.MessageText, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<CallbackResult>?> ApplyAsync(
        Guid session, IReadOnlyList<AttemptEvent> events, string? unreadable, CancellationToken cancellationToken)
    {
        var applied = await changes.OfAttemptsAsync(
            events.Select(report => report.AttemptId).ToHashSet(), session,
            locked =>
            {
                if (locked.Reporter is not { } dispatcherId) return null;
                var application = new CallbackApplication(locked, dispatcherId);
                return new Applied(application.Apply(events, unreadable), application.Lags);
            },
            cancellationToken);
        if (applied is null) return null;
        foreach (var lag in applied.Lags) metrics.Applied(lag);
        return applied.Results;
    }

    private sealed record Applied(IReadOnlyList<CallbackResult> Results, List<TimeSpan> Lags);

    /// <summary>Class 22: data exceptions (numbers too large, text that can't be stored); 54: limits of the program.</summary>
    private static bool IsAboutData(PostgresException fault) => fault.SqlState is ['2', '2', ..] or ['5', '4', ..];

    [LoggerMessage(3020, LogLevel.Warning, "The database refused a batch of reports, which is now applied attempt by attempt: {Fault}")]
    private partial void LogRefused(string fault);
}
