using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Agents;

/// <summary>
/// What runs a brief. Tasks refer to it by id and take it as it is when an attempt is claimed, so that a corrected image
/// serves the next attempt. Deleting hides it; it stays for the tasks that it ran.
/// </summary>
internal sealed class Agent
{
    public Guid Id { get; init; }
    public Guid ProjectId { get; init; }
    public required string Name { get; init; }
    public string? Image { get; set; }
    public string[] Command { get; set; } = [];
    public AgentMode Mode { get; set; }
    public string? Adapter { get; set; }
    public IReadOnlyDictionary<string, string> Env { get; set; } = new Dictionary<string, string>();
    public PullPolicy PullPolicy { get; set; }
    public NetworkPolicy Network { get; set; } = new();
    public ResourceLimits Resources { get; set; } = new();
    public int HeartbeatTimeoutSeconds { get; set; } = 60;
    public int Warm { get; set; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
}

internal sealed class AgentMapping : IEntityTypeConfiguration<Agent>
{
    public void Configure(EntityTypeBuilder<Agent> builder)
    {
        builder.ToTable("agents");
        builder.Property(agent => agent.Mode).HasWireName();
        builder.Property(agent => agent.PullPolicy).HasWireName();
        builder.Property(agent => agent.Env).HasJson(ContractsJson.Default.IReadOnlyDictionaryStringString);
        builder.Property(agent => agent.Network).HasJson(ContractsJson.Default.NetworkPolicy);
        builder.Property(agent => agent.Resources).HasJson(ContractsJson.Default.ResourceLimits);
        builder.HasIndex(agent => new { agent.ProjectId, agent.Name }).IsUnique();
        builder.HasOne<Project>().WithMany().HasForeignKey(agent => agent.ProjectId).OnDelete(DeleteBehavior.Restrict);
    }
}
