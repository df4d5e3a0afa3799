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
        SELECT r.status, r.admitted, r.handed_at IS NOT NULL, r.engine, v.canonical, r.incarnation, r.turn_sequence, r.batch_taken, r.started_at FROM runs r
        JOIN workflow_versions v ON v.workflow_id = r.workflow_id AND v.version = r.version WHERE r.id = $1
        FOR NO KEY UPDATE OF r
        """;

    /// <summary>Steps that were taken over from another run. $1 run.</summary>
    public const string ReadReused = "SELECT index, status, items, succeeded, failed, failure FROM run_steps WHERE run_id = $1 AND ended_at IS NOT NULL ORDER BY index";

    /// <summary>$1 run.</summary>
    public const string NextIncarnation = "UPDATE runs SET incarnation = incarnation + 1 WHERE id = $1";

    /// <summary>$1 run.</summary>
    public const string ReadSteps = "SELECT status, items, succeeded, failed, failure, started_at, ended_at FROM run_steps WHERE run_id = $1 ORDER BY index";

    /// <summary>A judge's answer is its task's, as <see cref="NoteEnded"/> takes it. $1 run.</summary>
    public const string ReadUnits =
        """
        SELECT u.step, u.item, u.attempt, u.part, u.status, u.counts, u.failure,
            CASE WHEN NOT u.counts AND t.output->>'winner' ~ '^[0-9]{1,4}$' THEN (t.output->>'winner')::int END, coalesce(u.due_at, q.expires_at), u.created_at
        FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN questions q ON q.id = u.question_id
        WHERE u.run_id = $1 ORDER BY u.step, u.item, u.attempt, u.part
        """;

    /// <summary>$1 run.</summary>
    public const string ReadSignals = "SELECT name, id FROM run_signals WHERE run_id = $1 AND taken_at IS NULL ORDER BY received_at, id";

    /// <summary>
    /// Open runs are to be given to Temporal anew, all turns of their workflows from before are refused from here on, and what those have not taken is to be told
    /// again. Runs that wait for their turn by a concurrency key are given when it comes. $1 now.
    /// </summary>
    public const string Reconcile =
        """
        WITH given AS (
            UPDATE runs SET incarnation = incarnation + 1, handed_at = NULL, batch_sent = batch_taken, batch_sent_at = NULL
            WHERE status IN ('pending', 'running', 'paused') RETURNING id, admitted
        ), untold AS (
            UPDATE run_inbox i SET batch = NULL FROM given WHERE i.run_id = given.id
        ), before AS (
            DELETE FROM outbox WHERE kind IN ('run.start', 'run.orphans')
        ), messages AS (
            INSERT INTO outbox (kind, payload, created_at, due_at, tries)
            SELECT 'run.start', jsonb_build_object('runId', id), $1, $1, 0 FROM given WHERE admitted
            UNION ALL
            SELECT 'run.orphans', NULL, $1, $1, 0
        )
        SELECT count(*)::int FROM given
        """;

    /// <summary>Which of these are open, or have ended only just now. $1 runs, $2 since when.</summary>
    public const string Open = "SELECT id FROM runs WHERE id = ANY($1) AND (ended_at IS NULL OR ended_at > $2)";

    /// <summary>$1 run, $2 now.</summary>
    public const string Handed = "UPDATE runs SET handed_at = coalesce(handed_at, started_at, $2) WHERE id = $1";

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
