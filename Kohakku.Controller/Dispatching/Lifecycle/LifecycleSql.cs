namespace Kohakku.Controller.Dispatching.Lifecycle;

/// <summary>
/// How tasks are locked and written back. Everything that changes a task after its submit goes through here, but for the claim.
/// Lock order, against deadlocks: tasks by id, then attempts by id. NO KEY UPDATE, so that rows that refer to a task
/// (events, artifacts) can be added by others meanwhile.
/// </summary>
internal static class LifecycleSql
{
    private const string TaskColumns =
        """
        t.id, t.project_id, t.status, t.generation, t.max_attempts, t.on_lost, t.concurrency_key, t.not_before, t.trace_parent,
        t.claimable, t.due_at, t.queued_at, t.current_attempt_id, t.agent_failures, t.infrastructure_faults, t.unstarted_claims,
        t.cancel_requested_at, t.event_sequence, t.input_tokens, t.output_tokens, t.cost_usd, t.started_at, t.ended_at, t.run_id, t.output_schema, t.expires_at
        """;

    // The lease is looked at by the database's clock, and by its hands now, not as the transaction began: the lock may have been waited for.
    private const string AttemptColumns =
        """
        a.id, a.task_id, a.number, a.status, a.dispatcher_id, a.dispatcher_name, a.claimed_at, a.applied_sequence, a.runtime_id, a.stop_reason,
        a.reason, a.exit_code, a.message, a.log_tail, a.started_at, a.ended_at, a.lease_until < clock_timestamp() AS lease_expired
        """;

    /// <summary>$1 task ids.</summary>
    public const string LockTasks = $"SELECT {TaskColumns} FROM tasks t WHERE t.id = ANY($1) ORDER BY t.id FOR NO KEY UPDATE";

    /// <summary>$1 task ids. Leaves out those that another holds: for loops, which come again.</summary>
    public const string LockFreeTasks = $"{LockTasks} SKIP LOCKED";

    /// <summary>$1 task ids, locked before.</summary>
    public const string LockCurrentAttempts =
        $"""
        SELECT {AttemptColumns} FROM attempts a
        WHERE a.id IN (SELECT t.current_attempt_id FROM tasks t WHERE t.id = ANY($1)) ORDER BY a.id FOR NO KEY UPDATE
        """;

    /// <summary>$1 attempt ids.</summary>
    public const string LockTasksOfAttempts =
        $"""
        SELECT {TaskColumns} FROM tasks t
        WHERE t.id IN (SELECT a.task_id FROM attempts a WHERE a.id = ANY($1)) ORDER BY t.id FOR NO KEY UPDATE
        """;

    /// <summary>$1 attempt ids, their tasks locked before.</summary>
    public const string LockAttempts = $"SELECT {AttemptColumns} FROM attempts a WHERE a.id = ANY($1) ORDER BY a.id FOR NO KEY UPDATE";

    /// <summary>$1 session. No row: it is not known, or a newer one took its place.</summary>
    public const string DispatcherOfSession = "SELECT id FROM dispatchers WHERE session = $1";

    /// <summary>$1 task ids.</summary>
    public const string OpenQuestions =
        "SELECT id, task_id, attempt_id, kind, choices, expires_at FROM questions WHERE task_id = ANY($1) AND closed_at IS NULL ORDER BY id";

    public const string UpdateTasks =
        """
        UPDATE tasks t SET
            status = u.status, generation = u.generation, claimable = u.claimable, due_at = u.due_at, queued_at = u.queued_at,
            current_attempt_id = u.current_attempt_id, agent_failures = u.agent_failures, infrastructure_faults = u.infrastructure_faults,
            unstarted_claims = u.unstarted_claims, cancel_requested_at = u.cancel_requested_at, event_sequence = u.event_sequence,
            input_tokens = u.input_tokens, output_tokens = u.output_tokens, cost_usd = u.cost_usd, started_at = u.started_at, ended_at = u.ended_at,
            output = CASE WHEN u.new_outcome THEN u.output::jsonb ELSE t.output END,
            failure = CASE WHEN u.new_outcome THEN u.failure::jsonb ELSE t.failure END
        FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[], $6::timestamptz[], $7::uuid[], $8::int[], $9::int[], $10::int[],
                    $11::timestamptz[], $12::bigint[], $13::bigint[], $14::bigint[], $15::numeric[], $16::timestamptz[], $17::timestamptz[],
                    $18::bool[], $19::text[], $20::text[])
            AS u(id, status, generation, claimable, due_at, queued_at, current_attempt_id, agent_failures, infrastructure_faults, unstarted_claims,
                 cancel_requested_at, event_sequence, input_tokens, output_tokens, cost_usd, started_at, ended_at, new_outcome, output, failure)
        WHERE t.id = u.id
        """;

