using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Tasks;

/// <summary>A file that an attempt left, in object storage at <c>artifacts/{taskId}/{attempt}/{path}</c>.</summary>
internal sealed class Artifact
{
    public Guid TaskId { get; init; }
    /// <summary>The attempt's number.</summary>
    public int Attempt { get; init; }
    public required string Path { get; init; }
    public long Size { get; init; }
    public required string Sha256 { get; init; }
    public required string ContentType { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class ArtifactMapping : IEntityTypeConfiguration<Artifact>
{
    public void Configure(EntityTypeBuilder<Artifact> builder)
    {
        builder.ToTable("artifacts");
        builder.HasKey(artifact => new { artifact.TaskId, artifact.Attempt, artifact.Path });
        builder.HasOne<AgentTask>().WithMany().HasForeignKey(artifact => artifact.TaskId).OnDelete(DeleteBehavior.Cascade);
    }
}
