using Kohakku.Contracts.Dispatching;
using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Heartbeats;

internal static class HeartbeatEndpoint
{
    // An answer may be lost on its way; the dispatcher knows a message that it has by its id.
    private const int TimesSent = 3;
    private const int MostAttempts = 10_000;

    public static async Task<Results<Ok<HeartbeatAnswer>, ProblemHttpResult>> BeatAsync(
        Guid id, HeartbeatRequest request, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (Check(request) is { } refusal) return refusal;
        var attempts = request.Attempts.ToArray();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(HeartbeatSql.Exists).With(id);
        batch.Add(HeartbeatSql.Touch).With(id).With(request.Session).With(request.FreeSlots);
        if (attempts.Length > 0)
        {
            batch.Add(HeartbeatSql.Renew).With(id).With(request.Session).With(attempts).With((double)DispatchingTimes.LeaseSeconds);
            batch.Add(HeartbeatSql.Stops).With(id).With(attempts);
            batch.Add(HeartbeatSql.Messages).With(id).With(request.Session).With(attempts).With(TimesSent);
        }

        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return Problems.NotFound($"No dispatcher {id} is registered here.");
        await rows.NextResultAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return SessionProblems.Superseded();
        var drain = rows.GetBoolean(0);
        if (attempts.Length == 0) return TypedResults.Ok(new HeartbeatAnswer([], [], drain));

        // Renewing answers no rows, and so no result of its own.
        await rows.NextResultAsync(cancellationToken);
        return TypedResults.Ok(new HeartbeatAnswer(await StopsAsync(rows, cancellationToken), await MessagesAsync(rows, cancellationToken), drain));
    }

    private static async Task<List<StopOrder>> StopsAsync(NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        List<StopOrder> stops = [];
        while (await rows.ReadAsync(cancellationToken)) stops.Add(new StopOrder(rows.GetGuid(0), rows.GetString(1)));
        return stops;
    }

    private static async Task<IReadOnlyList<AttemptMessage>> MessagesAsync(NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        await rows.NextResultAsync(cancellationToken);
        List<(DateTimeOffset At, AttemptMessage Message)> messages = [];
        while (await rows.ReadAsync(cancellationToken))
            messages.Add((rows.GetFieldValue<DateTimeOffset>(4), new AttemptMessage(rows.GetGuid(0), rows.GetGuid(1), rows.GetString(2), rows.GetString(3))));
        return [.. messages.OrderBy(sent => sent.At).Select(sent => sent.Message)];
    }

    private static ProblemHttpResult? Check(HeartbeatRequest request)
    {
        var faults = new Faults();
        if (request.FreeSlots < 0) faults.Add("freeSlots", "must not be negative");
        if (request.Attempts.Count > MostAttempts) faults.Add("attempts", $"must be at most {MostAttempts}");
        return faults.Any ? Problems.Unprocessable(faults) : null;
    }
}
