namespace Kohakku.Controller.Failures;

/// <summary>How failures are read. A page costs a few index look-ups a row, whatever the number of failures behind it.</summary>
internal static class FailureReadSql
{
    private const string Columns =
        """
        g.id, g.fingerprint, g.reason, g.kind, g.agent_name, g.title, g.status, g.count, g.tasks, g.first_seen, g.last_seen,
        g.acknowledged_at, g.acknowledged_by, g.resolved_at, g.resolved_by, g.reopened_at, e.task_id, e.number
        """;

    /// <summary>One of the attempts, of the newest task: it is the least likely to be forgotten soon.</summary>
    private const string Example =
        """
        LEFT JOIN LATERAL (
            SELECT f.task_id, f.number, a.log_tail FROM failure_attempts f JOIN attempts a ON a.id = f.attempt_id
            WHERE f.group_id = g.id ORDER BY f.task_id DESC LIMIT 1) e ON true
        """;

    /// <summary>
    /// $1 project, $2 statuses or null, $3 kind or null, $4 agent or null, $5 and $6 when the last group of the page before was last seen, and its id, or
    /// null, $7 how many, $8 the present hour, $9 the longest log tail.
    /// </summary>
    public const string List =
        $"""
        SELECT {Columns}, right(e.log_tail, $9),
            ARRAY(
                SELECT coalesce(h.count, 0) FROM generate_series($8 - interval '23 hours', $8, interval '1 hour') AS s(at)
                LEFT JOIN failure_hours h ON h.group_id = g.id AND h.hour = s.at ORDER BY s.at)
        FROM (
            SELECT * FROM failure_groups
            WHERE project_id = $1 AND ($2::text[] IS NULL OR status = ANY($2)) AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR agent_name = $4)
                AND ($5::timestamptz IS NULL OR (last_seen, id) < ($5, $6))
            ORDER BY last_seen DESC, id DESC LIMIT $7) g
        {Example}
        ORDER BY g.last_seen DESC, g.id DESC
        """;

    /// <summary>$1 project, $2 id, $3 the present hour, $4 today. A day is 24 hours here, whatever time zone the session has.</summary>
    public const string One =
        $"""
        SELECT {Columns}, e.log_tail,
            ARRAY(
                SELECT coalesce(h.count, 0) FROM generate_series($3 - interval '23 hours', $3, interval '1 hour') AS s(at)
                LEFT JOIN failure_hours h ON h.group_id = g.id AND h.hour = s.at ORDER BY s.at),
            ARRAY(
                SELECT coalesce(sum(h.count), 0)::int FROM generate_series($4 - interval '696 hours', $4, interval '24 hours') AS s(at)
                LEFT JOIN failure_hours h ON h.group_id = g.id AND h.hour >= s.at AND h.hour < s.at + interval '24 hours' GROUP BY s.at ORDER BY s.at)
        FROM failure_groups g
        {Example}
        WHERE g.project_id = $1 AND g.id = $2
        """;

    /// <summary>$1 group, $2 the last task of the page before, or null, $3 how many.</summary>
    public const string Tasks =
        """
        SELECT f.task_id, t.title, t.status, f.attempts, f.last, f.at
        FROM (
            SELECT task_id, count(*)::int AS attempts, max(number) AS last, max(at) AS at FROM failure_attempts
            WHERE group_id = $1 AND ($2::uuid IS NULL OR task_id < $2) GROUP BY task_id ORDER BY task_id DESC LIMIT $3) f
        JOIN tasks t ON t.id = f.task_id ORDER BY f.task_id DESC
        """;

    /// <summary>
    /// The agent's last success before a moment, looked for among its 1,000 newest tasks before it, and whether the agent was changed in between.
    /// $1 project, $2 agent, $3 the moment, $4 an id that tasks from before it are below.
    /// </summary>
    public const string Change =
        """
        SELECT t.id, t.ended_at, (SELECT a.updated_at FROM agents a WHERE a.project_id = $1 AND a.name = $2 AND a.updated_at > t.ended_at AND a.updated_at <= $3)
        FROM (
            SELECT id, status, ended_at FROM tasks WHERE project_id = $1 AND agent_name = $2 AND id < $4 ORDER BY id DESC LIMIT 1000) t
        WHERE t.status = 'succeeded' AND t.ended_at < $3 ORDER BY t.ended_at DESC LIMIT 1
        """;
}
