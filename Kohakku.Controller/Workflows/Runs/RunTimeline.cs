using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks.Timeline;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <param name="Status">The run's state when its entries up to <paramref name="Newest"/> were there.</param>
internal sealed record RunTimelinePart(IReadOnlyList<RunEventView> Entries, RunState Status, long Newest)
{
    /// <summary>Nothing will come after this entry.</summary>
    public bool EndsAt(long id) => Status.IsFinal() && id >= Newest;
}

/// <summary>Reads the entries of a run's timeline. Their ids have no gaps and are given under the run's lock, so what follows an id is complete.</summary>
internal sealed class RunTimeline(NpgsqlDataSource database)
{
    /// <summary>Null: the project has no such run.</summary>
    public async Task<RunTimelinePart?> ReadAsync(Guid projectId, Guid runId, long after, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        // The state first: an entry that is written between the two statements is then seen with the next look, never missed.
        batch.Add("SELECT status, event_sequence FROM runs WHERE project_id = $1 AND id = $2").With(projectId).With(runId);
        batch.Add("SELECT id, at, type, step_id, data::text FROM run_events WHERE run_id = $1 AND id > $2 ORDER BY id LIMIT $3").With(runId).With(after).With(limit);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        var (status, newest) = (WireEnum<RunState>.Parse(rows.GetString(0)), rows.GetInt64(1));
        await rows.NextResultAsync(cancellationToken);
        List<RunEventView> entries = [];
        while (await rows.ReadAsync(cancellationToken))
            entries.Add(new RunEventView(
                rows.GetInt64(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), await rows.IsDBNullAsync(3, cancellationToken) ? null : rows.GetString(3),
                await rows.IsDBNullAsync(4, cancellationToken) ? null : JsonElement.Parse(rows.GetString(4))));
        return new RunTimelinePart(entries, status, newest);
    }

    /// <summary>The same for <see cref="EventStream"/>.</summary>
    public async Task<StreamPart?> StreamAsync(Guid projectId, Guid runId, long after, int limit, CancellationToken cancellationToken) =>
        await ReadAsync(projectId, runId, after, limit, cancellationToken) is { } part
            ? new StreamPart(
                [.. part.Entries.Select(entry => new StreamEntry(entry.Id, entry.Type, JsonSerializer.SerializeToUtf8Bytes(entry, ContractsJson.Default.RunEventView)))],
                part.EndsAt(part.Entries.Count > 0 ? part.Entries[^1].Id : after))
            : null;
}
