using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Dispatching;

/// <summary>Something to be done because a task changed, written in the transaction that changed it, so that a crash between can't lose it.</summary>
internal sealed class OutboxMessage
{
    public long Id { get; init; }
    /// <summary>Names the handler.</summary>
    public required string Kind { get; init; }
    public Guid? TaskId { get; init; }
    /// <summary>JSON, as the handler wants it.</summary>
    public string? Payload { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it is tried (again).</summary>
    public DateTimeOffset DueAt { get; set; }
    public int Tries { get; set; }
    public string? LastError { get; set; }
}

internal sealed class OutboxMessageMapping : IEntityTypeConfiguration<OutboxMessage>
{
    public void Configure(EntityTypeBuilder<OutboxMessage> builder)
    {
        builder.ToTable("outbox");
        builder.Property(message => message.Payload).HasColumnType("jsonb");
        builder.HasIndex(message => new { message.DueAt, message.Id });
    }
}
