using Kohakku.Contracts.Dispatching;
using Npgsql;
using NpgsqlTypes;

namespace Kohakku.Dispatcher.Data;

/// <summary>Entries that are committed together: one set-based statement per table, in one roundtrip and one transaction.</summary>
internal sealed class JournalBatch
{
    private const string Claim = """
        INSERT INTO attempts (id, task_id, token_hash, "order", secrets, claimed_at, phase)
        SELECT *, 'claimed' FROM unnest($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING
        """;

    private const string Progress = """
        UPDATE attempts a SET phase = u.phase, runtime_id = u.runtime_id, running_at = u.running_at, deadline = u.deadline, result = u.result, ended_at = u.ended_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7) u (id, phase, runtime_id, running_at, deadline, result, ended_at) WHERE a.id = u.id
        """;

    private const string Events =
        "INSERT INTO outbox (attempt_id, sequence, at, type, data) SELECT * FROM unnest($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";

    private const string Messages = """
        INSERT INTO messages (attempt_id, id, kind, body, expires_at, delivered) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (attempt_id, id, kind) DO UPDATE SET delivered = messages.delivered OR excluded.delivered
        """;

    private const string AcknowledgeEvents =
        "DELETE FROM outbox o USING unnest($1, $2) u (id, sequence) WHERE o.attempt_id = u.id AND o.sequence <= u.sequence";

    private const string AcknowledgeAttempts = """
        UPDATE attempts a SET acknowledged_sequence = greatest(a.acknowledged_sequence, u.sequence)
        FROM unnest($1, $2) u (id, sequence) WHERE a.id = u.id
        """;

    private const string ForgetEvents = "DELETE FROM outbox WHERE attempt_id = ANY ($1)";
    private const string ForgetMessages = "DELETE FROM messages WHERE attempt_id = ANY ($1)";
    private const string ForgetAttempts = "DELETE FROM attempts WHERE id = ANY ($1)";

    private readonly List<JournalEntry> entries = [];
    private readonly Dictionary<Guid, ClaimedRow> claimed = [];
    private readonly Dictionary<Guid, ProgressRow> progress = [];
    private readonly List<AttemptEvent> events = [];
    private readonly Dictionary<(Guid, Guid, string), StoredMessage> messages = [];
    private readonly Dictionary<Guid, long> acknowledged = [];
    private readonly HashSet<Guid> forgotten = [];

    public int Count => entries.Count;
    public IReadOnlyList<JournalEntry> Entries => entries;

    public void Add(JournalEntry entry)
    {
        entries.Add(entry);
        foreach (var row in entry.Claimed) claimed[row.Id] = row;
        foreach (var row in entry.Progress) progress[row.Id] = row;
        events.AddRange(entry.Events);
        foreach (var message in entry.Messages) messages[(message.AttemptId, message.Id, message.Kind)] = message;
        foreach (var (id, sequence) in entry.Acknowledged) acknowledged[id] = sequence;
        forgotten.UnionWith(entry.Forgotten);
    }

    public void Clear()
    {
        entries.Clear();
        claimed.Clear();
        progress.Clear();
        events.Clear();
        messages.Clear();
        acknowledged.Clear();
        forgotten.Clear();
    }

    public void Complete()
    {
        foreach (var entry in entries)
        {
            entry.Committed?.Invoke();
            entry.Durable.TrySetResult();
        }
    }

    public void Fail(Exception fault)
    {
        foreach (var entry in entries) entry.Durable.TrySetException(fault);
    }

