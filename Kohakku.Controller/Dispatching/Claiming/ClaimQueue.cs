using System.Diagnostics;
using Kohakku.Contracts.Dispatching;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Claiming;

internal enum ClaimVerdict { Answered, UnknownDispatcher, Superseded }

/// <param name="Passed">Tasks fitted, but others took them meanwhile: ask again at once.</param>
internal sealed record ClaimResult(ClaimVerdict Verdict, IReadOnlyList<AttemptOrder> Orders, bool Repeated = false, bool Passed = false);

/// <summary>One look at the queue, in one roundtrip: takes what fits, or nothing.</summary>
internal sealed class ClaimQueue(
    NpgsqlDataSource database, Orders orders, ProjectTurns turns, ChangeFeed feed, DispatchingMetrics metrics, TimeProvider time)
{
    public async Task<ClaimResult> TryClaimAsync(Guid dispatcherId, ClaimRequest request, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var result = await ClaimAsync(dispatcherId, request, cancellationToken);
        if (result.Repeated) return await RepeatAsync(dispatcherId, request, cancellationToken);
        if (result.Verdict == ClaimVerdict.Answered) metrics.Claimed(result.Orders.Count, Stopwatch.GetElapsedTime(started));
        feed.PublishTasks([.. result.Orders.Select(order => order.TaskId)]);
        return result;
    }

    /// <summary>The claim as one batch; it commits at the batch's end.</summary>
    private async Task<ClaimResult> ClaimAsync(Guid dispatcherId, ClaimRequest request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(ClaimSql.Plan);
        batch.Add(ClaimSql.Serialise).With(request.RequestId.ToString());
        batch.Add(ClaimSql.Claimer).With(dispatcherId).With(request.RequestId);
        batch.Add(ClaimSql.Claim).With(dispatcherId).With(request.Session).With(request.RequestId).With(request.Slots)
            .With(Ids(request.Slots, now)).With(turns.Order()).With((double)DispatchingTimes.LeaseSeconds).With(request.TaskIds?.ToArray()).With(now);

        // Not cancelled half-way: a claim that commits unseen would wait for its lease to run out.
        await using var rows = await batch.ExecuteReaderAsync(CancellationToken.None);
        await rows.NextResultAsync(CancellationToken.None);
        await rows.NextResultAsync(CancellationToken.None);
        if (!await rows.ReadAsync(CancellationToken.None)) return new ClaimResult(ClaimVerdict.UnknownDispatcher, []);
        if (rows.GetGuid(0) != request.Session) return new ClaimResult(ClaimVerdict.Superseded, []);
        if (rows.GetBoolean(3)) return new ClaimResult(ClaimVerdict.Answered, [], Repeated: true);
        var dispatcher = rows.GetString(2);

        await rows.NextResultAsync(CancellationToken.None);
        List<AttemptOrder> claimed = [];
        HashSet<Guid> projects = [];
        var fits = false;
        while (await rows.ReadAsync(CancellationToken.None))
        {
            fits = rows.GetBoolean(24);
            if (rows.IsDBNull(0)) break;
            var order = orders.Read(rows);
            claimed.Add(order);
            projects.Add(rows.GetGuid(4));
            var queuedAt = rows.GetFieldValue<DateTimeOffset>(3);
            metrics.PickedUp(now - queuedAt);
            metrics.TraceClaim(order.TraceParent, order.TaskId, dispatcher, queuedAt, now);
        }

        turns.Served(projects);
        return new ClaimResult(ClaimVerdict.Answered, claimed, Passed: fits && claimed.Count == 0);
    }

    private async Task<ClaimResult> RepeatAsync(Guid dispatcherId, ClaimRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(ClaimSql.Repeat).With(dispatcherId).With(request.RequestId).With((double)DispatchingTimes.LeaseSeconds);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<AttemptOrder> held = [];
        while (await rows.ReadAsync(cancellationToken)) held.Add(orders.Read(rows));
        return new ClaimResult(ClaimVerdict.Answered, held, Repeated: true);
    }

    private static Guid[] Ids(int count, DateTimeOffset now)
    {
        var ids = new Guid[count];
        for (var index = 0; index < count; index++) ids[index] = Guid.CreateVersion7(now);
        return ids;
    }
}
