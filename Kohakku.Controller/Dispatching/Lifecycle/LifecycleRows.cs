using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Lifecycle;

/// <summary>Rows in the order of <see cref="LifecycleSql"/>'s columns.</summary>
internal static class LifecycleRows
{
    public static TaskStanding Task(NpgsqlDataReader row) => new()
    {
        Id = row.GetGuid(0),
        ProjectId = row.GetGuid(1),
        Status = WireEnum<TaskState>.Parse(row.GetString(2)),
        Generation = row.GetInt32(3),
        MaxAttempts = row.GetInt32(4),
        OnLost = WireEnum<OnLost>.Parse(row.GetString(5)),
        ConcurrencyKey = row.Text(6),
        NotBefore = row.Time(7),
        TraceParent = row.Text(8),
        Claimable = row.GetBoolean(9),
        DueAt = row.Time(10),
        QueuedAt = row.Time(11),
        CurrentAttemptId = row.IsDBNull(12) ? null : row.GetGuid(12),
        AgentFailures = row.GetInt32(13),
        InfrastructureFaults = row.GetInt32(14),
        UnstartedClaims = row.GetInt32(15),
        CancelRequestedAt = row.Time(16),
        EventSequence = row.GetInt64(17),
        InputTokens = row.GetInt64(18),
        OutputTokens = row.GetInt64(19),
        CostUsd = row.GetDecimal(20),
        StartedAt = row.Time(21),
        EndedAt = row.Time(22),
        RunId = row.IsDBNull(23) ? null : row.GetGuid(23),
        OutputSchema = row.Text(24),
        ExpiresAt = row.Time(25),
    };

    public static LockedAttempt Attempt(NpgsqlDataReader row) => new(
        new AttemptStanding
        {
            Id = row.GetGuid(0),
            TaskId = row.GetGuid(1),
            Number = row.GetInt32(2),
            Status = WireEnum<AttemptState>.Parse(row.GetString(3)),
            DispatcherId = row.GetGuid(4),
            DispatcherName = row.GetString(5),
            ClaimedAt = row.GetFieldValue<DateTimeOffset>(6),
            AppliedSequence = row.GetInt64(7),
            RuntimeId = row.Text(8),
            StopReason = row.Text(9),
            Reason = row.Text(10) is { } reason ? WireEnum<FailureReason>.Parse(reason) : null,
            ExitCode = row.IsDBNull(11) ? null : row.GetInt32(11),
            Message = row.Text(12),
            LogTail = row.Text(13),
            StartedAt = row.Time(14),
            EndedAt = row.Time(15),
        },
        row.GetBoolean(16));

    public static OpenQuestion Question(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), row.IsDBNull(2) ? null : row.GetGuid(2), row.GetString(3), row.GetFieldValue<string[]>(4), row.Time(5));
}
