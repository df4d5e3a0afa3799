using Kohakku.Contracts;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Failures;

/// <summary>Reads failures for the API and the console, always within one project.</summary>
internal sealed class FailureQueries(NpgsqlDataSource database, TimeProvider time)
{
    private const int LongestListedTail = 2_000;

    public async Task<Page<FailureGroupView>> ListAsync(Guid projectId, FailureFilter filter, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(FailureReadSql.List)
            .With(projectId)
            .With(filter.Statuses.Count == 0 ? null : filter.Statuses.Select(WireEnum<FailureGroupState>.NameOf).ToArray())
            .With(filter.Kind is { } kind ? WireEnum<FailureKind>.NameOf(kind) : null)
            .With(filter.Agent)
            .With(filter.After?.LastSeen)
            .With(filter.After?.Id)
            .With(filter.Limit + 1)
            .With(ThisHour())
            .With(LongestListedTail);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<FailureGroupView> groups = [];
        while (await rows.ReadAsync(cancellationToken)) groups.Add(Group(rows));
        var next = groups.Count > filter.Limit ? FailureFilter.CursorOf(groups[filter.Limit - 1].LastSeen, groups[filter.Limit - 1].Id) : null;
        return new Page<FailureGroupView>([.. groups.Take(filter.Limit)], next);
    }

    /// <summary>Null: the project has no such group.</summary>
    public async Task<FailureGroupView?> FindAsync(Guid projectId, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        FailureGroupView group;
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.Add(FailureReadSql.One).With(projectId).With(id).With(ThisHour()).With(Today());
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            if (!await rows.ReadAsync(cancellationToken)) return null;
            group = Group(rows) with { Days = rows.GetFieldValue<int[]>(20) };
        }

        return group with { Changed = await ReadChangeAsync(connection, projectId, group, cancellationToken) };
    }

    /// <summary>The newest first. Null: the project has no such group.</summary>
    public async Task<Page<FailedTaskView>?> TasksAsync(Guid projectId, Guid id, Guid? before, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(FailureSql.Exists).With(projectId).With(id);
        batch.Add(FailureReadSql.Tasks).With(id).With(before).With(limit + 1);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        await rows.NextResultAsync(cancellationToken);
        List<FailedTaskView> tasks = [];
        while (await rows.ReadAsync(cancellationToken))
            tasks.Add(new FailedTaskView(
                rows.GetGuid(0), rows.GetString(1), WireEnum<TaskState>.Parse(rows.GetString(2)), rows.GetInt32(3), rows.GetInt32(4), rows.GetFieldValue<DateTimeOffset>(5)));
        return new Page<FailedTaskView>([.. tasks.Take(limit)], tasks.Count > limit ? Cursor.Of(tasks[limit - 1].TaskId) : null);
    }

    private static async Task<FailureChange> ReadChangeAsync(NpgsqlConnection connection, Guid projectId, FailureGroupView group, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        // Ids tell the time to the millisecond; what is made in the next one is not before.
        var firstIdAfter = Guid.CreateVersion7(group.FirstSeen.AddMilliseconds(1));
        batch.Add(FailureReadSql.Change).With(projectId).With(group.Agent).With(group.FirstSeen).With(firstIdAfter);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? new FailureChange(rows.Time(1), rows.GetGuid(0), rows.Time(2)) : new FailureChange(null, null, null);
    }

    private DateTimeOffset ThisHour()
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerHour));
    }

    private DateTimeOffset Today() => new(time.GetUtcNow().Date, TimeSpan.Zero);

    private static FailureGroupView Group(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), WireEnum<FailureReason>.Parse(row.GetString(2)), WireEnum<FailureKind>.Parse(row.GetString(3)), row.GetString(4), row.GetString(5),
        WireEnum<FailureGroupState>.Parse(row.GetString(6)), row.GetInt64(7), row.GetInt64(8), row.GetFieldValue<DateTimeOffset>(9), row.GetFieldValue<DateTimeOffset>(10),
        row.GetFieldValue<int[]>(19), null, row.Time(11), row.Text(12), row.Time(13), row.Text(14), row.Time(15),
        row.IsDBNull(16) ? null : new FailureExample(row.GetGuid(16), row.GetInt32(17), row.Text(18)), null);
}
