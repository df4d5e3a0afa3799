namespace Kohakku.Controller.Schedules.Firing;

/// <summary>How schedules become firings, and firings tasks and runs. Any number of schedulers do it at once: rows are taken by lock, and a time has one row.</summary>
internal static class FiringSql
{
    /// <summary>$1 now, $2 how many. How many already wait is of interest only where they queue.</summary>
    public const string TakeDue =
        """
        SELECT s.id, s.name, s.cron, s.every, s.time_zone, s.start_at, s.end_at, s.overlap, s.catch_up, s.catch_up_window_seconds, s.jitter_seconds, s.next_at,
            CASE WHEN s.overlap = 'queue' THEN (SELECT count(*)::int FROM schedule_firings f WHERE f.schedule_id = s.id AND f.status = 'pending') ELSE 0 END
        FROM schedules s WHERE s.next_at <= $1 ORDER BY s.next_at LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED
        """;

    /// <summary>A time that has its row already is passed over. $1 now, then columns. Answers the times that had none.</summary>
    public const string Insert =
        """
        INSERT INTO schedule_firings (id, schedule_id, scheduled_at, cause, status, due_at, note, created_at)
        SELECT id, schedule_id, scheduled_at, cause, status, due_at, note, $1
        FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
            AS u(id, schedule_id, scheduled_at, cause, status, due_at, note)
        ON CONFLICT (schedule_id, scheduled_at) DO NOTHING RETURNING scheduled_at
        """;

    /// <summary>$1 schedules, $2 their next times.</summary>
    public const string Advance = "UPDATE schedules s SET next_at = u.next_at FROM unnest($1::uuid[], $2::timestamptz[]) AS u(id, next_at) WHERE s.id = u.id";

    /// <summary>
    /// Notes what has ended of what was begun, as far as something waits for that; what is not there any more has ended too. $1 now, $2 how many wait at most.
    /// </summary>
    public const string Settle =
        """
        UPDATE schedule_firings f SET settled_at = $1
        WHERE f.status = 'started' AND f.settled_at IS NULL
            AND f.schedule_id IN (SELECT schedule_id FROM schedule_firings WHERE status = 'pending' AND due_at <= $1 ORDER BY due_at LIMIT $2)
            AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = f.task_id AND t.status NOT IN ('succeeded', 'failed', 'canceled', 'timedOut'))
            AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = f.run_id AND r.status IN ('pending', 'running', 'paused'))
        """;

    /// <summary>
    /// For this transaction. A plan that was kept from when hardly anything was due reads whole tables for each of the thousands that are due now.
    /// </summary>
    public const string PlanAnew = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)";

    /// <summary>
    /// Firings to be seen to, one of each schedule at a time unless its policy is to let them run side by side; and what of the schedule has not ended yet.
    /// $1 now, $2 until when they are taken, $3 how many.
    /// </summary>
    public const string TakePending =
        """
        UPDATE schedule_firings f SET taken_until = $2
        FROM (
            SELECT f.id FROM schedule_firings f JOIN schedules s ON s.id = f.schedule_id
            WHERE f.status = 'pending' AND f.due_at <= $1 AND (f.taken_until IS NULL OR f.taken_until < $1)
                AND (s.overlap = 'allow' OR NOT EXISTS (
                    SELECT 1 FROM schedule_firings e WHERE e.schedule_id = f.schedule_id AND e.status = 'pending' AND e.scheduled_at < f.scheduled_at))
            ORDER BY f.due_at LIMIT $3 FOR NO KEY UPDATE OF f SKIP LOCKED
        ) taken, schedules s, projects p
        WHERE f.id = taken.id AND s.id = f.schedule_id AND p.id = s.project_id
        RETURNING f.id, f.scheduled_at, f.cause, s.name, s.project_id, p.name, s.overlap, s.time_zone, s.target::text,
            (SELECT a.task_id FROM schedule_firings a WHERE a.schedule_id = s.id AND a.status = 'started' AND a.settled_at IS NULL ORDER BY a.id LIMIT 1),
            (SELECT a.run_id FROM schedule_firings a WHERE a.schedule_id = s.id AND a.status = 'started' AND a.settled_at IS NULL ORDER BY a.id LIMIT 1)
        """;

    /// <summary>$1 now, then columns.</summary>
    public const string Finish =
        """
        UPDATE schedule_firings f SET status = u.status, note = u.note, task_id = u.task_id, run_id = u.run_id, due_at = u.due_at, taken_until = NULL,
            fired_at = CASE WHEN u.status = 'pending' THEN NULL ELSE $1 END
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[]) AS u(id, status, note, task_id, run_id, due_at)
        WHERE f.id = u.id AND f.status = 'pending'
        """;

    /// <summary>When there is something to do next.</summary>
    public const string NextMoment =
        "SELECT least((SELECT min(next_at) FROM schedules WHERE next_at IS NOT NULL), (SELECT min(due_at) FROM schedule_firings WHERE status = 'pending'))";
}
