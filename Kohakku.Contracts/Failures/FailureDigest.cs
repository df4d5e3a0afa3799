using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Failures;

/// <summary>What failed in a project within a day: the data of the event <c>failure.digest</c>, and what an e-mail says.</summary>
/// <param name="Failures">Failed attempts within the time.</param>
/// <param name="Before">And within the same time before it.</param>
/// <param name="Groups">Those that failed within the time: new ones and those that came back first, then by how often; at most 20.</param>
/// <param name="MoreGroups">How many there are besides.</param>
public sealed record FailureDigest(
    string Project, DateTimeOffset From, DateTimeOffset To, long Failures, long Before, IReadOnlyList<DigestGroup> Groups, int MoreGroups);

/// <param name="Failures">Within the time; <paramref name="Before"/> within the same time before it.</param>
/// <param name="IsNew">It was seen within the time for the first time.</param>
/// <param name="CameBack">Within the time, after it was resolved.</param>
public sealed record DigestGroup(
    Guid Id, string Title, string Agent, FailureReason Reason, FailureKind Kind, FailureGroupState Status, long Failures, long Before, bool IsNew, bool CameBack,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen);
