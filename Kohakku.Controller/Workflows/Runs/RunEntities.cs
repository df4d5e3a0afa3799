using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Workflows.Definitions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>
/// A run of a workflow: what people see of it, and the outcome of its turns. What happens next is decided by its Temporal workflow. Written by hand SQL, always under
/// the row's lock.
/// </summary>
internal sealed class Run
{
    /// <summary>UUIDv7: newest first is by id.</summary>
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public Guid WorkflowId { get; init; }
    /// <summary>Copied, so that lists need no join.</summary>
    public required string WorkflowName { get; init; }
    public int Version { get; init; }
    /// <summary>The engine that it began with.</summary>
    public int Engine { get; init; }
    public RunState Status { get; init; }
    /// <summary>JSON.</summary>
    public required string Inputs { get; init; }
    public string? Outputs { get; init; }
    public string? Failure { get; init; }
    public string? ConcurrencyKey { get; init; }
    public int? ConcurrencyLimit { get; init; }
    /// <summary>False while runs of the same concurrency key fill its limit.</summary>
    public bool Admitted { get; init; }
    /// <summary>When Temporal took it; null while it is to be given to it, for the first time or anew.</summary>
    public DateTimeOffset? HandedAt { get; init; }
    /// <summary>How often it was given to Temporal anew, see <see cref="Inbox.Reconciliation"/>: turns of earlier workflows are refused.</summary>
    public int Incarnation { get; init; }

    public Guid? ParentRunId { get; init; }
    public int? ParentStep { get; init; }
    public int? ParentItem { get; init; }
    public int? ParentAttempt { get; init; }
    /// <summary>How many runs are above it.</summary>
    public int Depth { get; init; }
    public Guid? RetryOf { get; init; }

    /// <summary>The newest turn that was done, and what it answered: it is answered so again.</summary>
    public int TurnSequence { get; init; }
    public string? TurnResult { get; init; }
    /// <summary>The newest batch of its inbox that was made, and the newest that its workflow has taken.</summary>
    public long BatchSent { get; init; }
    public long BatchTaken { get; init; }
    /// <summary>When <see cref="BatchSent"/> reached Temporal; null: it has not yet.</summary>
    public DateTimeOffset? BatchSentAt { get; init; }
    /// <summary>The id of the newest entry of the timeline.</summary>
    public long EventSequence { get; init; }

