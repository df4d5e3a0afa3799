using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>
/// The one statement that makes tasks, one or a thousand, with the first two entries of their timelines. It leaves out, and so does not
/// answer, a task whose idempotency key is taken and one whose agent was deleted meanwhile (the agents are locked against that). Rows are
/// written in the order of their keys, so that two writers that meet on several keys wait for each other in one direction only.
/// </summary>
internal static class TaskInsert
{
    private const string Sql = """
        WITH live AS MATERIALIZED (
            SELECT id, name FROM agents WHERE id = ANY($1) AND deleted_at IS NULL FOR KEY SHARE
        ), submitted AS (
            INSERT INTO tasks (
                id, project_id, agent_id, agent_name, title, status, generation, priority, brief, inputs, inputs_stored, skills, env, secrets, labels, tags,
                concurrency_key, concurrency_limit, max_attempts, timeout_seconds, not_before, expires_at, needs, on_lost, network, resources,
                idempotency_key, request_hash, trace_parent, submitted_by, run_id, output_schema, claimable, due_at, queued_at,
                attempt_count, agent_failures, infrastructure_faults, event_sequence, input_tokens, output_tokens, cost_usd, created_at)
            SELECT
                r.id, r.project_id, live.id, live.name, r.title, r.status, 1, r.priority, r.brief, r.inputs::json, r.inputs_stored, r.skills::jsonb, r.env::jsonb, '{}',
                r.labels::jsonb, r.tags::text[], r.concurrency_key, r.concurrency_limit, r.max_attempts, r.timeout_seconds, r.not_before, r.expires_at, r.needs::uuid[], r.on_lost,
                r.network::jsonb, r.resources::jsonb, r.idempotency_key, r.request_hash, r.trace_parent, r.submitted_by,
                r.run_id, r.output_schema::json, r.claimable,
                CASE WHEN r.status = 'scheduled' AND NOT r.waits_for_needs THEN r.not_before END,
                CASE WHEN r.status = 'queued' THEN now() END,
                0, 0, 0, 2, 0, 0, 0, now()
            FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)
                AS r(id, project_id, agent_id, title, status, priority, brief, inputs, inputs_stored, skills, env, labels, tags, concurrency_key, concurrency_limit,
                     max_attempts, timeout_seconds, not_before, expires_at, needs, on_lost, network, resources, idempotency_key, request_hash, trace_parent, submitted_by,
                     run_id, output_schema, claimable, waits_for_needs)
            JOIN live ON live.id = r.agent_id
            ORDER BY r.idempotency_key, r.id
            ON CONFLICT (project_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
            RETURNING id, agent_name, status, claimable, due_at, needs, concurrency_key, submitted_by, created_at
        ), told AS (
            INSERT INTO task_events (task_id, id, at, type, data)
            SELECT id, 1, created_at, 'task.submitted', jsonb_build_object('by', submitted_by, 'agent', agent_name) FROM submitted
            UNION ALL
            SELECT id, 2, created_at,
                CASE WHEN status = 'scheduled' THEN 'task.scheduled' WHEN claimable THEN 'task.queued' ELSE 'task.blocked' END,
                CASE WHEN status = 'scheduled' THEN jsonb_strip_nulls(jsonb_build_object('dueAt', due_at, 'needs', nullif(cardinality(needs), 0)))
                     WHEN NOT claimable THEN jsonb_build_object('concurrencyKey', concurrency_key) END
            FROM submitted
        )
        SELECT id, created_at FROM submitted
        """;