    public const string UpdateAttempts =
        """
        UPDATE attempts a SET
            status = u.status, applied_sequence = u.applied_sequence, runtime_id = u.runtime_id, stop_reason = u.stop_reason, reason = u.reason,
            exit_code = u.exit_code, message = u.message, log_tail = u.log_tail, started_at = u.started_at, ended_at = u.ended_at
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
            AS u(id, status, applied_sequence, runtime_id, stop_reason, reason, exit_code, message, log_tail, started_at, ended_at)
        WHERE a.id = u.id
        """;

    public const string InsertTimeline =
        """
        INSERT INTO task_events (task_id, id, at, type, attempt, data)
        SELECT task_id, id, at, type, attempt, data::jsonb
        FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::text[], $5::int[], $6::text[]) AS u(task_id, id, at, type, attempt, data)
        """;

    // Choices as one JSON list each: an array of arrays would have to be rectangular.
    public const string InsertQuestions =
        """
        INSERT INTO questions (id, project_id, task_id, attempt_id, kind, prompt, choices, asked_at, expires_at)
        SELECT id, project_id, task_id, attempt_id, kind, prompt, ARRAY(SELECT jsonb_array_elements_text(choices::jsonb)), asked_at, expires_at
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[])
            AS u(id, project_id, task_id, attempt_id, kind, prompt, choices, asked_at, expires_at)
        ON CONFLICT (id) DO NOTHING
        """;

    public const string CloseQuestions =
        """
        UPDATE questions q SET answer = u.answer, answered_by = u.answered_by, closed_at = u.at, answered_at = CASE WHEN u.answer IS NULL THEN NULL ELSE u.at END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS u(id, answer, answered_by, at)
        WHERE q.id = u.id AND q.closed_at IS NULL
        """;

    public const string CloseQuestionsOfTasks =
        """
        UPDATE questions q SET closed_at = u.at FROM unnest($1::uuid[], $2::timestamptz[]) AS u(task_id, at)
        WHERE q.task_id = u.task_id AND q.closed_at IS NULL
        """;

    public const string InsertMessages =
        """
        INSERT INTO attempt_messages (id, attempt_id, kind, body, created_at, times_sent)
        SELECT id, attempt_id, kind, body, at, 0
        FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS u(id, attempt_id, kind, body, at)
        ON CONFLICT (id) DO NOTHING
        """;

    // One row per path: the same path in one batch twice would be refused by ON CONFLICT.
    public const string UpsertArtifacts =
        """
        INSERT INTO artifacts (task_id, attempt, path, size, sha256, content_type, created_at)
        SELECT DISTINCT ON (task_id, attempt, path) task_id, attempt, path, size, sha256, content_type, at
        FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[])
            WITH ORDINALITY AS u(task_id, attempt, path, size, sha256, content_type, at, place)
        ORDER BY task_id, attempt, path, place DESC
        ON CONFLICT (task_id, attempt, path) DO UPDATE
            SET size = excluded.size, sha256 = excluded.sha256, content_type = excluded.content_type, created_at = excluded.created_at
        """;

    /// <summary>Only for tasks that others need; most have none. $1 ids of ended tasks, $2 now.</summary>
    public const string EnqueueNeeds =
        """
        INSERT INTO outbox (kind, task_id, created_at, due_at, tries)
        SELECT 'needs', e.id, $2, $2, 0 FROM unnest($1::uuid[]) AS e(id)
        WHERE EXISTS (SELECT 1 FROM tasks d WHERE d.status = 'scheduled' AND d.needs @> ARRAY[e.id])
        """;

    /// <summary>$1 project ids, $2 keys, $3 now.</summary>
    public const string EnqueueTurns =
        """
        INSERT INTO outbox (kind, payload, created_at, due_at, tries)
        SELECT 'turn', jsonb_build_object('projectId', u.project_id, 'key', u.key), $3, $3, 0
        FROM (SELECT DISTINCT project_id, key FROM unnest($1::uuid[], $2::text[]) AS u(project_id, key)) u
        """;

    /// <summary>One message for all that failed in a transaction: many do at once where a dispatcher was lost. $1 attempt ids, $2 now.</summary>
    public const string EnqueueFailures =
        "INSERT INTO outbox (kind, payload, created_at, due_at, tries) VALUES ('failure', jsonb_build_object('attemptIds', to_jsonb($1::uuid[])), $2, $2, 0)";
}
