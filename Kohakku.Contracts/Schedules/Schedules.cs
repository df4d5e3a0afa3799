using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Targets;

namespace Kohakku.Contracts.Schedules;

/// <summary>What happens when a schedule is due while what it began before has not ended.</summary>
[JsonConverter(typeof(WireEnumConverter<OverlapPolicy>))]
public enum OverlapPolicy
{
    /// <summary>This time is left out.</summary>
    Skip,
    /// <summary>It waits for the end of the one before; at most 100 wait, further ones are left out.</summary>
    Queue,
    /// <summary>The one before is canceled; this one begins when it has ended.</summary>
    CancelRunning,
    /// <summary>They run side by side.</summary>
    Allow,
}

/// <summary>What happens to times that passed while no scheduler ran.</summary>
[JsonConverter(typeof(WireEnumConverter<CatchUpPolicy>))]
public enum CatchUpPolicy
{
    /// <summary>They are left out.</summary>
    Skip,
    /// <summary>The newest of them is made up for.</summary>
    Last,
    /// <summary>All of them are, at most 1,000.</summary>
    All,
}

/// <summary>What asked for a firing.</summary>
[JsonConverter(typeof(WireEnumConverter<FiringCause>))]
public enum FiringCause
{
    /// <summary>The schedule's time had come.</summary>
    Due,
    /// <summary>Somebody did, for now.</summary>
    Manual,
    /// <summary>Somebody did, for a time of the past.</summary>
    Backfill,
}

[JsonConverter(typeof(WireEnumConverter<FiringState>))]
public enum FiringState
{
    /// <summary>It is yet to begin: for jitter, for one before it, or for a scheduler.</summary>
    Pending,
    /// <summary>Its task or run was made.</summary>
    Started,
    /// <summary>It was left out; its note says why.</summary>
    Skipped,
    /// <summary>Its task or run could not be made; its note says why.</summary>
    Failed,
}

/// <summary>
/// Body of <c>PUT /api/v1/schedules/{name}</c>. Everything is nullable so that validation can name every missing or wrong field at once.
/// </summary>
public sealed record PutSchedule
{
    /// <summary>Five fields (minute to weekday), six (seconds before them), or <c>@hourly</c>, <c>@daily</c> …; this or <see cref="Every"/>.</summary>
    public string? Cron { get; init; }
    /// <summary>A duration from 1s to 365d, like <c>15m</c>; counted from <see cref="StartAt"/>, without one from 1970-01-01T00:00:00Z.</summary>
    public string? Every { get; init; }
    /// <summary>Of <see cref="Cron"/>: an IANA name. Default <c>UTC</c>.</summary>
    public string? TimeZone { get; init; }
    /// <summary>Not before.</summary>
    public DateTimeOffset? StartAt { get; init; }
    /// <summary>Not after.</summary>
    public DateTimeOffset? EndAt { get; init; }
    /// <summary>Default <c>skip</c>.</summary>
    public OverlapPolicy? Overlap { get; init; }
    /// <summary>Default <c>last</c>.</summary>
    public CatchUpPolicy? CatchUp { get; init; }
    /// <summary>How far back times are made up for, in seconds; 0 to 2,592,000 (30 days). Default 3600.</summary>
    public int? CatchUpWindowSeconds { get; init; }
    /// <summary>Each firing waits for a random part of this, in seconds; 0 to 86,400. Default 0.</summary>
    public int? JitterSeconds { get; init; }
    /// <summary>Default true.</summary>
    public bool? Enabled { get; init; }
    /// <summary>
    /// Required. Texts in it may be Liquid, with <c>schedule.name</c>, <c>schedule.time</c> (the time it was due, UTC) and <c>schedule.local_time</c> (the same in
    /// its time zone).
    /// </summary>
    public WorkTarget? Target { get; init; }
}

/// <param name="Cron">Null where <paramref name="Every"/> is given.</param>
/// <param name="NextAt">When it is due next; null when it is paused or over.</param>
/// <param name="LastFiring">The newest that is not a leaving out.</param>
public sealed record ScheduleView(
    string Name, string? Cron, string? Every, string TimeZone, DateTimeOffset? StartAt, DateTimeOffset? EndAt, OverlapPolicy Overlap, CatchUpPolicy CatchUp,
    int CatchUpWindowSeconds, int JitterSeconds, bool Enabled, WorkTarget Target, DateTimeOffset? NextAt, FiringView? LastFiring, DateTimeOffset CreatedAt,
    DateTimeOffset UpdatedAt);

/// <param name="ScheduledAt">The time that it stands for; one firing of a schedule at most for each.</param>
/// <param name="Note">Why it was left out, or failed, or still waits.</param>
/// <param name="TargetStatus">How its task or run stands, in the words of those.</param>
public sealed record FiringView(
    Guid Id, DateTimeOffset ScheduledAt, FiringCause Cause, FiringState Status, string? Note, Guid? TaskId, Guid? RunId, string? TargetStatus,
    DateTimeOffset CreatedAt, DateTimeOffset? FiredAt);

public sealed record ScheduleTimes(IReadOnlyList<DateTimeOffset> Times);

/// <summary>Body of <c>POST /api/v1/schedules/{name}/backfill</c>: every time of the schedule from one to the other, both included, that has not fired yet.</summary>
public sealed record BackfillSchedule
{
    public DateTimeOffset? From { get; init; }
    public DateTimeOffset? To { get; init; }
}
