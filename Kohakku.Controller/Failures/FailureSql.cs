namespace Kohakku.Controller.Failures;

/// <summary>How failures are counted and steered. A group's row is locked before it is counted up: whoever comes second sees what the first wrote.</summary>
internal static class FailureSql
{
    /// <summary>Those that are not counted yet. $1 attempt ids.</summary>
    public const string ReadAttempts =
        """
        SELECT a.id, a.task_id, a.number, t.project_id, t.agent_name, a.reason, a.message, a.log_tail, a.ended_at
        FROM attempts a JOIN tasks t ON t.id = a.task_id
        WHERE a.id = ANY($1) AND a.ended_at IS NOT NULL AND a.reason IS NOT NULL AND NOT EXISTS (SELECT 1 FROM failure_attempts f WHERE f.attempt_id = a.id)
        """;

    /// <summary>A row is affected where it is the first of its kind. $1 id, $2 project, $3 fingerprint, $4 reason, $5 kind, $6 agent, $7 title, $8 when it failed.</summary>
    public const string MakeGroup =
        """
        INSERT INTO failure_groups (id, project_id, fingerprint, reason, kind, agent_name, title, status, count, tasks, first_seen, last_seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 0, 0, $8, $8) ON CONFLICT (project_id, fingerprint) DO NOTHING
        """;

    /// <summary>A statement of its own: the snapshot of what counts must begin after the lock was got. $1 project, $2 fingerprint.</summary>
    public const string LockGroup = "SELECT id FROM failure_groups WHERE project_id = $1 AND fingerprint = $2 FOR NO KEY UPDATE";

    /// <summary>
    /// Counts an attempt once, however often it comes. What was held to be mended is open again when it fails after that; an end from before, told late,
    /// opens nothing. $1 project, $2 fingerprint, $3 attempt, $4 task, $5 the attempt's number, $6 when it ended, $7 now.
    /// </summary>
    public const string Count =
        """
        WITH counted AS (
            INSERT INTO failure_attempts (attempt_id, group_id, task_id, number, at)
            SELECT $3, g.id, $4, $5, $6 FROM failure_groups g WHERE g.project_id = $1 AND g.fingerprint = $2
            ON CONFLICT (attempt_id) DO NOTHING RETURNING group_id
        ), hours AS (
            INSERT INTO failure_hours AS h (group_id, hour, count) SELECT c.group_id, date_trunc('hour', $6, 'UTC'), 1 FROM counted c
            ON CONFLICT (group_id, hour) DO UPDATE SET count = h.count + 1
        ), regressed AS (
            SELECT c.group_id, g.status = 'resolved' AND $6 > g.resolved_at AS is_so FROM counted c JOIN failure_groups g ON g.id = c.group_id
        )
        UPDATE failure_groups g SET
            count = g.count + 1,
            tasks = g.tasks + CASE WHEN EXISTS (SELECT 1 FROM failure_attempts f WHERE f.group_id = g.id AND f.task_id = $4) THEN 0 ELSE 1 END,
            first_seen = least(g.first_seen, $6), last_seen = greatest(g.last_seen, $6),
            status = CASE WHEN r.is_so THEN 'open' ELSE g.status END,
            reopened_at = CASE WHEN r.is_so THEN $7 ELSE g.reopened_at END,
            acknowledged_at = CASE WHEN r.is_so THEN NULL ELSE g.acknowledged_at END,
            acknowledged_by = CASE WHEN r.is_so THEN NULL ELSE g.acknowledged_by END
        FROM regressed r WHERE g.id = r.group_id
        """;

    /// <summary>$1 project, $2 fingerprint, $3 the oldest hour that is kept.</summary>
    public const string ForgetHours =
        "DELETE FROM failure_hours h USING failure_groups g WHERE g.project_id = $1 AND g.fingerprint = $2 AND h.group_id = g.id AND h.hour < $3";

    /// <summary>Answers where it stood before, and whether it was changed. $1 project, $2 id, $3 now, $4 by whom.</summary>
    public const string Acknowledge =
        """
        WITH changed AS (
            UPDATE failure_groups SET status = 'acknowledged', acknowledged_at = $3, acknowledged_by = $4
            WHERE project_id = $1 AND id = $2 AND status = 'open' RETURNING id)
        SELECT g.status, EXISTS (SELECT 1 FROM changed) FROM failure_groups g WHERE g.project_id = $1 AND g.id = $2
        """;

    /// <inheritdoc cref="Acknowledge"/>
    public const string Resolve =
        """
        WITH changed AS (
            UPDATE failure_groups SET status = 'resolved', resolved_at = $3, resolved_by = $4
            WHERE project_id = $1 AND id = $2 AND status IN ('open', 'acknowledged') RETURNING id)
        SELECT g.status, EXISTS (SELECT 1 FROM changed) FROM failure_groups g WHERE g.project_id = $1 AND g.id = $2
        """;

    /// <summary>$1 project, $2 id.</summary>
    public const string Exists = "SELECT 1 FROM failure_groups WHERE project_id = $1 AND id = $2";

    /// <summary>Tasks that ended by a failure of the group and were not run again since, and the attempt that ended each. $1 group, $2 the task to go on after, $3 how many.</summary>
    public const string Retryable =
        """
        SELECT f.task_id, f.attempt_id FROM failure_attempts f JOIN tasks t ON t.id = f.task_id AND t.current_attempt_id = f.attempt_id
        WHERE f.group_id = $1 AND f.task_id > $2 AND t.status IN ('failed', 'timedOut') ORDER BY f.task_id LIMIT $3
        """;
}
