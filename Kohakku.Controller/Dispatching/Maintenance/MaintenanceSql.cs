namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>What the loops look for. They only find candidates here; whether it still holds is decided under the task's lock.</summary>
internal static class MaintenanceSql
{
    /// <summary>$1 now (the process's), $2 how many.</summary>
    public const string DueTasks = "SELECT id FROM tasks WHERE status = 'scheduled' AND due_at <= $1 ORDER BY due_at LIMIT $2";

    public const string NextDue = "SELECT min(due_at) FROM tasks WHERE status = 'scheduled'";

    /// <summary>The database's clock, and since when it runs.</summary>
    public const string Clock = "SELECT clock_timestamp(), pg_postmaster_start_time()";

    /// <summary>$1 how many. Looks at every live attempt; they are as few as all dispatchers have slots.</summary>
    public const string LostTasks =
        """
        SELECT a.task_id, coalesce(d.last_heartbeat_at > clock_timestamp() - $2, false)
        FROM attempts a LEFT JOIN dispatchers d ON d.id = a.dispatcher_id
        WHERE a.ended_at IS NULL AND a.lease_until < clock_timestamp() ORDER BY a.lease_until LIMIT $1
        """;

    /// <summary>Those of tasks; approvals expire by their run's own timer. $1 now, $2 how many.</summary>
    public const string ExpiredQuestions =
        "SELECT id, task_id FROM questions WHERE closed_at IS NULL AND task_id IS NOT NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2";

    /// <summary>$1 silence after which it is unreachable, $2 after which it is offline.</summary>
    public const string DispatcherStatus =
        """
        WITH now_as AS (
            SELECT id, CASE
                WHEN last_heartbeat_at < clock_timestamp() - $2 THEN 'offline'
                WHEN last_heartbeat_at < clock_timestamp() - $1 THEN 'unreachable'
                WHEN draining OR superseded_by IS NOT NULL THEN 'draining'
                ELSE 'online' END AS status
            FROM dispatchers)
        UPDATE dispatchers d SET status = n.status FROM now_as n WHERE n.id = d.id AND d.status <> n.status RETURNING d.name, d.status, d.id
        """;

    /// <summary>Tasks that wait for needs which have all ended already: only a submit that raced with an end can leave one. $1 how many.</summary>
    public const string OverlookedNeeds =
        """
        SELECT DISTINCT n.id FROM tasks d JOIN tasks n ON n.id = ANY(d.needs)
        WHERE d.status = 'scheduled' AND d.due_at IS NULL AND n.status IN ('succeeded', 'failed', 'canceled', 'timedOut')
            AND (n.status <> 'succeeded' OR NOT EXISTS (SELECT 1 FROM tasks o WHERE o.id = ANY(d.needs) AND o.status <> 'succeeded'))
        LIMIT $1
        """;
}
