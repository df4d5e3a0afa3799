using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Schedules;

/// <summary>Schedules of a project by name. Deleting one forgets its firings; the tasks and runs that it began stay.</summary>
internal sealed class ScheduleRegistry(IDbContextFactory<ControllerDb> databases, TimeProvider time)
{
    /// <summary>
    /// Answers whether the schedule is new. The request is checked already. Where its times change they begin with the first after now; where they don't, its next
    /// one stays, also when it has just passed: putting the same again loses nothing.
    /// </summary>
    public async Task<bool> PutAsync(Guid projectId, string name, PutSchedule request, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            var schedule = await LockAsync(database, projectId, name, cancellationToken);
            var (isNew, now) = (schedule is null, time.GetColumnNow());
            schedule ??= database.Schedules.Add(new Schedule
            {
                Id = Guid.CreateVersion7(now), ProjectId = projectId, Name = name, TimeZone = "UTC", Target = request.Target!, CreatedAt = now,
            }).Entity;
            Apply(schedule, request, now);
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return isNew;
            }
            catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                // Another put of the same name was faster: this one replaces it.
            }
        }
    }

    /// <summary>Pausing keeps its next time from coming; resuming goes on with the first after now. False when there is no such schedule.</summary>
    public async Task<bool> EnableAsync(Guid projectId, string name, bool enabled, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        if (await LockAsync(database, projectId, name, cancellationToken) is not { } schedule) return false;
        if (schedule.Enabled == enabled) return true;
        var now = time.GetColumnNow();
        (schedule.Enabled, schedule.UpdatedAt, schedule.NextAt) = (enabled, now, enabled ? schedule.Cadence().After(now) : null);
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Schedules.Where(schedule => schedule.ProjectId == projectId && schedule.Name == name).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    public async Task<Schedule?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Schedules.AsNoTracking().SingleOrDefaultAsync(schedule => schedule.ProjectId == projectId && schedule.Name == name, cancellationToken);
    }

    private static Task<Schedule?> LockAsync(ControllerDb database, Guid projectId, string name, CancellationToken cancellationToken) => database.Schedules
        .FromSql($"SELECT * FROM schedules WHERE project_id = {projectId} AND name = {name} FOR NO KEY UPDATE").SingleOrDefaultAsync(cancellationToken);

    private static void Apply(Schedule schedule, PutSchedule request, DateTimeOffset now)
    {
        var before = Times(schedule);
        schedule.Cron = request.Cron?.Trim();
        schedule.Every = request.Every?.Trim();
        schedule.TimeZone = request.TimeZone ?? "UTC";
        schedule.StartAt = request.StartAt?.ToUniversalTime();
        schedule.EndAt = request.EndAt?.ToUniversalTime();
        schedule.Overlap = request.Overlap ?? OverlapPolicy.Skip;
        schedule.CatchUp = request.CatchUp ?? CatchUpPolicy.Last;
        schedule.CatchUpWindowSeconds = request.CatchUpWindowSeconds ?? 3600;
        schedule.JitterSeconds = request.JitterSeconds ?? 0;
        schedule.Enabled = request.Enabled ?? true;
        schedule.Target = request.Target!;
        schedule.UpdatedAt = now;
        if (Times(schedule) != before) schedule.NextAt = schedule.Enabled ? schedule.Cadence().After(now) : null;
    }

    /// <summary>All that its times follow from.</summary>
    private static (bool, string?, string?, string, DateTimeOffset?, DateTimeOffset?) Times(Schedule schedule) =>
        (schedule.Enabled, schedule.Cron, schedule.Every, schedule.TimeZone, schedule.StartAt, schedule.EndAt);
}
