using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Tasks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Failures;

/// <summary>
/// Failed attempts of one fingerprint. Written by hand SQL (<see cref="FailureSql"/>): counted under the row's lock, steered by conditional updates.
/// It outlives its attempts, so that what comes back after a year is known.
/// </summary>
internal sealed class FailureGroup
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Fingerprint { get; init; }
    public FailureReason Reason { get; init; }
    public FailureKind Kind { get; init; }
    /// <summary>Copied: an agent may be deleted before its failures are understood.</summary>
    public required string AgentName { get; init; }
    public required string Title { get; init; }
    public FailureGroupState Status { get; init; }
    /// <summary>Attempts, over all time.</summary>
    public long Count { get; init; }
    /// <summary>The tasks that they are of.</summary>
    public long Tasks { get; init; }
    public DateTimeOffset FirstSeen { get; init; }
    public DateTimeOffset LastSeen { get; init; }
    public DateTimeOffset? AcknowledgedAt { get; init; }
    public string? AcknowledgedBy { get; init; }
    /// <summary>Stays when it comes back: so it is seen that it was held to be mended.</summary>
    public DateTimeOffset? ResolvedAt { get; init; }
    public string? ResolvedBy { get; init; }
    public DateTimeOffset? ReopenedAt { get; init; }
}

/// <summary>An attempt that is counted in a group; its key is what makes counting idempotent.</summary>
internal sealed class FailedAttempt
{
    public Guid AttemptId { get; init; }
    public Guid GroupId { get; init; }
    public Guid TaskId { get; init; }
    /// <summary>The attempt's number, copied.</summary>
    public int Number { get; init; }
    /// <summary>When it ended.</summary>
    public DateTimeOffset At { get; init; }
}

/// <summary>How many failures of a group there were in an hour (UTC); kept for 31 days.</summary>
internal sealed class FailureHour
{
    public Guid GroupId { get; init; }
    public DateTimeOffset Hour { get; init; }
    public int Count { get; init; }
}

internal sealed class FailureMapping : IEntityTypeConfiguration<FailureGroup>, IEntityTypeConfiguration<FailedAttempt>, IEntityTypeConfiguration<FailureHour>
{
    public void Configure(EntityTypeBuilder<FailureGroup> builder)
    {
        builder.ToTable("failure_groups");
        builder.Property(group => group.Reason).HasWireName();
        builder.Property(group => group.Kind).HasWireName();
        builder.Property(group => group.Status).HasWireName();
        builder.HasIndex(group => new { group.ProjectId, group.Fingerprint }).IsUnique();
        builder.HasIndex(group => new { group.ProjectId, group.LastSeen, group.Id }, "ix_failure_groups_list").IsDescending(false, true, true);
        builder.HasOne<Project>().WithMany().HasForeignKey(group => group.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<FailedAttempt> builder)
    {
        builder.ToTable("failure_attempts");
        builder.HasKey(failed => failed.AttemptId);
        builder.HasIndex(failed => new { failed.GroupId, failed.TaskId }, "ix_failure_attempts_tasks");
        builder.HasOne<FailureGroup>().WithMany().HasForeignKey(failed => failed.GroupId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Attempt>().WithOne().HasForeignKey<FailedAttempt>(failed => failed.AttemptId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<FailureHour> builder)
    {
        builder.ToTable("failure_hours");
        builder.HasKey(hour => new { hour.GroupId, hour.Hour });
        builder.HasOne<FailureGroup>().WithMany().HasForeignKey(hour => hour.GroupId).OnDelete(DeleteBehavior.Cascade);
    }
}
