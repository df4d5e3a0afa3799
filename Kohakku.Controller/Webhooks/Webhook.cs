using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Webhooks;

/// <summary>Somebody who wants to be told. Changed by the API, and by the sender, which disables it, under the row's lock.</summary>
internal sealed class Webhook
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public required string Url { get; set; }
    public string[] Events { get; set; } = [];
    public bool Enabled { get; set; }
    public string? DisabledReason { get; set; }
    /// <summary>Sealed for this row's id; see <see cref="Identity.SecretSeal"/>.</summary>
    public required byte[] Secret { get; set; }
    /// <summary>The one before: deliveries are signed with both until then.</summary>
    public byte[]? PreviousSecret { get; set; }
    public DateTimeOffset? PreviousUntil { get; set; }
    /// <summary>When the receiver first did not answer well, without having done so since.</summary>
    public DateTimeOffset? FailingSince { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
}

/// <summary>One event for one webhook, written in the transaction in which the event came to be.</summary>
internal sealed class WebhookDelivery
{
    public Guid WebhookId { get; init; }
    /// <summary>The event's, the same for all webhooks.</summary>
    public Guid Id { get; init; }
    public required string Type { get; init; }
    public required string Subject { get; init; }
    public DateTimeOffset At { get; init; }
    /// <summary>JSON.</summary>
    public required string Data { get; init; }
    public DeliveryState Status { get; init; }
    /// <summary>When it is sent next while it is pending; while a sender has it in hand, when another may take it.</summary>
    public DateTimeOffset DueAt { get; init; }
    /// <summary>How often it was tried since it was made or asked for again.</summary>
    public int Tries { get; init; }
    /// <summary>JSON: <see cref="DeliveryAttempt"/>s.</summary>
    public required string Attempts { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
}

internal sealed class WebhookMapping : IEntityTypeConfiguration<Webhook>, IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<Webhook> builder)
    {
        builder.ToTable("webhooks");
        builder.HasIndex(webhook => new { webhook.ProjectId, webhook.Name }).IsUnique();
        builder.HasOne<Project>().WithMany().HasForeignKey(webhook => webhook.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }

    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToTable("webhook_deliveries");
        builder.HasKey(delivery => new { delivery.WebhookId, delivery.Id });
        builder.Property(delivery => delivery.Status).HasWireName();
        // As it was written: jsonb would put its members into another order.
        builder.Property(delivery => delivery.Data).HasColumnType("json");
        builder.Property(delivery => delivery.Attempts).HasColumnType("json");
        builder.HasIndex(delivery => new { delivery.WebhookId, delivery.DueAt }, "ix_webhook_deliveries_pending").HasFilter("status = 'pending'");
        builder.HasIndex(delivery => delivery.EndedAt).HasFilter("ended_at IS NOT NULL");
        builder.HasOne<Webhook>().WithMany().HasForeignKey(delivery => delivery.WebhookId).OnDelete(DeleteBehavior.Cascade);
    }
}
