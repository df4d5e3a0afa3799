using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Tasks;

/// <summary>One execution of a task on one dispatcher. Its token is derived from its id (never stored), so that a repeated claim answers the same.</summary>
internal sealed class Attempt
{
    public Guid Id { get; init; }
    public Guid TaskId { get; init; }
    /// <summary>From 1, counted over all generations of the task.</summary>
    public int Number { get; init; }
    public int Generation { get; init; }
    public AttemptState Status { get; init; }
    public Guid DispatcherId { get; init; }
    /// <summary>Copied: a dispatcher may be forgotten before its attempts are.</summary>
    public required string DispatcherName { get; init; }
    /// <summary>The claim that made it; the same request is answered with the same attempts.</summary>
    public Guid RequestId { get; init; }
    /// <summary>By the database's clock. Without a heartbeat that names the attempt it is lost after this.</summary>
    public DateTimeOffset LeaseUntil { get; init; }
    /// <summary>The last event of the dispatcher that is applied; 0 when there is none.</summary>
    public long AppliedSequence { get; init; }
    public string? RuntimeId { get; init; }
    /// <summary>Why its dispatcher is told to stop it; null when it may go on.</summary>
    public string? StopReason { get; init; }
    public FailureReason? Reason { get; init; }
    public int? ExitCode { get; init; }
    public string? Message { get; init; }
    public string? LogTail { get; init; }
    public DateTimeOffset ClaimedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

internal sealed class AttemptMapping : IEntityTypeConfiguration<Attempt>
{
    public void Configure(EntityTypeBuilder<Attempt> builder)
    {
        builder.ToTable("attempts");
        // Heartbeats write it over and over, in place where there is room in the page.
        builder.HasStorageParameter("fillfactor", 80);
        builder.Property(attempt => attempt.Status).HasWireName();
        builder.Property(attempt => attempt.Reason).HasWireName();
        builder.HasIndex(attempt => new { attempt.TaskId, attempt.Number }).IsUnique();
        // No index on the lease: every heartbeat would write it anew. Few attempts are live, so the reaper looks at them all.
        builder.HasIndex(attempt => attempt.DispatcherId, "ix_attempts_live").HasFilter("ended_at IS NULL");
        builder.HasIndex(attempt => attempt.RequestId);
        builder.HasOne<AgentTask>().WithMany().HasForeignKey(attempt => attempt.TaskId).OnDelete(DeleteBehavior.Cascade);
    }
}