    public required string SubmittedBy { get; init; }
    public string? IdempotencyKey { get; init; }
    public byte[]? RequestHash { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

internal sealed class RunStep
{
    public Guid RunId { get; init; }
    /// <summary>Its place in the definition, from 0: how the interpreter calls it.</summary>
    public int Index { get; init; }
    public required string StepId { get; init; }
    public required string Kind { get; init; }
    public bool FansOut { get; init; }
    public StepState Status { get; init; }
    /// <summary>−1 until it is known.</summary>
    public int Items { get; init; }
    /// <summary>JSON: what its <c>for_each</c> gave; for good.</summary>
    public string? Elements { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
    public string? Failure { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>One try of one item of a step, or a candidate or the judge of it. Its key is what makes creating its task idempotent.</summary>
internal sealed class RunUnit
{
    public Guid RunId { get; init; }
    public int Step { get; init; }
    public int Item { get; init; }
    public int Attempt { get; init; }
    public int Part { get; init; }
    public StepState Status { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? ChildRunId { get; init; }
    public Guid? QuestionId { get; init; }
    /// <summary>JSON; only where neither a task nor a run has it.</summary>
    public string? Output { get; init; }
    public string? Failure { get; init; }
    /// <summary>Its output is the item's: false for candidates that did not win, and for judges.</summary>
    public bool Counts { get; init; }
    public DateTimeOffset? DueAt { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>Something that the run's workflow has yet to hear.</summary>
internal sealed class RunInboxEntry
{
    public long Id { get; init; }
    public Guid RunId { get; init; }
    /// <summary><c>ended</c>, <c>decided</c> or <c>signal</c>.</summary>
    public required string Kind { get; init; }
    /// <summary>JSON, as the interpreter takes it.</summary>
    public required string Payload { get; init; }
    /// <summary>The batch that it is sent with; null: none yet.</summary>
    public long? Batch { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A signal's body, for the step that takes it.</summary>
internal sealed class RunSignal
{
    public Guid Id { get; init; }
    public Guid RunId { get; init; }
    public required string Name { get; init; }
    /// <summary>JSON.</summary>
    public required string Body { get; init; }
    public DateTimeOffset ReceivedAt { get; init; }
    /// <summary>When a step took it.</summary>
    public DateTimeOffset? TakenAt { get; init; }
}

internal sealed class RunEvent
{
    public Guid RunId { get; init; }
    /// <summary>The run's own sequence, from 1 without gaps.</summary>
    public long Id { get; init; }
    public DateTimeOffset At { get; init; }
    public required string Type { get; init; }
    public string? StepId { get; init; }
    /// <summary>JSON.</summary>
    public string? Data { get; init; }
}

internal sealed class RunMapping : IEntityTypeConfiguration<Run>, IEntityTypeConfiguration<RunStep>, IEntityTypeConfiguration<RunUnit>,
    IEntityTypeConfiguration<RunInboxEntry>, IEntityTypeConfiguration<RunSignal>, IEntityTypeConfiguration<RunEvent>
{
    public void Configure(EntityTypeBuilder<Run> builder)
    {
        builder.ToTable("runs");
        builder.Property(run => run.Status).HasWireName();
        builder.Property(run => run.Incarnation).HasDefaultValue(0);
        builder.Property(run => run.Inputs).HasColumnType("json");
        builder.Property(run => run.Outputs).HasColumnType("json");
        builder.Property(run => run.TurnResult).HasColumnType("jsonb");
        builder.HasIndex(run => new { run.ProjectId, run.IdempotencyKey }).IsUnique().HasFilter("idempotency_key IS NOT NULL");
        builder.HasIndex(run => new { run.ProjectId, run.Id }, "ix_runs_list").IsDescending(false, true);
        builder.HasIndex(run => new { run.ProjectId, run.Status, run.Id }, "ix_runs_list_status").IsDescending(false, false, true);
        builder.HasIndex(run => new { run.ProjectId, run.WorkflowName, run.Id }, "ix_runs_list_workflow").IsDescending(false, false, true);
        builder.HasIndex(run => new { run.ProjectId, run.ConcurrencyKey, run.Id }, "ix_runs_concurrency")
            .HasFilter("concurrency_key IS NOT NULL AND status IN ('pending', 'running', 'paused')");
        builder.HasIndex(run => run.EndedAt).HasFilter("ended_at IS NOT NULL");
        builder.HasIndex(run => run.ParentRunId).HasFilter("parent_run_id IS NOT NULL");
        builder.HasOne<Project>().WithMany().HasForeignKey(run => run.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<Workflow>().WithMany().HasForeignKey(run => run.WorkflowId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<RunStep> builder)
    {
        builder.ToTable("run_steps");
        builder.HasKey(step => new { step.RunId, step.Index });
        builder.Property(step => step.Index).ValueGeneratedNever();
        builder.Property(step => step.Status).HasWireName();
        builder.Property(step => step.Elements).HasColumnType("json");
        builder.HasOne<Run>().WithMany().HasForeignKey(step => step.RunId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<RunUnit> builder)
    {
        builder.ToTable("run_units");
        builder.HasKey(unit => new { unit.RunId, unit.Step, unit.Item, unit.Attempt, unit.Part });
        builder.Property(unit => unit.Status).HasWireName();
        builder.Property(unit => unit.Output).HasColumnType("json");
        builder.HasIndex(unit => unit.TaskId).IsUnique().HasFilter("task_id IS NOT NULL");
        builder.HasIndex(unit => unit.QuestionId).HasFilter("question_id IS NOT NULL");
        builder.HasOne<Run>().WithMany().HasForeignKey(unit => unit.RunId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<AgentTask>().WithMany().HasForeignKey(unit => unit.TaskId).OnDelete(DeleteBehavior.SetNull);
    }

    public void Configure(EntityTypeBuilder<RunInboxEntry> builder)
    {
        builder.ToTable("run_inbox");
        builder.Property(entry => entry.Payload).HasColumnType("jsonb");
        builder.HasIndex(entry => new { entry.RunId, entry.Batch, entry.Id });
        builder.HasOne<Run>().WithMany().HasForeignKey(entry => entry.RunId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<RunSignal> builder)
    {
        builder.ToTable("run_signals");
        builder.Property(signal => signal.Body).HasColumnType("json");
        builder.HasIndex(signal => signal.RunId);
        builder.HasOne<Run>().WithMany().HasForeignKey(signal => signal.RunId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<RunEvent> builder)
    {
        builder.ToTable("run_events");
        builder.HasKey(entry => new { entry.RunId, entry.Id });
        builder.Property(entry => entry.Id).ValueGeneratedNever();
        builder.Property(entry => entry.Data).HasColumnType("jsonb");
        builder.HasOne<Run>().WithMany().HasForeignKey(entry => entry.RunId).OnDelete(DeleteBehavior.Cascade);
    }
}
