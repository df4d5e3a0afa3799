using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Identity;

/// <summary>A way into the console that works once, until it expires.</summary>
internal sealed class LoginLink
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    /// <summary>SHA-256 of what stands in the link.</summary>
    public required byte[] Hash { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset ExpiresAt { get; init; }
    public DateTimeOffset? UsedAt { get; set; }
}

internal sealed class LoginLinkMapping : IEntityTypeConfiguration<LoginLink>
{
    public void Configure(EntityTypeBuilder<LoginLink> builder)
    {
        builder.ToTable("login_links");
        builder.HasIndex(link => link.Hash).IsUnique();
        builder.HasOne<Project>().WithMany().HasForeignKey(link => link.ProjectId).OnDelete(DeleteBehavior.Cascade);
    }
}
