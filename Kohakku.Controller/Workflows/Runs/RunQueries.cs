using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Workflows.Definitions;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>Reads runs for the API and the console. One roundtrip each, whatever the number of steps and units.</summary>
internal sealed class RunQueries(NpgsqlDataSource database, ControllerOptions options)
{
    private const string RunSql =
        """
        SELECT r.workflow_name, r.version, r.status, r.admitted, r.handed_at IS NOT NULL, r.concurrency_key, r.inputs::text, r.outputs::text, r.failure, r.parent_run_id,
            r.retry_of, r.submitted_by, r.created_at, r.started_at, r.ended_at, v.canonical
        FROM runs r JOIN workflow_versions v ON v.workflow_id = r.workflow_id AND v.version = r.version WHERE r.project_id = $1 AND r.id = $2
        """;

    /// <summary>With the newest tasks and runs of each item, 1,000 at most. $1 run.</summary>
    private const string StepsSql =
        """
        SELECT s.step_id, s.kind, s.fans_out, s.status, s.items, s.succeeded, s.failed, s.failure, s.started_at, s.ended_at,
            ARRAY(SELECT u.task_id FROM run_units u WHERE u.run_id = s.run_id AND u.step = s.index AND u.task_id IS NOT NULL ORDER BY u.item, u.attempt, u.part LIMIT 1000),
            ARRAY(SELECT u.child_run_id FROM run_units u WHERE u.run_id = s.run_id AND u.step = s.index AND u.child_run_id IS NOT NULL ORDER BY u.item, u.attempt LIMIT 1000),
            (SELECT u.question_id FROM run_units u WHERE u.run_id = s.run_id AND u.step = s.index AND u.question_id IS NOT NULL ORDER BY u.attempt DESC LIMIT 1)
        FROM run_steps s WHERE s.run_id = $1 ORDER BY s.index
        """;

    /// <summary>$1 run, $2 the size, in bytes, over which an output is left out here.</summary>
    private const string OutputsSql =
        """
        SELECT DISTINCT ON (u.step, u.item) u.step, u.item, CASE WHEN octet_length(o.text) <= $2 THEN o.text END
        FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN runs c ON c.id = u.child_run_id,
            LATERAL (SELECT coalesce(u.output, t.output::json, c.outputs)::text AS text) o
        WHERE u.run_id = $1 AND u.counts AND u.status = 'succeeded' ORDER BY u.step, u.item, u.attempt DESC
        """;

    private const string ListSql =
        """
        SELECT r.id, r.workflow_name, r.version, r.status, r.failure, r.parent_run_id, r.submitted_by, r.created_at, r.started_at, r.ended_at,
            (SELECT count(*) FILTER (WHERE s.ended_at IS NOT NULL)::int FROM run_steps s WHERE s.run_id = r.id),
            (SELECT count(*)::int FROM run_steps s WHERE s.run_id = r.id)
        FROM runs r
        WHERE r.project_id = $1 AND ($2::text IS NULL OR r.workflow_name = $2) AND ($3::text[] IS NULL OR r.status = ANY($3)) AND ($4::uuid IS NULL OR r.id < $4)
        ORDER BY r.id DESC LIMIT $5
        """;

    private const int LargestOutput = 1024 * 1024;

    /// <summary>Null: the project has no such run.</summary>
    public async Task<RunView?> FindAsync(Guid projectId, Guid id, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(RunSql).With(projectId).With(id);
        batch.Add(StepsSql).With(id);
        batch.Add(OutputsSql).With(id).With(LargestOutput);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        var definition = CanonicalForm.Read(rows.GetString(15));
        var status = WireEnum<RunState>.Parse(rows.GetString(2));
        var view = new RunView(
            id, rows.GetString(0), rows.GetInt32(1), status, WaitReason(status, rows), JsonElement.Parse(rows.GetString(6)), Json(rows, 7), rows.Text(8), [],
            Id(rows, 9), Id(rows, 10), rows.GetString(11), rows.GetFieldValue<DateTimeOffset>(12), rows.Time(13), rows.Time(14), Links(id));
        await rows.NextResultAsync(cancellationToken);
        List<(StepView View, bool FansOut)> steps = [];
        while (await rows.ReadAsync(cancellationToken)) steps.Add((Step(rows, definition.Steps[steps.Count].Needs), rows.GetBoolean(2)));
        await rows.NextResultAsync(cancellationToken);
        var outputs = steps.Select(step => new JsonElement?[Math.Max(step.View.Items ?? 0, 0)]).ToArray();
        while (await rows.ReadAsync(cancellationToken))
            if (rows.GetInt32(1) < outputs[rows.GetInt32(0)].Length) outputs[rows.GetInt32(0)][rows.GetInt32(1)] = Json(rows, 2);
        return view with { Steps = [.. steps.Select((step, index) => step.View with { Output = Output(step.FansOut, outputs[index]) })] };
    }

    public async Task<Page<RunSummary>> ListAsync(
        Guid projectId, string? workflow, IReadOnlyList<RunState> statuses, Guid? before, int limit, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(ListSql).With(projectId).With(workflow).With(statuses.Count == 0 ? null : statuses.Select(WireEnum<RunState>.NameOf).ToArray()).With(before).With(limit + 1);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<RunSummary> runs = [];
        while (await rows.ReadAsync(cancellationToken))
            runs.Add(new RunSummary(
                rows.GetGuid(0), rows.GetString(1), rows.GetInt32(2), WireEnum<RunState>.Parse(rows.GetString(3)), rows.Text(4), rows.GetInt32(10), rows.GetInt32(11),
                Id(rows, 5), rows.GetString(6), rows.GetFieldValue<DateTimeOffset>(7), rows.Time(8), rows.Time(9)));
        return new Page<RunSummary>([.. runs.Take(limit)], runs.Count > limit ? Cursor.Of(runs[limit - 1].Id) : null);
    }

    public RunLinks Links(Guid id)
    {
        var self = $"{options.Url}/api/v1/runs/{id}";
        return new RunLinks(self, $"{self}/events", $"{options.Url}/runs/{id}");
    }

    private static string? WaitReason(RunState status, NpgsqlDataReader rows) => status != RunState.Pending ? null
        : !rows.GetBoolean(3) ? $"Other runs have the places of its concurrency key '{rows.Text(5)}'."
        : rows.GetBoolean(4) ? "A temporal-worker has yet to take it."
        : "Temporal has yet to take it.";

    private static StepView Step(NpgsqlDataReader rows, IReadOnlyList<string> needs) => new(
        rows.GetString(0), rows.GetString(1), WireEnum<StepState>.Parse(rows.GetString(3)), needs, rows.GetInt32(4) < 0 ? null : rows.GetInt32(4), rows.GetInt32(5), rows.GetInt32(6),
        rows.GetFieldValue<Guid[]>(10), rows.GetFieldValue<Guid[]>(11), Id(rows, 12), null, rows.Time(8), rows.Time(9), rows.Text(7));

    private static JsonElement? Output(bool fansOut, JsonElement?[] outputs) => fansOut
        ? outputs.Length == 0 ? null : JsonSerializer.SerializeToElement(outputs)
        : outputs is [var only, ..] ? only : null;

    private static JsonElement? Json(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : JsonElement.Parse(row.GetString(column));

    private static Guid? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
}
