namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>How what happens to a run's parts comes to its workflow: rows of <c>run_inbox</c>, sent in batches, one in flight.</summary>
internal static class InboxSql
{
    /// <summary>
    /// For tasks that a run made; in the transaction that ends them. A judge's answer comes along as far as it is a number: the workflow never sees
    /// outputs. $1 ended tasks, $2 now.
    /// </summary>
    public const string NoteEnded =
        """
        WITH ended AS (
            UPDATE run_units u SET
                status = CASE t.status WHEN 'succeeded' THEN 'succeeded' WHEN 'canceled' THEN 'canceled' WHEN 'timedOut' THEN 'timedOut' ELSE 'failed' END,
                failure = left(t.failure->>'message', 500), ended_at = $2
            FROM tasks t
            WHERE t.id = ANY($1) AND t.run_id IS NOT NULL AND u.task_id = t.id AND u.ended_at IS NULL
            RETURNING u.run_id, jsonb_strip_nulls(jsonb_build_object('step', u.step, 'item', u.item, 'attempt', u.attempt, 'part', u.part, 'state', u.status,
                'failure', u.failure,
                'winner', CASE WHEN NOT u.counts AND t.output->>'winner' ~ '^[0-9]{1,4}$' THEN (t.output->>'winner')::int END)) AS payload
        ), noted AS (
            INSERT INTO run_inbox (run_id, kind, payload, created_at) SELECT run_id, 'ended', payload, $2 FROM ended
        )
        INSERT INTO outbox (kind, payload, created_at, due_at, tries)
        SELECT 'run.inbox', jsonb_build_object('runId', run_id), $2, $2, 0 FROM (SELECT DISTINCT run_id FROM ended) AS e
        """;

    /// <summary>$1 run.</summary>
    public const string Lock = "SELECT status, handed_at IS NOT NULL, batch_sent, batch_taken, batch_sent_at FROM runs WHERE id = $1 FOR NO KEY UPDATE";

    /// <summary>$1 run, $2 batch, $3 how many.</summary>
    public const string MakeBatch =
        """
        UPDATE run_inbox SET batch = $2
        WHERE id IN (SELECT id FROM run_inbox WHERE run_id = $1 AND batch IS NULL ORDER BY id LIMIT $3)
        """;

    /// <summary>$1 run, $2 batch.</summary>
    public const string ReadBatch = "SELECT kind, payload::text FROM run_inbox WHERE run_id = $1 AND batch = $2 ORDER BY id";

    /// <summary>$1 run, $2 batch.</summary>
    public const string BatchMade = "UPDATE runs SET batch_sent = $2, batch_sent_at = NULL WHERE id = $1";

    /// <summary>$1 run, $2 batch, $3 now.</summary>
    public const string BatchArrived = "UPDATE runs SET batch_sent_at = $3 WHERE id = $1 AND batch_sent = $2";

    /// <summary>Runs with something for their workflow that has not been taken since. $1 since when, $2 how many.</summary>
    public const string Overlooked =
        """
        SELECT DISTINCT r.id FROM runs r JOIN run_inbox i ON i.run_id = r.id
        WHERE r.status IN ('pending', 'running', 'paused') AND r.handed_at IS NOT NULL AND i.created_at < $1 AND (r.batch_sent_at IS NULL OR r.batch_sent_at < $1) LIMIT $2
        """;

    /// <summary>$1 run.</summary>
    public const string ReadStart =
        """
        SELECT r.status, r.admitted, r.handed_at IS NOT NULL, r.engine, v.canonical FROM runs r
        JOIN workflow_versions v ON v.workflow_id = r.workflow_id AND v.version = r.version WHERE r.id = $1
        """;

    /// <summary>Steps that were taken over from another run. $1 run.</summary>
    public const string ReadReused = "SELECT index, status, items, succeeded, failed, failure FROM run_steps WHERE run_id = $1 AND ended_at IS NOT NULL ORDER BY index";

    /// <summary>$1 run, $2 now.</summary>
    public const string Handed = "UPDATE runs SET handed_at = coalesce(handed_at, $2) WHERE id = $1";

    /// <summary>$1 project, $2 key.</summary>
    public const string LockKey = "SELECT pg_advisory_xact_lock(hashtextextended('kohakku:runs:' || $1::uuid || $2::text, 0))";

    /// <summary>Lets in as many as the key has room for, the oldest first; each by its own limit. $1 project, $2 key, $3 now.</summary>
    public const string Admit =
        """
        WITH held AS (
            SELECT count(*) AS count FROM runs WHERE project_id = $1 AND concurrency_key = $2 AND admitted AND status IN ('pending', 'running', 'paused')
        ), next AS (
            SELECT id, concurrency_limit AS most, row_number() OVER (ORDER BY id) AS place
            FROM runs WHERE project_id = $1 AND concurrency_key = $2 AND NOT admitted AND status = 'pending'
        ), admitted AS (
            UPDATE runs r SET admitted = true FROM held, next n
            WHERE r.id = n.id AND n.place + held.count <= n.most AND r.status = 'pending' AND NOT r.admitted RETURNING r.id
        )
        INSERT INTO outbox (kind, payload, created_at, due_at, tries)
        SELECT 'run.start', jsonb_build_object('runId', id), $3, $3, 0 FROM admitted
        """;

    /// <summary>What still runs of canceled steps. $1 run, $2 steps.</summary>
    public const string Running =
        """
        SELECT u.task_id, u.child_run_id FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN runs c ON c.id = u.child_run_id
        WHERE u.run_id = $1 AND u.step = ANY($2)
            AND (t.status IN ('scheduled', 'queued', 'running', 'waiting') OR c.status IN ('pending', 'running', 'paused'))
        """;
}
