using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Status;

/// <summary>What a service answered last. Written by the scheduler.</summary>
internal sealed class Probe
{
    public required string Name { get; init; }
    public bool Healthy { get; init; }
    public string? Detail { get; init; }
    public double DurationMs { get; init; }
    public DateTimeOffset CheckedAt { get; init; }
    /// <summary>Since when it is healthy, or not.</summary>
    public DateTimeOffset ChangedAt { get; init; }
}

internal sealed class Outage
{
    public long Id { get; init; }
    public required string Name { get; init; }
    public DateTimeOffset BeganAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? Detail { get; init; }
}

internal sealed class ProbeMapping : IEntityTypeConfiguration<Probe>, IEntityTypeConfiguration<Outage>
{
    public void Configure(EntityTypeBuilder<Probe> builder)
    {
        builder.ToTable("probes");
        builder.HasKey(probe => probe.Name);
    }

    public void Configure(EntityTypeBuilder<Outage> builder)
    {
        builder.ToTable("outages");
        builder.HasIndex(outage => outage.BeganAt);
        // One that goes on for each service.
        builder.HasIndex(outage => outage.Name, "ix_outages_open").IsUnique().HasFilter("ended_at IS NULL");
    }
}
