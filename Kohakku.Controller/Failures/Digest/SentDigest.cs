using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Failures.Digest;

/// <summary>The digest of a project's day. Its key is what makes each day's be sent once, whatever number of schedulers there are.</summary>
internal sealed class SentDigest
{
    public Guid ProjectId { get; init; }
    /// <summary>The day (UTC) on whose morning it was made.</summary>
    public DateOnly Day { get; init; }
    /// <summary>JSON; null where nothing had failed, and so nothing was sent.</summary>
    public string? Digest { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    /// <summary>When its e-mail is tried next; while a scheduler has it in hand, when another may. Null when there is no more to do about it.</summary>
    public DateTimeOffset? EmailDueAt { get; init; }
    public int EmailTries { get; init; }
    public DateTimeOffset? EmailedAt { get; init; }
    public string? EmailFault { get; init; }
}

internal sealed class SentDigestMapping : IEntityTypeConfiguration<SentDigest>
{
    public void Configure(EntityTypeBuilder<SentDigest> builder)
    {
        builder.ToTable("failure_digests");
        builder.HasKey(digest => new { digest.ProjectId, digest.Day });
        builder.Property(digest => digest.Digest).HasColumnType("json");
        builder.HasIndex(digest => digest.EmailDueAt).HasFilter("email_due_at IS NOT NULL");
        builder.HasOne<Project>().WithMany().HasForeignKey(digest => digest.ProjectId).OnDelete(DeleteBehavior.Cascade);
    }
}
