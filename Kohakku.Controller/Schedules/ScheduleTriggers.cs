using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Kohakku.Controller.Schedules.Firing;
using Npgsql;

namespace Kohakku.Controller.Schedules;

/// <summary>Firings that somebody asks for. A scheduler sees to them as to its own, paused schedules' too.</summary>
internal sealed class ScheduleTriggers(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Of one backfill.</summary>
    public const int MostTimes = 1_000;

    /// <summary>Now, whatever the schedule's times are; its policy about overlaps holds. Answers the time that the firing stands for.</summary>
    public async Task<DateTimeOffset> TriggerAsync(Schedule schedule, CancellationToken cancellationToken)
    {
        while (true)
        {
            var now = time.GetColumnNow();
            // Another one asked in the same microsecond, or it is due now: there is one firing for a time.
            if ((await InsertAsync([new NewFiring(schedule.Id, now, FiringCause.Manual, FiringState.Pending, now, null)], now, cancellationToken)).Count == 1) return now;
        }
    }

    /// <summary>Answers those of the times that had not fired yet, and do now.</summary>
    public async Task<IReadOnlyList<DateTimeOffset>> BackfillAsync(Schedule schedule, IReadOnlyList<DateTimeOffset> times, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        return await InsertAsync([.. times.Select(at => new NewFiring(schedule.Id, at, FiringCause.Backfill, FiringState.Pending, now, null))], now, cancellationToken);
    }

    private async Task<IReadOnlyList<DateTimeOffset>> InsertAsync(IReadOnlyList<NewFiring> firings, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        FiringRows.Insert(batch, firings, now);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<DateTimeOffset> made = [];
        while (await rows.ReadAsync(cancellationToken)) made.Add(rows.GetFieldValue<DateTimeOffset>(0));
        return [.. made.Order()];
    }
}
