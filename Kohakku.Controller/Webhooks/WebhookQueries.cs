using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Npgsql;

namespace Kohakku.Controller.Webhooks;

/// <summary>Webhooks and their deliveries as the API and the console show them; always within one project.</summary>
internal sealed class WebhookQueries(NpgsqlDataSource database, ControllerOptions options)
{
    /// <summary>$1 project, $2 one name, or null, $3 after which name, $4 how many.</summary>
    private const string ListSql =
        """
        SELECT w.name, w.url, w.events, w.enabled, w.disabled_reason, (SELECT count(*)::int FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'pending'),
            w.failing_since, w.created_at, w.updated_at
        FROM webhooks w WHERE w.project_id = $1 AND ($2::text IS NULL OR w.name = $2) AND w.name > $3 ORDER BY w.name LIMIT $4
        """;

    /// <summary>$1 project, $2 webhook's name, $3 before which id, $4 how many, $5 one id, or null.</summary>
    private const string DeliveriesSql =
        """
        SELECT d.id, d.type, d.subject, d.at, d.data::text, d.status, d.due_at, d.ended_at, d.attempts::text, p.name
        FROM webhooks w JOIN projects p ON p.id = w.project_id
        CROSS JOIN LATERAL (
            SELECT * FROM webhook_deliveries WHERE webhook_id = w.id AND ($3::uuid IS NULL OR id < $3) AND ($5::uuid IS NULL OR id = $5) ORDER BY id DESC LIMIT $4) d
        WHERE w.project_id = $1 AND w.name = $2 ORDER BY d.id DESC
        """;

    /// <summary>By name, after the one given.</summary>
    public Task<IReadOnlyList<WebhookView>> ListAsync(Guid projectId, string after, int count, CancellationToken cancellationToken) =>
        ReadAsync(projectId, null, after, count, cancellationToken);

    /// <summary>Null when there is none.</summary>
    public async Task<WebhookView?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken) =>
        (await ReadAsync(projectId, name, "", 1, cancellationToken)).SingleOrDefault();

    /// <summary>The newest first.</summary>
    public async Task<IReadOnlyList<DeliveryView>> DeliveriesAsync(Guid projectId, string name, Guid? before, int count, CancellationToken cancellationToken) =>
        await ReadDeliveriesAsync(projectId, name, before, count, null, cancellationToken);

    /// <summary>Null when there is none.</summary>
    public async Task<DeliveryView?> DeliveryAsync(Guid projectId, string name, Guid id, CancellationToken cancellationToken) =>
        (await ReadDeliveriesAsync(projectId, name, null, 1, id, cancellationToken)).SingleOrDefault();

    private async Task<IReadOnlyList<WebhookView>> ReadAsync(Guid projectId, string? name, string after, int count, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(ListSql).With(projectId).With(name).With(after).With(count);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<WebhookView> webhooks = [];
        while (await rows.ReadAsync(cancellationToken))
            webhooks.Add(new WebhookView(
                rows.GetString(0), rows.GetString(1), rows.GetFieldValue<string[]>(2), rows.GetBoolean(3), rows.Text(4), rows.GetInt32(5),
                rows.Time(6), rows.GetFieldValue<DateTimeOffset>(7), rows.GetFieldValue<DateTimeOffset>(8)));
        return webhooks;
    }

    private async Task<List<DeliveryView>> ReadDeliveriesAsync(Guid projectId, string name, Guid? before, int count, Guid? id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(DeliveriesSql).With(projectId).With(name).With(before).With(count).With(id);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<DeliveryView> deliveries = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var status = WireEnum<DeliveryState>.Parse(rows.GetString(5));
            var body = WebhookBodies.Of(options.Url, rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetFieldValue<DateTimeOffset>(3), rows.GetString(9), rows.GetString(4));
            deliveries.Add(new DeliveryView(
                body.Id, body.Type, body.Subject, body.Time, status, status == DeliveryState.Pending ? rows.GetFieldValue<DateTimeOffset>(6) : null,
                rows.Time(7), JsonSerializer.Deserialize(rows.GetString(8), ContractsJson.Default.IReadOnlyListDeliveryAttempt)!, body));
        }

        return deliveries;
    }
}

/// <summary>What is sent of an event.</summary>
internal static class WebhookBodies
{
    /// <param name="source">The controller's address.</param>
    /// <param name="data">JSON.</param>
    public static WebhookEvent Of(string source, Guid id, string type, string subject, DateTimeOffset at, string project, string data) =>
        new("1.0", id, source, type, subject, at, "application/json", project, JsonElement.Parse(data));
}
