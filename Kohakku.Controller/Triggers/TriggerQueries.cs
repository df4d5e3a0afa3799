using Kohakku.Contracts.Json;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Triggers;

/// <summary>Triggers and their deliveries as the API and the console show them, without secrets; always within one project.</summary>
internal sealed class TriggerQueries(IDbContextFactory<ControllerDb> databases, NpgsqlDataSource connections, ControllerOptions options)
{
    private const string Columns =
        "d.trigger_id, d.id, d.at, d.result, d.event, d.dedupe_key, d.note, d.task_id, d.run_id, coalesce(t.status, r.status), d.payload";

    /// <summary>$1 triggers. The newest of each.</summary>
    private const string LastSql =
        $"""
        SELECT {Columns} FROM unnest($1::uuid[]) AS s(id)
        CROSS JOIN LATERAL (SELECT * FROM trigger_deliveries WHERE trigger_id = s.id ORDER BY id DESC LIMIT 1) d
        LEFT JOIN tasks t ON t.id = d.task_id LEFT JOIN runs r ON r.id = d.run_id
        """;

    /// <summary>$1 trigger, $2 before which id, $3 how many.</summary>
    private const string DeliveriesSql =
        $"""
        SELECT {Columns} FROM (SELECT * FROM trigger_deliveries WHERE trigger_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3) d
        LEFT JOIN tasks t ON t.id = d.task_id LEFT JOIN runs r ON r.id = d.run_id ORDER BY d.id DESC
        """;

    /// <summary>By name, after the one given.</summary>
    public async Task<IReadOnlyList<TriggerView>> ListAsync(Guid projectId, string after, int count, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var triggers = await database.Triggers.AsNoTracking().Where(trigger => trigger.ProjectId == projectId && trigger.Name.CompareTo(after) > 0)
            .OrderBy(trigger => trigger.Name).Take(count).ToListAsync(cancellationToken);
        return await ViewAsync(triggers, cancellationToken);
    }

    /// <summary>Null when there is none.</summary>
    public async Task<TriggerView?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var found = await database.Triggers.AsNoTracking().Where(trigger => trigger.ProjectId == projectId && trigger.Name == name).ToListAsync(cancellationToken);
        return (await ViewAsync(found, cancellationToken)).SingleOrDefault();
    }

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<TriggerDeliveryView>> DeliveriesAsync(Guid triggerId, Guid? before, int count, CancellationToken cancellationToken)
    {
        await using var batch = connections.CreateBatch();
        batch.Add(DeliveriesSql).With(triggerId).With(before).With(count);
        return [.. (await ReadAsync(batch, cancellationToken)).Select(pair => pair.Delivery)];
    }

    private async Task<IReadOnlyList<TriggerView>> ViewAsync(List<Trigger> triggers, CancellationToken cancellationToken)
    {
        if (triggers.Count == 0) return [];
        await using var batch = connections.CreateBatch();
        batch.Add(LastSql).With(triggers.Select(trigger => trigger.Id).ToArray());
        var last = (await ReadAsync(batch, cancellationToken)).ToDictionary(pair => pair.TriggerId, pair => pair.Delivery);
        return [.. triggers.Select(trigger => View(trigger, last.GetValueOrDefault(trigger.Id)))];
    }

    private TriggerView View(Trigger trigger, TriggerDeliveryView? last) => new(
        trigger.Name, trigger.Verify, trigger.Filter, trigger.DedupeKey, trigger.Target, $"{options.Url}/api/v1/hooks/{trigger.Name}", last, trigger.CreatedAt, trigger.UpdatedAt);

    private static async Task<List<(Guid TriggerId, TriggerDeliveryView Delivery)>> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Guid, TriggerDeliveryView)> deliveries = [];
        while (await rows.ReadAsync(cancellationToken)) deliveries.Add((rows.GetGuid(0), Delivery(rows)));
        return deliveries;
    }

    private static TriggerDeliveryView Delivery(NpgsqlDataReader rows) => new(
        rows.GetGuid(1), rows.GetFieldValue<DateTimeOffset>(2), WireEnum<DeliveryResult>.Parse(rows.GetString(3)), rows.Text(4), rows.Text(5), rows.Text(6),
        rows.GetFieldValue<Guid?>(7), rows.GetFieldValue<Guid?>(8), rows.Text(9), rows.Text(10));
}
