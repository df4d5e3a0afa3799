using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Status;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks.Views;
using Npgsql;

namespace Kohakku.Controller.Status;

/// <summary>How the installation stands, read in one roundtrip when somebody looks.</summary>
internal sealed class StatusQueries(NpgsqlDataSource database, OnlineDispatchers dispatchers, TimeProvider time)
{
    private const int MostStuck = 100;
    private const int MostOutages = 20;
    /// <summary>The scheduler probes every ten seconds.</summary>
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(1);

    private const string ProbesSql = "SELECT name, healthy, detail, duration_ms, checked_at, changed_at FROM probes ORDER BY name";
    private const string OutagesSql = "SELECT name, began_at, ended_at, detail FROM outages ORDER BY began_at DESC LIMIT $1";
    private const string DispatchersSql = "SELECT status, count(*)::int, coalesce(sum(free_slots), 0)::int FROM dispatchers GROUP BY status";

    private const string QueueSql =
        """
        SELECT count(*) FILTER (WHERE status = 'scheduled'), count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'), count(*) FILTER (WHERE status = 'waiting'),
            min(queued_at) FILTER (WHERE status = 'queued' AND claimable)
        FROM tasks WHERE project_id = $1 AND status IN ('scheduled', 'queued', 'running', 'waiting')
        """;

    public async Task<StatusView> ReadAsync(Guid projectId, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        var offered = await dispatchers.LabelsAsync(cancellationToken);
        await using var batch = database.CreateBatch();
        batch.Add(ProbesSql);
        batch.Add(OutagesSql).With(MostOutages);
        batch.Add(DispatchersSql);
        batch.Add(QueueSql).With(projectId);
        foreach (var sql in StuckSql.All) batch.Add(sql).With(projectId).With(now).With(MostStuck);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        var services = await ReadAsync(rows, Service, cancellationToken);
        var outages = await ReadAsync(rows, row => new OutageView(row.GetString(0), row.Time(1)!.Value, row.Time(2), row.Text(3)), cancellationToken);
        var counts = await ReadAsync(rows, row => (State: WireEnum<DispatcherState>.Parse(row.GetString(0)), Count: row.GetInt32(1), Free: row.GetInt32(2)), cancellationToken);
        var queue = (await ReadAsync(rows, row => new QueueStatus(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.Time(4)), cancellationToken))[0];
        List<StuckView> stuck = [];
        foreach (var _ in StuckSql.All) stuck.AddRange(await ReadAsync(rows, row => Stuck(row, offered), cancellationToken));

        services.Add(Scheduler(services, now));
        var online = counts.FirstOrDefault(count => count.State == DispatcherState.Online);
        var healthy = services.TrueForAll(service => service.Healthy) && stuck.Count == 0 && (online.Count > 0 || queue.Queued == 0);
        return new StatusView(
            healthy ? InstallationHealth.Healthy : InstallationHealth.Degraded, now, services, outages,
            new DispatcherCounts(online.Count, Of(DispatcherState.Draining), Of(DispatcherState.Unreachable), Of(DispatcherState.Offline), online.Free), queue,
            [.. stuck.OrderBy(item => item.Since).Take(MostStuck)]);

        int Of(DispatcherState state) => counts.FirstOrDefault(count => count.State == state).Count;
    }

    /// <summary>It is there as long as it probes the others.</summary>
    private static ServiceStatus Scheduler(List<ServiceStatus> probed, DateTimeOffset now)
    {
        var last = probed.Max(service => service.CheckedAt);
        return last > now - LongestSilence
            ? new ServiceStatus("scheduler", true, null, null, last, null)
            : new ServiceStatus("scheduler", false, "No scheduler was heard of within the last minute: schedules don't fire, and what stands here of other services is old.", null, last, last);
    }

    private static ServiceStatus Service(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetBoolean(1), row.Text(2), Math.Round(row.GetDouble(3), 2), row.Time(4), row.Time(5));

    private static StuckView Stuck(NpgsqlDataReader row, IReadOnlyList<IReadOnlyDictionary<string, string>> offered) => new(
        row.GetString(0), row.IsDBNull(1) ? null : row.GetGuid(1), row.GetString(2), row.GetString(3), row.Time(4)!.Value,
        row.Text(5) ?? Capital(WaitReasons.Of(
            TaskState.Queued, claimable: true, null, JsonSerializer.Deserialize(row.GetString(6), ContractsJson.Default.IReadOnlyDictionaryStringString)!, 0, null, false, offered)!));

    private static string Capital(string reason) => $"{char.ToUpperInvariant(reason[0])}{reason[1..]}{(reason == "waits for a dispatcher" ? ": all slots are taken" : "")}.";

    private static async Task<List<T>> ReadAsync<T>(NpgsqlDataReader rows, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        List<T> found = [];
        while (await rows.ReadAsync(cancellationToken)) found.Add(read(rows));
        await rows.NextResultAsync(cancellationToken);
        return found;
    }
}
