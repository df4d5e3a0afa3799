namespace Kohakku.Controller.Failures.Digest;

internal static class DigestSql
{
    /// <summary>Projects that have had none today. $1 the day.</summary>
    public const string Projects = "SELECT p.id, p.name FROM projects p WHERE NOT EXISTS (SELECT 1 FROM failure_digests d WHERE d.project_id = p.id AND d.day = $1)";

    /// <summary>Whole hours. $1 project, $2 from, $3 to, $4 from when before.</summary>
    public const string Groups =
        """
        SELECT g.id, g.title, g.agent_name, g.reason, g.kind, g.status, h.now, h.before, g.first_seen >= $2, coalesce(g.reopened_at >= $2, false), g.first_seen, g.last_seen
        FROM failure_groups g
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(count) FILTER (WHERE hour >= $2), 0)::bigint AS now, coalesce(sum(count) FILTER (WHERE hour < $2), 0)::bigint AS before
            FROM failure_hours WHERE group_id = g.id AND hour >= $4 AND hour < $3) h
        WHERE g.project_id = $1 AND g.last_seen >= $4 AND h.now + h.before > 0
        ORDER BY (g.first_seen >= $2 OR coalesce(g.reopened_at >= $2, false)) DESC, h.now DESC, g.id
        """;

    /// <summary>A row is affected where this is the first. $1 project, $2 day, $3 the digest, or null, $4 now, $5 when its e-mail is due, or null.</summary>
    public const string Insert =
        "INSERT INTO failure_digests (project_id, day, digest, created_at, email_due_at, email_tries) VALUES ($1, $2, $3::json, $4, $5, 0) ON CONFLICT DO NOTHING";

    /// <summary>$1 now, $2 until when it is in hand.</summary>
    public const string TakeEmail =
        """
        UPDATE failure_digests d SET email_due_at = $2, email_tries = email_tries + 1
        FROM (SELECT project_id, day FROM failure_digests WHERE email_due_at <= $1 ORDER BY email_due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) due
        WHERE d.project_id = due.project_id AND d.day = due.day RETURNING d.project_id, d.day, d.digest::text, d.email_tries
        """;

    /// <summary>$1 project, $2 day, $3 when it was sent, or null, $4 when it is tried again, or null, $5 what was wrong, or null.</summary>
    public const string Emailed = "UPDATE failure_digests SET emailed_at = $3, email_due_at = $4, email_fault = $5 WHERE project_id = $1 AND day = $2";

    /// <summary>$1 before which day.</summary>
    public const string Forget = "DELETE FROM failure_digests WHERE day < $1";
}
