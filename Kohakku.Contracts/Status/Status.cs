using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Status;

[JsonConverter(typeof(WireEnumConverter<InstallationHealth>))]
public enum InstallationHealth
{
    Healthy,
    /// <summary>Something needs to be looked at; the rest of the answer says what.</summary>
    Degraded,
}

/// <summary>How the installation stands, and the work of the caller's project in it.</summary>
/// <param name="Outages">Of services, the newest first; at most 20.</param>
/// <param name="Stuck">Work that is longer in a state than it should be, the oldest first; at most 100.</param>
public sealed record StatusView(
    InstallationHealth Status, DateTimeOffset At, IReadOnlyList<ServiceStatus> Services, IReadOnlyList<OutageView> Outages, DispatcherCounts Dispatchers, QueueStatus Queue,
    IReadOnlyList<StuckView> Stuck);

/// <param name="Name"><c>database</c>, <c>objectStorage</c>, <c>redis</c>, <c>temporal</c> as the scheduler sees them, and <c>scheduler</c> itself.</param>
/// <param name="Detail">What is wrong.</param>
/// <param name="DurationMs">How long the last probe took.</param>
/// <param name="Since">Since when it is so.</param>
public sealed record ServiceStatus(string Name, bool Healthy, string? Detail, double? DurationMs, DateTimeOffset? CheckedAt, DateTimeOffset? Since);

/// <param name="EndedAt">Null: it goes on.</param>
public sealed record OutageView(string Service, DateTimeOffset BeganAt, DateTimeOffset? EndedAt, string? Detail);

/// <param name="FreeSlots">Of those that are online.</param>
public sealed record DispatcherCounts(int Online, int Draining, int Unreachable, int Offline, int FreeSlots);

/// <param name="OldestQueuedAt">Of what may be claimed.</param>
public sealed record QueueStatus(long Scheduled, long Queued, long Running, long Waiting, DateTimeOffset? OldestQueuedAt);

/// <param name="Kind"><c>task</c>, <c>run</c>, <c>schedule</c> or <c>message</c> (of the outbox).</param>
/// <param name="Id">Null for what has none to look it up by.</param>
/// <param name="Why">In words, with what can be done.</param>
public sealed record StuckView(string Kind, Guid? Id, string Title, string State, DateTimeOffset Since, string Why);
