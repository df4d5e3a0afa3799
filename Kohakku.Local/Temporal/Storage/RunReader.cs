using System.Runtime.CompilerServices;
using Npgsql;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>Reads what was written, on connections of the pool; a read outlasts a short outage of the database.</summary>
internal sealed class RunReader(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>How many open runs are read at once: a failure repeats no more than this.</summary>
    private const int OpenRunsPage = 200;

    public Task<StoredRun?> LoadAsync(string @namespace, Guid runId, CancellationToken cancellationToken) => RetryAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand($"{RunColumns.WithParts} where run_id = $1 and namespace = $2", connection);
            Add(command, runId);
            Add(command, @namespace);
            await using var reader = await command.ExecuteReaderAsync(token);
            return await reader.ReadAsync(token) ? RunColumns.ReadWithParts(reader) : null;
        },
        cancellationToken);

    public Task<Guid?> CurrentRunAsync(string @namespace, string workflowId, CancellationToken cancellationToken) => RetryAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("select run_id from current_run where namespace = $1 and workflow_id = $2", connection);
            Add(command, @namespace);
            Add(command, workflowId);
            return (Guid?)await command.ExecuteScalarAsync(token);
        },
        cancellationToken);

    public Task<IReadOnlyList<HistoryEvent>> ReadHistoryAsync(Guid runId, long firstEventId, long lastEventId, int limit, CancellationToken cancellationToken) => RetryAsync<IReadOnlyList<HistoryEvent>>(
        async (connection, token) =>
        {
            // From the batch that holds the first event; ids have no gap, so the limit is an id too.
            await using var command = new NpgsqlCommand(
                """
                select events from history
                where run_id = $1 and first_event_id <= $3
                    and first_event_id >= coalesce((select max(first_event_id) from history where run_id = $1 and first_event_id <= $2), 0)
                order by first_event_id
                """,
                connection);
            var last = lastEventId - firstEventId < limit ? lastEventId : firstEventId + limit - 1;
            Add(command, runId);
            Add(command, firstEventId);
            Add(command, last);
            var events = new List<HistoryEvent>();
            await using var reader = await command.ExecuteReaderAsync(token);
            while (await reader.ReadAsync(token))
            {
                var batch = History.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0));
                events.AddRange(batch.Events.Where(e => e.EventId >= firstEventId && e.EventId <= last));
            }
            return events;
        },
        cancellationToken);

    public async IAsyncEnumerable<StoredRun> OpenRunsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RunRow? last = null;
        while (true)
        {
            var page = await OpenRunsAsync(last, cancellationToken);
            foreach (var run in page) yield return run;
            if (page.Count < OpenRunsPage) yield break;
            last = page[^1].Row;
        }
    }

    public Task<IReadOnlyList<EffectRow>> EffectsAsync(CancellationToken cancellationToken) => RetryAsync<IReadOnlyList<EffectRow>>(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand("select id, data from effect order by seq", connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            var effects = new List<EffectRow>();
            while (await reader.ReadAsync(token)) effects.Add(new EffectRow(reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)));
            return effects;
        },
        cancellationToken);

    private Task<List<StoredRun>> OpenRunsAsync(RunRow? last, CancellationToken cancellationToken) => RetryAsync(
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(
                $"""
                {RunColumns.WithParts} where close_time is null and (namespace, start_time, run_id) > ($1, $2, $3)
                order by namespace, start_time, run_id limit {OpenRunsPage}
                """,
                connection);
            Add(command, last?.Namespace ?? "");
            Add(command, (last?.StartTime ?? DateTimeOffset.UnixEpoch).UtcDateTime);
            Add(command, last?.RunId ?? Guid.Empty);
            await using var reader = await command.ExecuteReaderAsync(token);
            var runs = new List<StoredRun>();
            while (await reader.ReadAsync(token)) runs.Add(RunColumns.ReadWithParts(reader));
            return runs;
        },
        cancellationToken);

    private Task<T> RetryAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        Faults.RetryAsync(database, time, read, cancellationToken);

    private static void Add<T>(NpgsqlCommand command, T value) => command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
}
