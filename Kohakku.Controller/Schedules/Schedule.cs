using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Targets;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Schedules;

/// <summary>When a task or a run begins by itself. Its definition is written by the API, <see cref="NextAt"/> by the scheduler too, under the row's lock.</summary>
internal sealed class Schedule
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    /// <summary>This or <see cref="Every"/>.</summary>
    public string? Cron { get; set; }
    public string? Every { get; set; }
    /// <summary>An IANA name.</summary>
    public required string TimeZone { get; set; }
    public DateTimeOffset? StartAt { get; set; }
    public DateTimeOffset? EndAt { get; set; }
    public OverlapPolicy Overlap { get; set; }
    public CatchUpPolicy CatchUp { get; set; }
    public int CatchUpWindowSeconds { get; set; }
    public int JitterSeconds { get; set; }
    public bool Enabled { get; set; }
    public required WorkTarget Target { get; set; }
    /// <summary>The first time that is not a firing yet; null when it is paused or over.</summary>
    public DateTimeOffset? NextAt { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }

    public Cadence Cadence() => Schedules.Cadence.Of(Cron, Every, TimeZone, StartAt, EndAt);
}

/// <summary>One time of a schedule, and what became of it. That there is one row for each time is what makes each fire once.</summary>
internal sealed class ScheduleFiring
{
    public Guid Id { get; init; }
    public Guid ScheduleId { get; init; }
    public DateTimeOffset ScheduledAt { get; init; }
    public FiringCause Cause { get; init; }
    public FiringState Status { get; init; }
    /// <summary>When it is looked at next while it is pending.</summary>
    public DateTimeOffset DueAt { get; init; }
    /// <summary>A scheduler has it in hand until then; a dead one's is taken by another after that.</summary>
    public DateTimeOffset? TakenUntil { get; init; }
    public string? Note { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? RunId { get; init; }
    /// <summary>When its task or run was seen to have ended, which is looked for when the next one wants to begin.</summary>
    public DateTimeOffset? SettledAt { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? FiredAt { get; init; }
}

internal sealed class ScheduleMapping : IEntityTypeConfiguration<Schedule>, IEntityTypeConfiguration<ScheduleFiring>
{
    public void Configure(EntityTypeBuilder<Schedule> builder)
    {
        builder.ToTable("schedules");
        builder.Property(schedule => schedule.Overlap).HasWireName();
        builder.Property(schedule => schedule.CatchUp).HasWireName();
        builder.Property(schedule => schedule.Target).HasJson(ContractsJson.Default.WorkTarget);
        builder.HasIndex(schedule => new { schedule.ProjectId, schedule.Name }).IsUnique();
        builder.HasIndex(schedule => schedule.NextAt).HasFilter("next_at IS NOT NULL");
        builder.HasOne<Project>().WithMany().HasForeignKey(schedule => schedule.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<ScheduleFiring> builder)
    {
        builder.ToTable("schedule_firings");
        builder.Property(firing => firing.Cause).HasWireName();
        builder.Property(firing => firing.Status).HasWireName();
        builder.HasIndex(firing => new { firing.ScheduleId, firing.ScheduledAt }).IsUnique();
        builder.HasIndex(firing => firing.DueAt, "ix_schedule_firings_pending").HasFilter("status = 'pending'");
        builder.HasIndex(firing => firing.ScheduleId, "ix_schedule_firings_running").HasFilter("status = 'started' AND settled_at IS NULL");
        builder.HasIndex(firing => new { firing.ScheduleId, firing.Id }, "ix_schedule_firings_list").IsDescending(false, true);
        builder.HasOne<Schedule>().WithMany().HasForeignKey(firing => firing.ScheduleId).OnDelete(DeleteBehavior.Cascade);
    }
}
