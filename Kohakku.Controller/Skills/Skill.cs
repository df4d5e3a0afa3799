using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Skills;

/// <summary>A named package of know-how; see <see cref="SkillVersion"/>.</summary>
internal sealed class Skill
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    /// <summary>The newest version's number; versions count from 1.</summary>
    public int LatestVersion { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>One immutable package, in object storage at <c>skills/{name}/{sha256}.zip</c>.</summary>
internal sealed class SkillVersion
{
    public Guid SkillId { get; init; }
    public int Version { get; init; }
    /// <summary>SHA-256 of the package, lower-case hex.</summary>
    public required string Digest { get; init; }
    public long Size { get; init; }
    public required string Description { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class SkillMapping : IEntityTypeConfiguration<Skill>
{
    public void Configure(EntityTypeBuilder<Skill> builder)
    {
        builder.ToTable("skills");
        builder.HasIndex(skill => new { skill.ProjectId, skill.Name }).IsUnique();
        builder.HasOne<Project>().WithMany().HasForeignKey(skill => skill.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }
}

internal sealed class SkillVersionMapping : IEntityTypeConfiguration<SkillVersion>
{
    public void Configure(EntityTypeBuilder<SkillVersion> builder)
    {
        builder.ToTable("skill_versions");
        builder.HasKey(version => new { version.SkillId, version.Version });
        builder.HasOne<Skill>().WithMany().HasForeignKey(version => version.SkillId).OnDelete(DeleteBehavior.Cascade);
    }
}
