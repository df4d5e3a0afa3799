using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Workflows.Definitions;

/// <summary>A workflow of a project, by name. Deleting hides it; putting it again goes on with its versions.</summary>
internal sealed class Workflow
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public int LatestVersion { get; set; }
    /// <summary>Of the newest version.</summary>
    public string? Description { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
}

/// <summary>A version is never changed: runs that began with it end with it.</summary>
internal sealed class WorkflowVersion
{
    public Guid WorkflowId { get; init; }
    public int Version { get; init; }
    /// <summary>The document as it was written.</summary>
    public required string Source { get; init; }
    /// <summary>What it means: what runs are interpreted from.</summary>
    public required string Canonical { get; init; }
    public required string CreatedBy { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class WorkflowMapping : IEntityTypeConfiguration<Workflow>, IEntityTypeConfiguration<WorkflowVersion>
{
    public void Configure(EntityTypeBuilder<Workflow> builder)
    {
        builder.ToTable("workflows");
        builder.HasIndex(workflow => new { workflow.ProjectId, workflow.Name }).IsUnique();
        builder.HasOne<Project>().WithMany().HasForeignKey(workflow => workflow.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<WorkflowVersion> builder)
    {
        builder.ToTable("workflow_versions");
        builder.HasKey(version => new { version.WorkflowId, version.Version });
        builder.Property(version => version.Version).ValueGeneratedNever();
        builder.HasOne<Workflow>().WithMany().HasForeignKey(version => version.WorkflowId).OnDelete(DeleteBehavior.Cascade);
    }
}
