namespace Kohakku.Controller.Status;

/// <summary>
/// Work that is in a state for longer than that takes when all is well. Each answers: kind, id, title, state, since, why (null where the labels tell, which come last).
/// All take $1 project, $2 now, $3 how many. They are asked when somebody looks, and find by indexes of what has not ended.
/// </summary>
internal static class StuckSql
{
    public static readonly IReadOnlyList<string> All =
    [
        // Queued, and nobody claims it.
        """
        SELECT 'task', id, title, status, queued_at, NULL, labels::text FROM tasks
        WHERE project_id = $1 AND status = 'queued' AND claimable AND queued_at < $2 - interval '5 minutes' ORDER BY queued_at LIMIT $3
        """,
        // Told to stop, and it has not.
        """
        SELECT 'task', id, title, status, cancel_requested_at, 'It was told to stop and has not: its dispatcher may be away; when its lease has run out it ends.', NULL FROM tasks
        WHERE project_id = $1 AND status IN ('running', 'waiting') AND cancel_requested_at < $2 - interval '2 minutes' ORDER BY cancel_requested_at LIMIT $3
        """,
        // Past its time.
        """
        SELECT 'task', id, title, status, started_at, format('It runs longer than its timeout of %s s: its dispatcher should have ended it. Cancel it, or look at the dispatcher''s log.', timeout_seconds), NULL
        FROM tasks WHERE project_id = $1 AND status IN ('running', 'waiting') AND cancel_requested_at IS NULL
            AND started_at + make_interval(secs => timeout_seconds + 120) < $2 ORDER BY started_at LIMIT $3
        """,
        // Between claim and run.
        """
        SELECT 'task', t.id, t.title, a.status, a.claimed_at,
            CASE a.status WHEN 'pulling' THEN format('Dispatcher %s has been pulling its image for long: is the registry slow, or the image large?', a.dispatcher_name)
                ELSE format('Dispatcher %s has not got it to run: is its engine well?', a.dispatcher_name) END, NULL
        FROM attempts a JOIN tasks t ON t.id = a.task_id
        WHERE a.ended_at IS NULL AND t.project_id = $1 AND (a.status IN ('claimed', 'starting') AND a.claimed_at < $2 - interval '5 minutes' OR a.status = 'pulling' AND a.claimed_at < $2 - interval '30 minutes')
        ORDER BY a.claimed_at LIMIT $3
        """,
        // Not taken by Temporal.
        """
        SELECT 'run', id, workflow_name, status, created_at, 'Temporal has not taken it: can it be reached?', NULL FROM runs
        WHERE project_id = $1 AND status = 'pending' AND admitted AND handed_at IS NULL AND created_at < $2 - interval '2 minutes' ORDER BY created_at LIMIT $3
        """,
        // Not heard by its workflow.
        """
        SELECT DISTINCT ON (r.id) 'run', r.id, r.workflow_name, r.status, i.created_at, 'Something happened that its workflow has not heard of: does a temporal-worker run?', NULL
        FROM runs r JOIN run_inbox i ON i.run_id = r.id
        WHERE r.project_id = $1 AND r.status IN ('pending', 'running', 'paused') AND r.handed_at IS NOT NULL AND i.created_at < $2 - interval '2 minutes' ORDER BY r.id, i.created_at LIMIT $3
        """,
        // Due, and no scheduler takes it.
        """
        SELECT 'schedule', NULL::uuid, s.name, f.status, f.due_at, 'It is due and no scheduler has seen to it: does one run?', NULL
        FROM schedule_firings f JOIN schedules s ON s.id = f.schedule_id
        WHERE s.project_id = $1 AND f.status = 'pending' AND f.due_at < $2 - interval '2 minutes' ORDER BY f.due_at LIMIT $3
        """,
        // Messages of the outbox are of no project; whoever looks may know what is wrong.
        """
        SELECT 'message', NULL::uuid, kind, format('%s tries', tries), created_at, coalesce(left(last_error, 500), 'It could not be delivered.'), NULL
        FROM outbox WHERE $1::uuid IS NOT NULL AND tries >= 5 AND created_at < $2 - interval '1 minute' ORDER BY created_at LIMIT $3
        """,
    ];
}
