using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>
/// Makes firings of the schedules whose time has come, and moves them on to their next time, in one transaction: dying in it leaves all as it was. That a time
/// has one firing is the table's to see to.
/// </summary>
internal sealed partial class DueSchedules(NpgsqlDataSource database, TimeProvider time, ILogger<DueSchedules> logger)
{
    public const int AtOnce = 1_000;
    /// <summary>Of one schedule; a queue that only grows helps nobody.</summary>
    public const int MostWaiting = 100;

    /// <summary>Answers how many schedules it saw to.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var due = await TakeAsync(connection, now, cancellationToken);
        if (due.Count == 0) return 0;
        var next = new DateTimeOffset?[due.Count];
        List<NewFiring> firings = [];
        for (var i = 0; i < next.Length; i++) next[i] = Plan(due[i], now, firings);
        await using var batch = new NpgsqlBatch(connection);
        FiringRows.Insert(batch, firings, now);
        batch.Add(FiringSql.Advance).With(due.Select(schedule => schedule.Id).ToArray()).With(next);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return due.Count;
    }

    private DateTimeOffset? Plan(DueSchedule schedule, DateTimeOffset now, List<NewFiring> firings)
    {
        Cadence cadence;
        try
        {
            cadence = schedule.Cadence();
        }
        catch (CadenceException fault)
        {
            // It was right when it was put: a time zone that this machine does not know. It stands until somebody sees to it.
            LogUnreadable(schedule.Name, fault.Field, fault.Message);
            firings.Add(new NewFiring(schedule.Id, schedule.NextAt, FiringCause.Due, FiringState.Failed, now, $"{fault.Field} {fault.Message}"));
            return null;
        }

        var times = DueTimes.Of(cadence, schedule.CatchUp, schedule.CatchUpWindow, schedule.NextAt, now);
        if (times.LeftOut is { } leftOut)
            firings.Add(new NewFiring(
                schedule.Id, leftOut, FiringCause.Due, FiringState.Skipped, now, leftOut == schedule.NextAt ? "It passed while no scheduler ran." : "It, and those before it, passed while no scheduler ran."));
        var room = schedule.Overlap == OverlapPolicy.Queue ? MostWaiting - schedule.Waiting : int.MaxValue;
        foreach (var scheduledAt in times.Firing)
            firings.Add(room-- > 0
                ? new NewFiring(schedule.Id, scheduledAt, FiringCause.Due, FiringState.Pending, scheduledAt + Jitter(schedule), null)
                : new NewFiring(schedule.Id, scheduledAt, FiringCause.Due, FiringState.Skipped, now, $"{MostWaiting} firings wait already."));
        return times.Next;
    }

    private static TimeSpan Jitter(DueSchedule schedule) => schedule.JitterSeconds == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Random.Shared.NextDouble() * schedule.JitterSeconds);

    private static async Task<List<DueSchedule>> TakeAsync(NpgsqlConnection connection, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(FiringSql.TakeDue).With(now).With(AtOnce);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<DueSchedule> due = [];
        while (await rows.ReadAsync(cancellationToken))
            due.Add(new DueSchedule(
                rows.GetGuid(0), rows.GetString(1), rows.Text(2), rows.Text(3), rows.GetString(4), rows.GetFieldValue<DateTimeOffset?>(5),
                rows.GetFieldValue<DateTimeOffset?>(6), WireEnum<OverlapPolicy>.Parse(rows.GetString(7)), WireEnum<CatchUpPolicy>.Parse(rows.GetString(8)),
                TimeSpan.FromSeconds(rows.GetInt32(9)), rows.GetInt32(10), rows.GetFieldValue<DateTimeOffset>(11), rows.GetInt32(12)));
        return due;
    }

    [LoggerMessage(3601, LogLevel.Warning, "The schedule {Name} can't fire any more: its {Field} {Rule}.")]
    private partial void LogUnreadable(string name, string field, string rule);

    /// <param name="Waiting">How many of its firings are pending, where they queue.</param>
    private sealed record DueSchedule(
        Guid Id, string Name, string? Cron, string? Every, string TimeZone, DateTimeOffset? StartAt, DateTimeOffset? EndAt, OverlapPolicy Overlap, CatchUpPolicy CatchUp,
        TimeSpan CatchUpWindow, int JitterSeconds, DateTimeOffset NextAt, int Waiting)
    {
        public Cadence Cadence() => Schedules.Cadence.Of(Cron, Every, TimeZone, StartAt, EndAt);
    }
}
