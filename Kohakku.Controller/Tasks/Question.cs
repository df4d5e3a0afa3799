using Kohakku.Controller.Projects;
using Kohakku.Controller.Workflows.Runs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Tasks;

/// <summary>
/// What a person is asked: by an agent (<c>question</c>), by Kohakku whether a lost task may run again (<c>lost</c>), or by a run (<c>approval</c>).
/// It is of a task or of a run.
/// </summary>
internal sealed class Question
{
    /// <summary>For an agent's question the id that the dispatcher gave it.</summary>
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? RunId { get; init; }
    /// <summary>The run's step.</summary>
    public string? StepId { get; init; }
    public Guid? AttemptId { get; init; }
    public required string Kind { get; init; }
    public required string Prompt { get; init; }
    public string[] Choices { get; init; } = [];
    public DateTimeOffset AskedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
    /// <summary>What an approval's time-out counts as: <c>approve</c> or <c>reject</c>.</summary>
    public string? ExpiresAs { get; init; }
    public string? Answer { get; set; }
    public string? AnsweredBy { get; set; }
    /// <summary>What the person said about an approval.</summary>
    public string? Comment { get; set; }
    public DateTimeOffset? AnsweredAt { get; set; }
    /// <summary>Answered, expired, or its attempt has ended.</summary>
    public DateTimeOffset? ClosedAt { get; set; }
}

internal sealed class QuestionMapping : IEntityTypeConfiguration<Question>
{
    public void Configure(EntityTypeBuilder<Question> builder)
    {
        builder.ToTable("questions");
        builder.HasIndex(question => new { question.ProjectId, question.Id }, "ix_questions_open").HasFilter("closed_at IS NULL");
        builder.HasIndex(question => question.TaskId);
        builder.HasIndex(question => question.RunId).HasFilter("run_id IS NOT NULL");
        builder.HasOne<Project>().WithMany().HasForeignKey(question => question.ProjectId).OnDelete(DeleteBehavior.Restrict);
        builder.HasOne<AgentTask>().WithMany().HasForeignKey(question => question.TaskId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Run>().WithMany().HasForeignKey(question => question.RunId).OnDelete(DeleteBehavior.Cascade);
    }
}
