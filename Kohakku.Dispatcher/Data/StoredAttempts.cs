using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>Reads what an earlier process left, and events that did not fit in memory.</summary>
internal sealed class StoredAttempts(NpgsqlDataSource database)
{
    public async Task<IReadOnlyList<StoredAttempt>> LoadAsync(CancellationToken cancellationToken)
    {
        var messages = (await LoadMessagesAsync(cancellationToken)).ToLookup(message => message.AttemptId);
        await using var command = database.CreateCommand("""
            SELECT a.id, a.task_id, a.token_hash, a."order"::text, a.secrets, a.claimed_at, a.phase, a.runtime_id, a.running_at, a.deadline,
                   a.result::text, a.ended_at, a.acknowledged_sequence,
                   greatest(a.acknowledged_sequence, (SELECT max(o.sequence) FROM outbox o WHERE o.attempt_id = a.id))
            FROM attempts a ORDER BY a.claimed_at
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var attempts = new List<StoredAttempt>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            var claimed = new ClaimedRow(id, reader.GetGuid(1), reader.GetFieldValue<byte[]>(2), Text(reader, 3),
                reader.IsDBNull(4) ? null : reader.GetFieldValue<byte[]>(4), reader.GetFieldValue<DateTimeOffset>(5));
            var progress = new ProgressRow(id, reader.GetString(6), Text(reader, 7), Time(reader, 8), Time(reader, 9), Text(reader, 10), Time(reader, 11));
            attempts.Add(new StoredAttempt(claimed, progress, reader.GetInt64(12), reader.GetInt64(13), [.. messages[id]]));
        }
        return attempts;
    }

    /// <summary>The attempt's next events after <paramref name="after"/>.</summary>
    public async Task<IReadOnlyList<AttemptEvent>> LoadEventsAsync(Guid attemptId, long after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT sequence, at, type, data::text FROM outbox WHERE attempt_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3");
        command.Parameters.Add(new() { Value = attemptId });
        command.Parameters.Add(new() { Value = after });
        command.Parameters.Add(new() { Value = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var events = new List<AttemptEvent>();
        while (await reader.ReadAsync(cancellationToken))
        {
            JsonElement? data = reader.IsDBNull(3) ? null : JsonElement.Parse(reader.GetString(3));
            events.Add(new AttemptEvent(attemptId, reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2), data));
        }
        return events;
    }

    private async Task<List<StoredMessage>> LoadMessagesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT attempt_id, id, kind, body, expires_at, delivered FROM messages ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var messages = new List<StoredMessage>();
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add(new StoredMessage(reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), Time(reader, 4), reader.GetBoolean(5)));
        }
        return messages;
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
