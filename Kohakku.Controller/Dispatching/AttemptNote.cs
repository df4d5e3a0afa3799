using Kohakku.Controller.Tasks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Dispatching;

/// <summary>
/// Something said to a running attempt, carried by heartbeats (<see cref="Contracts.Dispatching.AttemptMessage"/>). Sent several times, since an
/// answer may be lost; the dispatcher knows it by its id.
/// </summary>
internal sealed class AttemptNote
{
    public Guid Id { get; init; }
    public Guid AttemptId { get; init; }
    /// <summary><c>answer</c> or <c>message</c>.</summary>
    public required string Kind { get; init; }
    public required string Body { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public int TimesSent { get; set; }
}

internal sealed class AttemptNoteMapping : IEntityTypeConfiguration<AttemptNote>
{
    public void Configure(EntityTypeBuilder<AttemptNote> builder)
    {
        builder.ToTable("attempt_messages");
        builder.HasIndex(note => note.AttemptId);
        builder.HasOne<Attempt>().WithMany().HasForeignKey(note => note.AttemptId).OnDelete(DeleteBehavior.Cascade);
    }
}
