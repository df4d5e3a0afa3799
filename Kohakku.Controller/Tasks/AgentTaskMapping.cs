using Kohakku.Contracts.Json;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Tasks;

internal sealed class AgentTaskMapping : IEntityTypeConfiguration<AgentTask>
{
    public void Configure(EntityTypeBuilder<AgentTask> builder)
    {
        builder.ToTable("tasks");
        // Room in each page for the next version of its rows, and dead ones cleared early: the queue's index is read from its beginning.
        builder.HasStorageParameter("fillfactor", 85).HasStorageParameter("autovacuum_vacuum_scale_factor", 0.02);
        builder.Property(task => task.Status).HasWireName();
        builder.Property(task => task.OnLost).HasWireName();
        // Not jsonb: the agent gets its inputs as they were written, keys in order and numbers as they stand.
        builder.Property(task => task.Inputs).HasColumnType("json");
        builder.Property(task => task.Output).HasColumnType("jsonb");
        builder.Property(task => task.OutputSchema).HasColumnType("json");
        builder.Property(task => task.Skills).HasJson(ControllerJson.Default.IReadOnlyListPinnedSkill);
        builder.Property(task => task.Env).HasJson(ContractsJson.Default.IReadOnlyDictionaryStringString);
        builder.Property(task => task.Labels).HasJson(ContractsJson.Default.IReadOnlyDictionaryStringString);
        builder.Property(task => task.Network).HasJson(ContractsJson.Default.NetworkPolicy);
        builder.Property(task => task.Resources).HasJson(ContractsJson.Default.ResourceLimits);
        builder.Property(task => task.Failure).HasJson(ContractsJson.Default.FailureView);
        builder.HasOne<Project>().WithMany().HasForeignKey(task => task.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Agent>().WithMany().HasForeignKey(task => task.AgentId).OnDelete(DeleteBehavior.Restrict);

        builder.HasIndex(task => new { task.ProjectId, task.IdempotencyKey }).IsUnique().HasFilter("idempotency_key IS NOT NULL");
        builder.Property(task => task.UnstartedClaims).HasDefaultValue(0);
        // A hash: labels themselves could outgrow what an index entry holds.
        builder.Property(task => task.Lane).HasComputedColumnSql("hashtextextended(labels::text, 0)", stored: true);
        // The queue: one index range per project and lane, in the order of claiming, holding nothing but what can be claimed.
        builder.HasIndex(task => new { task.ProjectId, task.Lane, task.Priority, task.QueuedAt, task.Id }, "ix_tasks_queue")
            .IsDescending(false, false, true, false, false).HasFilter("status = 'queued' AND claimable");
        // Most tasks have no such time, and all end: both cost a write only where they are.
        builder.HasIndex(task => task.ExpiresAt, "ix_tasks_expiry").HasFilter("expires_at IS NOT NULL AND status IN ('scheduled', 'queued') AND attempt_count = 0 AND generation = 1");
        builder.HasIndex(task => task.EndedAt, "ix_tasks_ended").HasFilter("ended_at IS NOT NULL");
        builder.HasIndex(task => task.DueAt, "ix_tasks_due").HasFilter("status = 'scheduled'");
        builder.HasIndex(task => task.Needs, "ix_tasks_needs").HasMethod("gin").HasFilter("status = 'scheduled'");
        builder.HasIndex(task => new { task.ProjectId, task.ConcurrencyKey }, "ix_tasks_concurrency")
            .HasFilter("concurrency_key IS NOT NULL AND status IN ('queued', 'running', 'waiting')");
        // Lists, newest first.
        builder.HasIndex(task => new { task.ProjectId, task.Id }, "ix_tasks_list").IsDescending(false, true);
        builder.HasIndex(task => new { task.ProjectId, task.Status, task.Id }, "ix_tasks_list_status").IsDescending(false, false, true);
        builder.HasIndex(task => new { task.ProjectId, task.AgentName, task.Id }, "ix_tasks_list_agent").IsDescending(false, false, true);
        // Most tasks have neither: those cost nothing here. A query must say the same condition.
        builder.HasIndex(task => task.Tags, "ix_tasks_tags").HasMethod("gin").HasFilter("tags <> '{}'");
        builder.HasIndex(task => task.Labels, "ix_tasks_labels").HasMethod("gin").HasFilter("labels <> '{}'");
    }
}
