using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Dispatching;

/// <summary>A registered dispatcher: one row per instance, which keeps its id over restarts and owns its attempts.</summary>
internal sealed class Dispatcher
{
    public Guid Id { get; init; }
    public Guid InstanceId { get; init; }
    public required string Name { get; set; }
    /// <summary>The newest registration; calls with another are answered 409.</summary>
    public Guid Session { get; set; }
    public DispatcherState Status { get; set; }
    /// <summary>An operator asked it to take no more; kept over its restarts.</summary>
    public bool Draining { get; set; }
    /// <summary>The newer dispatcher that took its name; it takes no more then either. Null again when it registers anew.</summary>
    public Guid? SupersededBy { get; set; }
    public required string Url { get; set; }
    public required string Version { get; set; }
    public required string Runtime { get; set; }
    public IReadOnlyDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>();
    public int Capacity { get; set; }
    public int FreeSlots { get; set; }
    public DateTimeOffset RegisteredAt { get; set; }
    public DateTimeOffset LastHeartbeatAt { get; set; }
}

internal sealed class DispatcherMapping : IEntityTypeConfiguration<Dispatcher>
{
    public void Configure(EntityTypeBuilder<Dispatcher> builder)
    {
        builder.ToTable("dispatchers");
        builder.Property(dispatcher => dispatcher.Status).HasWireName();
        builder.Property(dispatcher => dispatcher.Labels).HasJson(ContractsJson.Default.IReadOnlyDictionaryStringString);
        builder.HasIndex(dispatcher => dispatcher.InstanceId).IsUnique();
        builder.HasIndex(dispatcher => dispatcher.Session).IsUnique();
        builder.HasIndex(dispatcher => dispatcher.Name);
    }
}
