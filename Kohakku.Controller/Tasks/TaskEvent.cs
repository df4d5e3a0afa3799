using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Tasks;

/// <summary>One entry of a task's timeline, as <see cref="Contracts.Tasks.TaskEventView"/> shows it.</summary>
internal sealed class TaskEvent
{
    public Guid TaskId { get; init; }
    /// <summary>The task's own sequence, from 1 without gaps.</summary>
    public long Id { get; init; }
    public DateTimeOffset At { get; init; }
    public required string Type { get; init; }
    /// <summary>The attempt's number.</summary>
    public int? Attempt { get; init; }
    /// <summary>JSON.</summary>
    public string? Data { get; init; }
}

internal sealed class TaskEventMapping : IEntityTypeConfiguration<TaskEvent>
{
    public void Configure(EntityTypeBuilder<TaskEvent> builder)
    {
        builder.ToTable("task_events");
        builder.HasKey(entry => new { entry.TaskId, entry.Id });
        builder.Property(entry => entry.Id).ValueGeneratedNever();
        builder.Property(entry => entry.Data).HasColumnType("jsonb");
        builder.HasOne<AgentTask>().WithMany().HasForeignKey(entry => entry.TaskId).OnDelete(DeleteBehavior.Cascade);
    }
}
