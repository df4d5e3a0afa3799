using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Projects;

/// <summary>The tenant: owns everything else. A fresh install has one, <see cref="DefaultName"/>.</summary>
internal sealed class Project
{
    public const string DefaultName = "default";

    public Guid Id { get; init; }
    public required string Name { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class ProjectMapping : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.ToTable("projects");
        builder.HasIndex(project => project.Name).IsUnique();
    }
}
