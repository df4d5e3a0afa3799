using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Outbox;

/// <summary>Whose turn it is under a concurrency key has to be seen to.</summary>
internal sealed record Turn(Guid ProjectId, string Key);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(Turn))]
internal sealed partial class OutboxJson : JsonSerializerContext;

/// <summary>
/// Lets the next tasks of a concurrency key into the queue, as many as its limit has room for. Whoever may add to those that count (this, and submit)
/// does so under the key's lock, so the limit is never exceeded; ends need no lock, they only make room.
/// </summary>
internal sealed class TurnHandler(NpgsqlDataSource database, ChangeFeed feed) : IOutboxHandler
{
    public string Kind => "turn";

    public async Task HandleAsync(OutboxItem item, CancellationToken cancellationToken)
    {
        var turn = JsonSerializer.Deserialize(item.Payload!, OutboxJson.Default.Turn)!;
        List<Guid> admitted = [];
        await using (var connection = await database.OpenConnectionAsync(cancellationToken))
        {
            await using var batch = new NpgsqlBatch(connection);
            // Two statements: the second's snapshot must begin after the lock was got.
            batch.Add("BEGIN");
            batch.Add(OutboxSql.LockKey).With(turn.ProjectId).With(turn.Key);
            batch.Add(OutboxSql.GiveTurns).With(turn.ProjectId).With(turn.Key);
            batch.Add("COMMIT");
            await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
            await rows.NextResultAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) admitted.Add(rows.GetGuid(0));
        }

        feed.PublishQueued(admitted.Count);
        feed.PublishTasks(admitted);
    }
}
