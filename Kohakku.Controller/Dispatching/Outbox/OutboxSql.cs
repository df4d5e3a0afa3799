namespace Kohakku.Controller.Dispatching.Outbox;

internal static class OutboxSql
{
    /// <summary>$1 now, $2 how many, $3 those of runs, or the others.</summary>
    public const string Take =
        "SELECT id, kind, task_id, payload::text, tries FROM outbox WHERE due_at <= $1 AND starts_with(kind, 'run.') = $3 ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED";

    /// <summary>$1 id, $2 when again, $3 why.</summary>
    public const string Postpone = "UPDATE outbox SET tries = tries + 1, due_at = $2, last_error = $3 WHERE id = $1";

    /// <summary>$1 ids.</summary>
    public const string Delete = "DELETE FROM outbox WHERE id = ANY($1)";

    /// <summary>
    /// The tasks that wait for a task, and how all that each needs stand: true all succeeded, false one ended otherwise (which, and how), null some
    /// have not ended. $1 the task.
    /// </summary>
    public const string Dependents =
        """
        SELECT d.id,
            CASE WHEN bool_or(n.status IN ('failed', 'canceled', 'timedOut')) THEN false WHEN bool_and(n.status = 'succeeded') THEN true END,
            (array_agg(n.id ORDER BY n.id) FILTER (WHERE n.status IN ('failed', 'canceled', 'timedOut')))[1],
            (array_agg(n.status ORDER BY n.id) FILTER (WHERE n.status IN ('failed', 'canceled', 'timedOut')))[1]
        FROM tasks d JOIN tasks n ON n.id = ANY(d.needs)
        WHERE d.status = 'scheduled' AND d.needs @> ARRAY[$1] GROUP BY d.id
        """;

    /// <summary>Under this lock, until the transaction ends, nobody else decides whose turn it is. Submit takes the same. $1 project, $2 key.</summary>
    public const string LockKey = "SELECT pg_advisory_xact_lock(hashtextextended('kohakku:concurrency:' || $1::uuid || $2::text, 0))";

    /// <summary>Lets in as many as the key has room for, in the queue's order; each by its own limit. $1 project, $2 key.</summary>
    public const string GiveTurns =
        """
        WITH held AS (
            SELECT count(*) AS count FROM tasks
            WHERE project_id = $1 AND concurrency_key = $2 AND (status IN ('running', 'waiting') OR status = 'queued' AND claimable)
        ), next AS (
            SELECT id, coalesce(concurrency_limit, 1) AS most, row_number() OVER (ORDER BY priority DESC, queued_at, id) AS place
            FROM tasks WHERE project_id = $1 AND concurrency_key = $2 AND status = 'queued' AND NOT claimable
        )
        UPDATE tasks t SET claimable = true FROM held, next n
        WHERE t.id = n.id AND n.place + held.count <= n.most AND t.status = 'queued' AND NOT t.claimable
        RETURNING t.id
        """;
}