    public async Task ExecuteAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // What is forgotten in this very batch need not be written first.
        foreach (var id in forgotten)
        {
            acknowledged.Remove(id);
            progress.Remove(id);
        }
        await using var batch = new NpgsqlBatch(connection);
        if (claimed.Count > 0) batch.BatchCommands.Add(ClaimCommand());
        if (progress.Count > 0) batch.BatchCommands.Add(ProgressCommand());
        if (events.Count > 0) batch.BatchCommands.Add(EventsCommand());
        if (messages.Count > 0) batch.BatchCommands.Add(MessagesCommand());
        if (acknowledged.Count > 0)
        {
            Guid[] ids = [.. acknowledged.Keys];
            long[] sequences = [.. acknowledged.Values];
            batch.BatchCommands.Add(Command(AcknowledgeEvents, Array(NpgsqlDbType.Uuid, ids), Array(NpgsqlDbType.Bigint, sequences)));
            batch.BatchCommands.Add(Command(AcknowledgeAttempts, Array(NpgsqlDbType.Uuid, ids), Array(NpgsqlDbType.Bigint, sequences)));
        }
        if (forgotten.Count > 0)
        {
            Guid[] ids = [.. forgotten];
            foreach (var sql in new[] { ForgetEvents, ForgetMessages, ForgetAttempts }) batch.BatchCommands.Add(Command(sql, Array(NpgsqlDbType.Uuid, ids)));
        }
        if (batch.BatchCommands.Count > 0) await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private NpgsqlBatchCommand ClaimCommand()
    {
        ClaimedRow[] rows = [.. claimed.Values];
        return Command(Claim,
            Array(NpgsqlDbType.Uuid, rows.Select(row => row.Id)), Array(NpgsqlDbType.Uuid, rows.Select(row => row.TaskId)),
            Array(NpgsqlDbType.Bytea, rows.Select(row => row.TokenHash)), Array(NpgsqlDbType.Json, rows.Select(row => row.Order)),
            Array(NpgsqlDbType.Bytea, rows.Select(row => row.Secrets)), Array(NpgsqlDbType.TimestampTz, rows.Select(row => row.ClaimedAt)));
    }

    private NpgsqlBatchCommand ProgressCommand()
    {
        ProgressRow[] rows = [.. progress.Values];
        return Command(Progress,
            Array(NpgsqlDbType.Uuid, rows.Select(row => row.Id)), Array(NpgsqlDbType.Text, rows.Select(row => row.Phase)),
            Array(NpgsqlDbType.Text, rows.Select(row => row.RuntimeId)), Array(NpgsqlDbType.TimestampTz, rows.Select(row => row.RunningAt)),
            Array(NpgsqlDbType.TimestampTz, rows.Select(row => row.Deadline)), Array(NpgsqlDbType.Json, rows.Select(row => row.Result)),
            Array(NpgsqlDbType.TimestampTz, rows.Select(row => row.EndedAt)));
    }

    private NpgsqlBatchCommand EventsCommand() => Command(Events,
        Array(NpgsqlDbType.Uuid, events.Select(each => each.AttemptId)), Array(NpgsqlDbType.Bigint, events.Select(each => each.Sequence)),
        Array(NpgsqlDbType.TimestampTz, events.Select(each => each.At)), Array(NpgsqlDbType.Text, events.Select(each => each.Type)),
        Array(NpgsqlDbType.Json, events.Select(each => each.Data?.GetRawText())));

    private NpgsqlBatchCommand MessagesCommand()
    {
        StoredMessage[] rows = [.. messages.Values];
        return Command(Messages,
            Array(NpgsqlDbType.Uuid, rows.Select(row => row.AttemptId)), Array(NpgsqlDbType.Uuid, rows.Select(row => row.Id)),
            Array(NpgsqlDbType.Text, rows.Select(row => row.Kind)), Array(NpgsqlDbType.Text, rows.Select(row => row.Body)),
            Array(NpgsqlDbType.TimestampTz, rows.Select(row => row.ExpiresAt)), Array(NpgsqlDbType.Boolean, rows.Select(row => row.Delivered)));
    }

    private static NpgsqlParameter Array<T>(NpgsqlDbType type, IEnumerable<T> values) =>
        new() { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values as T[] ?? [.. values] };

    private static NpgsqlBatchCommand Command(string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters) command.Parameters.Add(parameter);
        return command;
    }
}
