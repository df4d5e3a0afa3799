using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Schedules;

/// <summary>Schedules and their firings as the API and the console show them; always within one project.</summary>
internal sealed class ScheduleQueries(IDbContextFactory<ControllerDb> databases, NpgsqlDataSource connections)
{
    private const string FiringColumns =
        "f.schedule_id, f.id, f.scheduled_at, f.cause, f.status, f.note, f.task_id, f.run_id, coalesce(t.status, r.status), f.created_at, f.fired_at";

    /// <summary>$1 schedules. The newest of each that is not a leaving out.</summary>
    private const string LastSql =
        $"""
        SELECT {FiringColumns} FROM unnest($1::uuid[]) AS s(id)
        CROSS JOIN LATERAL (SELECT * FROM schedule_firings WHERE schedule_id = s.id AND status <> 'skipped' ORDER BY id DESC LIMIT 1) f
        LEFT JOIN tasks t ON t.id = f.task_id LEFT JOIN runs r ON r.id = f.run_id
        """;

    /// <summary>$1 schedule, $2 before which id, $3 how many.</summary>
    private const string FiringsSql =
        $"""
        SELECT {FiringColumns} FROM (SELECT * FROM schedule_firings WHERE schedule_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3) f
        LEFT JOIN tasks t ON t.id = f.task_id LEFT JOIN runs r ON r.id = f.run_id ORDER BY f.id DESC
        """;

    /// <summary>By name, after the one given.</summary>
    public async Task<IReadOnlyList<ScheduleView>> ListAsync(Guid projectId, string after, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var schedules = await database.Schedules.AsNoTracking().Where(schedule => schedule.ProjectId == projectId && schedule.Name.CompareTo(after) > 0)
            .OrderBy(schedule => schedule.Name).Take(count).ToListAsync(cancellationToken);
        return await ViewAsync(schedules, cancellationToken);
    }

    /// <summary>Null when there is none.</summary>
    public async Task<ScheduleView?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var found = await database.Schedules.AsNoTracking().Where(schedule => schedule.ProjectId == projectId && schedule.Name == name).ToListAsync(cancellationToken);
        return (await ViewAsync(found, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<FiringView>> FiringsAsync(Guid scheduleId, Guid? before, int count, CancellationToken cancellationToken)
    {
        await using var batch = connections.CreateBatch();
        batch.Add(FiringsSql).With(scheduleId).With(before).With(count);
        return [.. (await ReadAsync(batch, cancellationToken)).Select(pair => pair.Firing)];
    }

    private async Task<IReadOnlyList<ScheduleView>> ViewAsync(List<Schedule> schedules, CancellationToken cancellationToken)
    {
        if (schedules.Count == 0) return [];
        await using var batch = connections.CreateBatch();
        batch.Add(LastSql).With(schedules.Select(schedule => schedule.Id).ToArray());
        var last = (await ReadAsync(batch, cancellationToken)).ToDictionary(pair => pair.ScheduleId, pair => pair.Firing);
        return [.. schedules.Select(schedule => View(schedule, last.GetValueOrDefault(schedule.Id)))];
    }

    private static ScheduleView View(Schedule schedule, FiringView? last) => new(
        schedule.Name, schedule.Cron, schedule.Every, schedule.TimeZone, schedule.StartAt, schedule.EndAt, schedule.Overlap, schedule.CatchUp, schedule.CatchUpWindowSeconds,
        schedule.JitterSeconds, schedule.Enabled, schedule.Target, schedule.NextAt, last, schedule.CreatedAt, schedule.UpdatedAt);

    private static async Task<List<(Guid ScheduleId, FiringView Firing)>> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Guid, FiringView)> firings = [];
        while (await rows.ReadAsync(cancellationToken)) firings.Add((rows.GetGuid(0), Firing(rows)));
        return firings;
    }

    private static FiringView Firing(NpgsqlDataReader rows) => new(
        rows.GetGuid(1), rows.GetFieldValue<DateTimeOffset>(2), WireEnum<FiringCause>.Parse(rows.GetString(3)), WireEnum<FiringState>.Parse(rows.GetString(4)), rows.Text(5),
        rows.GetFieldValue<Guid?>(6), rows.GetFieldValue<Guid?>(7), rows.Text(8), rows.GetFieldValue<DateTimeOffset>(9), rows.GetFieldValue<DateTimeOffset?>(10));
}
