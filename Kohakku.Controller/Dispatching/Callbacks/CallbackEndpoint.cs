using Kohakku.Contracts.Dispatching;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Callbacks;

internal static class CallbackEndpoint
{
    private const string DispatcherOfSession = "SELECT id FROM dispatchers WHERE session = $1";

    public static async Task<Results<Ok<CallbackAnswer>, ProblemHttpResult>> ReportAsync(
        CallbackBatch batch, CallbackReceiver receiver, CancellationToken cancellationToken)
    {
        var answer = await receiver.ApplyAsync(batch, cancellationToken);
        return answer is null ? SessionProblems.Superseded() : TypedResults.Ok(answer);
    }

    internal static async Task<Guid?> DispatcherOfAsync(NpgsqlDataSource database, Guid session, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(DispatcherOfSession);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = session });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }
}

/// <summary>Applies batches of reports, each in one transaction; only where the database refuses one, attempt by attempt.</summary>
internal sealed partial class CallbackReceiver(
    NpgsqlDataSource database, TaskChanges changes, DispatchingMetrics metrics, ILogger<CallbackReceiver> logger)
{
    /// <summary>Null when the session is not (any more) one of a dispatcher.</summary>
    public async Task<CallbackAnswer?> ApplyAsync(CallbackBatch batch, CancellationToken cancellationToken)
    {
        if (await CallbackEndpoint.DispatcherOfAsync(database, batch.Session, cancellationToken) is not { } dispatcherId) return null;
        if (batch.Events.Count == 0) return new CallbackAnswer([]);
        try
        {
            return new CallbackAnswer(await ApplyAsync(batch.Events, dispatcherId, null, cancellationToken));
        }
        catch (PostgresException fault) when (IsAboutData(fault))
        {
            LogRefused(fault.MessageText);
        }

        // Something in it is what this database can't hold: find out in which attempt, and take the others.
        List<CallbackResult> results = [];
        foreach (var ofAttempt in batch.Events.GroupBy(report => report.AttemptId))
            results.AddRange(await ApplyAloneAsync([.. ofAttempt], dispatcherId, cancellationToken));
        return new CallbackAnswer(results);
    }

    private async Task<IReadOnlyList<CallbackResult>> ApplyAloneAsync(IReadOnlyList<AttemptEvent> events, Guid dispatcherId, CancellationToken cancellationToken)
    {
        try
        {
            return await ApplyAsync(events, dispatcherId, null, cancellationToken);
        }
        catch (PostgresException fault) when (IsAboutData(fault))
        {
            return await ApplyAsync(events, dispatcherId, fault.MessageText, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<CallbackResult>> ApplyAsync(
        IReadOnlyList<AttemptEvent> events, Guid dispatcherId, string? unreadable, CancellationToken cancellationToken)
    {
        var (results, lags) = await changes.OfAttemptsAsync(
            events.Select(report => report.AttemptId).ToHashSet(),
            locked =>
            {
                var application = new CallbackApplication(locked, dispatcherId);
                return (application.Apply(events, unreadable), application.Lags);
            },
            cancellationToken);
        foreach (var lag in lags) metrics.Applied(lag);
        return results;
    }

    /// <summary>Class 22: data exceptions (numbers too large, text that can't be stored); 54: limits of the program.</summary>
    private static bool IsAboutData(PostgresException fault) => fault.SqlState is ['2', '2', ..] or ['5', '4', ..];

    [LoggerMessage(3020, LogLevel.Warning, "The database refused a batch of reports, which is now applied attempt by attempt: {Fault}")]
    private partial void LogRefused(string fault);
}