    /// <summary>Answers in the order of <paramref name="tasks"/>; null for one that was left out.</summary>
    /// <param name="now">Decides whether a <c>notBefore</c> has passed.</param>
    public static async Task<MadeTask?[]> ExecuteAsync(
        NpgsqlConnection connection, IReadOnlyList<NewTask> tasks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        var states = tasks.Select(task => task.StateAt(now)).ToArray();
        Add(command, tasks.Select(task => task.AgentId).Distinct().ToArray());
        AddContent(command, tasks, states);
        AddCourse(command, tasks);
        AddOrigin(command, tasks, states);
        var created = new Dictionary<Guid, DateTimeOffset>(tasks.Count);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) created.Add(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1));
        return [.. tasks.Select((task, i) => created.TryGetValue(task.Id, out var at) ? new MadeTask(task, states[i], at) : null)];
    }

    private static void AddContent(NpgsqlCommand command, IReadOnlyList<NewTask> tasks, TaskState[] states)
    {
        Add(command, Column(tasks, task => task.Id));
        Add(command, Column(tasks, task => task.ProjectId));
        Add(command, Column(tasks, task => task.AgentId));
        Add(command, Column(tasks, task => task.Title));
        Add(command, states.Select(WireEnum<TaskState>.NameOf).ToArray());
        Add(command, Column(tasks, task => task.Request.Priority ?? 0));
        Add(command, Column(tasks, task => task.BriefStored ? null : task.Request.Brief));
        Add(command, Column(tasks, task => task.InputsStored ? null : task.Inputs?.GetRawText()));
        Add(command, Column(tasks, task => task.InputsStored));
        Add(command, Column(tasks, task => task.Skills.Count == 0 ? "[]" : JsonSerializer.Serialize(task.Skills, ControllerJson.Default.IReadOnlyListPinnedSkill)));
        Add(command, Column(tasks, task => Pairs(task.Request.Env)));
        Add(command, Column(tasks, task => Pairs(task.Request.Labels)));
        Add(command, Column(tasks, task => ArrayLiteral(task.Request.Tags)));
    }

    private static void AddCourse(NpgsqlCommand command, IReadOnlyList<NewTask> tasks)
    {
        Add(command, Column(tasks, task => task.Request.ConcurrencyKey));
        Add(command, Column(tasks, task => task.ConcurrencyLimit));
        Add(command, Column(tasks, task => task.Request.MaxAttempts ?? 1));
        Add(command, Column(tasks, task => task.Request.TimeoutSeconds ?? 3600));
        Add(command, Column(tasks, task => task.Request.NotBefore?.ToUniversalTime()));
        Add(command, Column(tasks, task => task.Request.ExpiresAt?.ToUniversalTime()));
        Add(command, Column(tasks, task => task.Request.Needs is { Count: > 0 } needs ? $"{{{string.Join(',', needs)}}}" : "{}"));
        Add(command, Column(tasks, task => WireEnum<OnLost>.NameOf(task.Request.OnLost ?? OnLost.Retry)));
        Add(command, Column(tasks, task => task.Request.Network is { } network ? JsonSerializer.Serialize(network, ContractsJson.Default.NetworkPolicy) : null));
        Add(command, Column(tasks, task => task.Request.Resources is { } limits ? JsonSerializer.Serialize(limits, ContractsJson.Default.ResourceLimits) : null));
    }

    private static void AddOrigin(NpgsqlCommand command, IReadOnlyList<NewTask> tasks, TaskState[] states)
    {
        Add(command, Column(tasks, task => task.Key?.Text));
        Add(command, Column(tasks, task => task.Key?.RequestHash));
        Add(command, Column(tasks, task => task.TraceParent));
        Add(command, Column(tasks, task => task.SubmittedBy));
        Add(command, Column(tasks, task => task.RunId));
        Add(command, Column(tasks, task => task.OutputSchema));
        Add(command, tasks.Select((task, i) => task.IsClaimable(states[i])).ToArray());
        Add(command, Column(tasks, task => task.UnmetNeeds > 0));
    }

    private static T[] Column<T>(IReadOnlyList<NewTask> tasks, Func<NewTask, T> value)
    {
        var column = new T[tasks.Count];
        for (var i = 0; i < column.Length; i++) column[i] = value(tasks[i]);
        return column;
    }

    private static void Add<T>(NpgsqlCommand command, T[] column) => command.Parameters.Add(new NpgsqlParameter<T[]> { TypedValue = column });

    private static string Pairs(IReadOnlyDictionary<string, string>? pairs) =>
        pairs is null or { Count: 0 } ? "{}" : JsonSerializer.Serialize(pairs, ContractsJson.Default.IReadOnlyDictionaryStringString);

    /// <summary><c>{"a","b \"c\""}</c>: unnest would take an array of arrays apart to the bottom.</summary>
    private static string ArrayLiteral(IReadOnlyList<string>? texts)
    {
        if (texts is null or { Count: 0 }) return "{}";
        var literal = new StringBuilder("{");
        foreach (var text in texts.Distinct(StringComparer.Ordinal))
        {
            if (literal.Length > 1) literal.Append(',');
            literal.Append('"').Append(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        return literal.Append('}').ToString();
    }
}
