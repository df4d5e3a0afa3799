namespace Kohakku.Contracts.Dispatching;

/// <summary>Body of <c>POST /api/v1/dispatchers</c>.</summary>
/// <param name="InstanceId">Kept in the dispatcher's database; it, not the name, owns attempts and containers.</param>
/// <param name="Runtime"><c>local</c>, <c>worker</c> or <c>process</c>.</param>
/// <param name="Capacity">Slots: attempts running at once.</param>
public sealed record RegisterDispatcher(
    string Name, Guid InstanceId, string Url, string Version, string Runtime, IReadOnlyDictionary<string, string> Labels, int Capacity);

/// <param name="Session">Names this registration; a newer one of the same instance or name supersedes it.</param>
/// <param name="LeaseSeconds">How long an attempt lives without a heartbeat that names it.</param>
public sealed record DispatcherRegistration(Guid Id, Guid Session, int LeaseSeconds, int HeartbeatSeconds, DateTimeOffset ServerTime);

/// <summary>Body of <c>POST /api/v1/dispatchers/{id}/heartbeat</c>. Renews the leases of the attempts it names.</summary>
public sealed record HeartbeatRequest(Guid Session, IReadOnlyList<Guid> Attempts, int FreeSlots);

public sealed record HeartbeatAnswer(IReadOnlyList<StopOrder> Stop, IReadOnlyList<AttemptMessage> Messages, bool Drain);

/// <param name="Reason"><c>canceled</c>, <c>superseded</c>, or another word for the log; what <c>ended</c> should carry for a cancel.</param>
public sealed record StopOrder(Guid AttemptId, string Reason);

/// <param name="Id">For an answer the question's id.</param>
/// <param name="Kind"><c>answer</c> or <c>message</c>.</param>
public sealed record AttemptMessage(Guid AttemptId, Guid Id, string Kind, string Body);
