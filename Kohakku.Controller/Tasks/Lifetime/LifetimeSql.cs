namespace Kohakku.Controller.Tasks.Lifetime;

/// <summary>Where the lives of tasks and runs end for want of a claim, or of age.</summary>
internal static class LifetimeSql
{
    /// <summary>Candidates only; whether it still holds is decided under the task's lock. $1 now, $2 how many.</summary>
    public const string Expired = "SELECT id FROM tasks WHERE status IN ('scheduled', 'queued') AND expires_at <= $1 AND attempt_count = 0 AND generation = 1 ORDER BY expires_at LIMIT $2";

    /// <summary>
    /// Tasks that ended long ago. What others wait for stays, and what belongs to a run that has not ended as long ago: its outputs are the run's. $1 before when,
    /// $2 how many.
    /// </summary>
    public const string OldTasks =
        """
        SELECT t.id FROM tasks t
        WHERE t.ended_at < $1
            AND NOT EXISTS (SELECT 1 FROM tasks d WHERE d.status = 'scheduled' AND d.needs @> ARRAY[t.id])
            AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = t.run_id AND (r.ended_at IS NULL OR r.ended_at >= $1))
        ORDER BY t.ended_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED
        """;

    /// <summary>$1 tasks. Attempts that never ran have left no log.</summary>
    public const string AttemptsOf = "SELECT id, task_id, number FROM attempts WHERE task_id = ANY($1) AND started_at IS NOT NULL";

    /// <summary>$1 tasks. With what hangs on them.</summary>
    public const string DeleteTasks = "DELETE FROM tasks WHERE id = ANY($1)";

    /// <summary>Runs that ended long ago, without any task left, whose parent is as old. $1 before when, $2 how many.</summary>
    public const string DeleteRuns =
        """
        DELETE FROM runs WHERE id IN (
            SELECT r.id FROM runs r
            WHERE r.ended_at < $1
                AND NOT EXISTS (SELECT 1 FROM run_units u WHERE u.run_id = r.id AND u.task_id IS NOT NULL)
                AND NOT EXISTS (SELECT 1 FROM runs p WHERE p.id = r.parent_run_id AND (p.ended_at IS NULL OR p.ended_at >= $1))
            ORDER BY r.ended_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED)
        """;

    /// <summary>What schedules have long done. $1 before when, $2 how many.</summary>
    public const string DeleteFirings =
        """
        DELETE FROM schedule_firings WHERE id IN (
            SELECT f.id FROM schedule_firings f
            WHERE f.fired_at < $1
                AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = f.task_id AND t.ended_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = f.run_id AND r.ended_at IS NULL)
            LIMIT $2 FOR UPDATE OF f SKIP LOCKED)
        """;

    /// <summary>What webhooks were told long ago. $1 before when, $2 how many.</summary>
    public const string DeleteDeliveries =
        """
        DELETE FROM webhook_deliveries WHERE (webhook_id, id) IN (
            SELECT webhook_id, id FROM webhook_deliveries WHERE ended_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)
        """;
}
