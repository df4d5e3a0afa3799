using Kohakku.Contracts.Json;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Triggers;

/// <summary>What a signed call from outside begins. A hook's address has nothing but the name, so that names are unique over the whole installation.</summary>
internal sealed class Trigger
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public TriggerVerification Verify { get; set; }
    /// <summary>By <see cref="TriggerSecrets"/>.</summary>
    public required byte[] SealedSecret { get; set; }
    public string? Filter { get; set; }
    public string? DedupeKey { get; set; }
    public required WorkTarget Target { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>One genuine call of a trigger's hook, and what became of it. Only the newest of each trigger are kept.</summary>
internal sealed class TriggerDelivery
{
    public Guid Id { get; init; }
    public Guid TriggerId { get; init; }
    public DateTimeOffset At { get; init; }
    public DeliveryResult Result { get; init; }
    public string? Event { get; init; }
    public string? DedupeKey { get; init; }
    public string? Note { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? RunId { get; init; }
    /// <summary>How the body begins.</summary>
    public string? Payload { get; init; }
}

internal sealed class TriggerMapping : IEntityTypeConfiguration<Trigger>, IEntityTypeConfiguration<TriggerDelivery>
{
    public void Configure(EntityTypeBuilder<Trigger> builder)
    {
        builder.ToTable("triggers");
        builder.Property(trigger => trigger.Verify).HasWireName();
        builder.Property(trigger => trigger.Target).HasJson(ContractsJson.Default.WorkTarget);
        builder.HasIndex(trigger => trigger.Name).IsUnique();
        builder.HasIndex(trigger => new { trigger.ProjectId, trigger.Name });
        builder.HasOne<Project>().WithMany().HasForeignKey(trigger => trigger.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<TriggerDelivery> builder)
    {
        builder.ToTable("trigger_deliveries");
        builder.Property(delivery => delivery.Result).HasWireName();
        builder.HasIndex(delivery => new { delivery.TriggerId, delivery.Id }).IsDescending(false, true);
        builder.HasOne<Trigger>().WithMany().HasForeignKey(delivery => delivery.TriggerId).OnDelete(DeleteBehavior.Cascade);
    }
}
