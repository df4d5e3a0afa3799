using System.Text.Json.Nodes;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Webhooks;

/// <summary>Deliveries that somebody asks for.</summary>
internal sealed class WebhookReplays(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>The attempts made stay on record; the time for further ones begins anew. $1 project, $2 webhook, $3 delivery, $4 now.</summary>
    private const string ReplaySql =
        """
        UPDATE webhook_deliveries d SET status = 'pending', due_at = $4, tries = 0, ended_at = NULL FROM webhooks w
        WHERE w.id = d.webhook_id AND w.project_id = $1 AND w.name = $2 AND d.id = $3
        """;

    /// <summary>$1 project, $2 webhook, $3 id, $4 now, $5 type, $6 data.</summary>
    private const string PingSql =
        """
        INSERT INTO webhook_deliveries (webhook_id, id, type, subject, at, data, status, due_at, tries, attempts)
        SELECT id, $3, $5, 'webhooks/' || name, $4, $6::json, 'pending', $4, 0, '[]' FROM webhooks WHERE project_id = $1 AND name = $2
        """;

    /// <summary>Sends it again, whatever became of it. False when there is no such delivery. A disabled webhook gets it when it is enabled.</summary>
    public async Task<bool> ReplayAsync(Guid projectId, string name, Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(ReplaySql).With(projectId).With(name).With(id).With(time.GetColumnNow());
        return await batch.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>Answers the delivery's id; null when there is no such webhook.</summary>
    public async Task<Guid?> PingAsync(Guid projectId, string name, string by, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        var id = Guid.CreateVersion7(now);
        await using var batch = database.CreateBatch();
        batch.Add(PingSql).With(projectId).With(name).With(id).With(now).With(WebhookEventTypes.Ping)
            .With(new JsonObject { ["message"] = "It works.", ["by"] = by }.ToJsonString());
        return await batch.ExecuteNonQueryAsync(cancellationToken) > 0 ? id : null;
    }
}
