using System.Text.Json;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Webhooks.Events;
using Npgsql;

namespace Kohakku.Controller.Failures.Digest;

/// <summary>
/// Tells once a day what failed: makes the digest of each project, its webhooks' deliveries and its e-mail's row in one transaction. A morning on which no scheduler ran is made
/// up for later that day.
/// </summary>
internal sealed class Digests(NpgsqlDataSource database, SmtpOptions smtp, TimeProvider time)
{
    /// <summary>In UTC.</summary>
    public static readonly TimeSpan TimeOfDay = TimeSpan.FromHours(6);

    private const int MostGroups = 20;
    private const int DaysKept = 30;
    private static readonly TimeSpan Length = TimeSpan.FromDays(1);

    /// <summary>Answers how many projects it saw to.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var to = new DateTimeOffset(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime - TimeOfDay).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero) + TimeOfDay;
        var day = DateOnly.FromDateTime(to.UtcDateTime);
        var projects = await ProjectsAsync(day, cancellationToken);
        foreach (var (id, name) in projects)
        {
            var digest = await MakeAsync(id, name, to, cancellationToken);
            await WriteAsync(id, day, digest.Failures == 0 ? null : JsonSerializer.Serialize(digest, ContractsJson.Default.FailureDigest), cancellationToken);
        }

        return projects.Count;
    }

    private async Task<List<(Guid Id, string Name)>> ProjectsAsync(DateOnly day, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(DigestSql.Projects).With(day);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Guid, string)> projects = [];
        while (await rows.ReadAsync(cancellationToken)) projects.Add((rows.GetGuid(0), rows.GetString(1)));
        return projects;
    }

    private async Task<FailureDigest> MakeAsync(Guid projectId, string project, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var from = to - Length;
        await using var batch = database.CreateBatch();
        batch.Add(DigestSql.Groups).With(projectId).With(from).With(to).With(from - Length);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<DigestGroup> groups = [];
        var (failures, before, more) = (0L, 0L, 0);
        while (await rows.ReadAsync(cancellationToken))
        {
            failures += rows.GetInt64(6);
            before += rows.GetInt64(7);
            // Of what has ceased only the sum is told.
            if (rows.GetInt64(6) == 0) continue;
            if (groups.Count == MostGroups) more++;
            else groups.Add(Group(rows));
        }

        return new FailureDigest(project, from, to, failures, before, groups, more);
    }

    private async Task WriteAsync(Guid projectId, DateOnly day, string? digest, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        var made = batch.Add(DigestSql.Insert).With(projectId).With(day).With(digest).With(now).With(digest is null || !smtp.IsConfigured ? null : (DateTimeOffset?)now);
        batch.Add(DigestSql.Forget).With(day.AddDays(-DaysKept));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        if (made.RecordsAffected > 0 && digest is not null)
        {
            await using var tell = new NpgsqlBatch(connection);
            tell.TellDigest(projectId, digest, now);
            await tell.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    private static DigestGroup Group(NpgsqlDataReader rows) => new(
        rows.GetGuid(0), rows.GetString(1), rows.GetString(2), WireEnum<FailureReason>.Parse(rows.GetString(3)), WireEnum<FailureKind>.Parse(rows.GetString(4)),
        WireEnum<FailureGroupState>.Parse(rows.GetString(5)), rows.GetInt64(6), rows.GetInt64(7), rows.GetBoolean(8), rows.GetBoolean(9), rows.GetFieldValue<DateTimeOffset>(10),
        rows.GetFieldValue<DateTimeOffset>(11));
}
