using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Webhooks.Events;
using Npgsql;

namespace Kohakku.Controller.Failures;

/// <summary>Attempts that failed in one transaction.</summary>
internal sealed record FailedAttempts(IReadOnlyList<Guid> AttemptIds);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(FailedAttempts))]
internal sealed partial class FailureJson : JsonSerializerContext;

/// <summary>
/// Counts failed attempts in their groups, each once. Two roundtrips for up to <see cref="AtOnce"/> of them: when a dispatcher vanishes, or a bad release
/// breaks every task, what else follows from tasks must not wait long. Groups are locked in one order by whoever counts.
/// </summary>
internal sealed partial class FailureHandler(NpgsqlDataSource database, TimeProvider time, ILogger<FailureHandler> logger) : IOutboxHandler
{
    private const int AtOnce = 100;
    private static readonly TimeSpan HoursKept = TimeSpan.FromDays(31);

    public string Kind => "failure";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        foreach (var ids in JsonSerializer.Deserialize(item.Payload!, FailureJson.Default.FailedAttempts)!.AttemptIds.Chunk(AtOnce))
            await CountAsync(await ReadAsync(ids, cancellationToken), cancellationToken);
    }

    private sealed record Failure(Guid AttemptId, Guid TaskId, int Number, Guid ProjectId, string Agent, FailureReason Reason, FailureFingerprint Fingerprint, DateTimeOffset At);

    private async Task<List<Failure>> ReadAsync(Guid[] attemptIds, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(FailureSql.ReadAttempts).With(attemptIds);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<Failure> failures = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var (agent, reason) = (rows.GetString(4), WireEnum<FailureReason>.Parse(rows.GetString(5)));
            var fingerprint = FailureFingerprint.Of(reason, agent, rows.IsDBNull(6) ? null : rows.GetString(6), rows.IsDBNull(7) ? null : rows.GetString(7));
            failures.Add(new Failure(
                rows.GetGuid(0), rows.GetGuid(1), rows.GetInt32(2), rows.GetGuid(3), agent, reason, fingerprint, rows.GetFieldValue<DateTimeOffset>(8)));
        }

        return failures;
    }

    private async Task CountAsync(List<Failure> failures, CancellationToken cancellationToken)
    {
        if (failures.Count == 0) return;
        var now = time.GetColumnNow();
        List<(Failure First, NpgsqlBatchCommand Made)> groups = [];
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("BEGIN");
        foreach (var group in failures.GroupBy(failure => (failure.ProjectId, failure.Fingerprint.Value)).OrderBy(group => group.Key))
        {
            var (project, fingerprint) = group.Key;
            var first = group.MinBy(failure => failure.At)!;
            var id = Guid.CreateVersion7(now);
            groups.Add((first, Make(batch, id, first, now)));
            batch.Add(FailureSql.LockGroup).With(project).With(fingerprint);
            foreach (var failure in group)
                batch.Add(FailureSql.Count).With(project).With(fingerprint).With(failure.AttemptId).With(failure.TaskId).With(failure.Number).With(failure.At).With(now);
            batch.TellFailures(project, fingerprint, id, now);
            batch.Add(FailureSql.ForgetHours).With(project).With(fingerprint).With(now - HoursKept);
        }

        batch.Add("COMMIT");
        await batch.ExecuteNonQueryAsync(cancellationToken);
        foreach (var (first, made) in groups)
            if (made.RecordsAffected > 0) LogNew(first.Agent, first.Reason, first.Fingerprint.Value, first.TaskId);
    }

    private static NpgsqlBatchCommand Make(NpgsqlBatch batch, Guid id, Failure first, DateTimeOffset now) => batch.Add(FailureSql.MakeGroup)
        .With(id).With(first.ProjectId).With(first.Fingerprint.Value).With(WireEnum<FailureReason>.NameOf(first.Reason))
        .With(WireEnum<FailureKind>.NameOf(first.Reason.IsInfrastructure() ? FailureKind.Infrastructure : FailureKind.Agent))
        .With(first.Agent).With(first.Fingerprint.Title).With(first.At);

    [LoggerMessage(3410, LogLevel.Warning, "A failure of agent {Agent} that was not seen before: {Reason}, fingerprint {Fingerprint}, task {TaskId}.")]
    private partial void LogNew(string agent, FailureReason reason, string fingerprint, Guid taskId);
}
