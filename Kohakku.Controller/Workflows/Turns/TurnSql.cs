namespace Kohakku.Controller.Workflows.Turns;

/// <summary>
/// What a turn reads and writes. Lock order: the run, then questions; tasks are only made here, never locked, so that a turn and the ends of a run's tasks
/// don't wait for each other.
/// </summary>
internal static class TurnSql
{
    /// <summary>$1 run.</summary>
    public const string Lock =
        """
        SELECT project_id, workflow_name, status, turn_sequence, turn_result::text, event_sequence, concurrency_key, parent_run_id, parent_step, parent_item,
            parent_attempt, depth, incarnation
        FROM runs WHERE id = $1 FOR NO KEY UPDATE
        """;

    /// <summary>Which of these units are there. $1 run, $2 steps, $3 items, $4 attempts, $5 parts.</summary>
    public const string KnownUnits =
        """
        SELECT u.step, u.item, u.attempt, u.part FROM run_units u
        JOIN unnest($2::int[], $3::int[], $4::int[], $5::int[]) AS k(step, item, attempt, part)
            ON u.step = k.step AND u.item = k.item AND u.attempt = k.attempt AND u.part = k.part
        WHERE u.run_id = $1
        """;

    /// <summary>Closes approvals whose time is over, unless a person was faster. $1 run, $2 steps (ids), $3 now.</summary>
    public const string Expire =
        """
        UPDATE questions SET closed_at = $3, answered_at = $3, answer = expires_as, answered_by = 'its time-out', comment = 'nobody decided in time'
        WHERE run_id = $1 AND step_id = ANY($2) AND closed_at IS NULL
        """;

    /// <summary>$1 run, $2 steps (ids).</summary>
    public const string Decisions = "SELECT step_id, answer, comment FROM questions WHERE run_id = $1 AND step_id = ANY($2) AND answer IS NOT NULL";

    public const string InsertUnits =
        """
        INSERT INTO run_units (run_id, step, item, attempt, part, status, task_id, child_run_id, question_id, counts, due_at, created_at)
        SELECT $1, step, item, attempt, part, status, task_id, child_run_id, question_id, counts, due_at, $2
        FROM unnest($3::int[], $4::int[], $5::int[], $6::int[], $7::text[], $8::uuid[], $9::uuid[], $10::uuid[], $11::bool[], $12::timestamptz[])
            AS u(step, item, attempt, part, status, task_id, child_run_id, question_id, counts, due_at)
        ON CONFLICT DO NOTHING
        """;

    public const string InsertQuestions =
        """
        INSERT INTO questions (id, project_id, run_id, step_id, kind, prompt, choices, asked_at, expires_at, expires_as)
        SELECT id, $1, $2, step_id, 'approval', prompt, ARRAY['approve', 'reject'], $3, expires_at, expires_as
        FROM unnest($4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::text[]) AS u(id, step_id, prompt, expires_at, expires_as)
        """;

    /// <summary>What a step's <c>if</c> and <c>for_each</c> gave is kept as it was first. $1 run, $2 steps, $3 counts, $4 arrays.</summary>
    public const string OpenSteps =
        """
        UPDATE run_steps s SET items = u.items, elements = u.elements::json
        FROM unnest($2::int[], $3::int[], $4::text[]) AS u(index, items, elements) WHERE s.run_id = $1 AND s.index = u.index AND s.items < 0
        """;

    public const string UpdateSteps =
        """
        UPDATE run_steps s SET status = u.status, items = greatest(s.items, u.items), succeeded = u.succeeded, failed = u.failed, failure = u.failure,
            started_at = CASE WHEN u.status IN ('pending', 'skipped') THEN s.started_at ELSE coalesce(s.started_at, $2) END,
            ended_at = CASE WHEN u.status IN ('pending', 'running', 'waiting') THEN NULL ELSE coalesce(s.ended_at, $2) END
        FROM unnest($3::int[], $4::text[], $5::int[], $6::int[], $7::int[], $8::text[]) AS u(index, status, items, succeeded, failed, failure)
        WHERE s.run_id = $1 AND s.index = u.index
        """;

    /// <summary>
    /// Units that ended, by the interpreter's word. One that never began has no row: it gets one. With a winner it is that part which counts; a signal's
    /// body and a person's decision are the unit's output.
    /// </summary>
    public const string EndUnits =
        """
        WITH ended AS (
            SELECT * FROM unnest($3::int[], $4::int[], $5::int[], $6::text[], $7::text[], $8::int[], $9::uuid[])
                AS u(step, item, attempt, status, failure, winner, signal)
        ), taken AS (
            UPDATE run_signals s SET taken_at = $2 FROM ended e WHERE s.run_id = $1 AND s.id = e.signal
        )
        INSERT INTO run_units AS u (run_id, step, item, attempt, part, status, failure, counts, output, created_at, ended_at)
        SELECT $1, e.step, e.item, e.attempt, coalesce(e.winner, 0), e.status, e.failure, true, s.body, $2, $2
        FROM ended e LEFT JOIN run_signals s ON s.run_id = $1 AND s.id = e.signal
        ON CONFLICT (run_id, step, item, attempt, part) DO UPDATE SET
            status = excluded.status, failure = excluded.failure, counts = true, ended_at = $2,
            output = coalesce(excluded.output, u.output, (
                SELECT json_build_object('decision', q.answer, 'comment', q.comment, 'by', q.answered_by, 'at', q.answered_at)
                FROM questions q WHERE q.id = u.question_id AND q.answer IS NOT NULL))
        """;

    /// <summary>Nothing of these steps runs any more; their tasks and child runs are canceled by the outbox. $1 run, $2 steps, $3 now.</summary>
    public const string CancelUnits =
        "UPDATE run_units SET status = 'canceled', ended_at = $3 WHERE run_id = $1 AND step = ANY($2) AND status IN ('running', 'waiting')";

    /// <summary>$1 run, $2 step ids, $3 now.</summary>
    public const string CloseQuestions = "UPDATE questions SET closed_at = $3 WHERE run_id = $1 AND step_id = ANY($2) AND closed_at IS NULL";

    public const string InsertEvents =
        """
        INSERT INTO run_events (run_id, id, at, type, step_id, data)
        SELECT $1, id, $2, type, step_id, data::jsonb FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) AS u(id, type, step_id, data)
        """;

    /// <summary>$1 run, $2 now, $3 sequence, $4 result, $5 status or null, $6 failure, $7 outputs, $8 whether it is final, $9 newest event, $10 batch taken.</summary>
    public const string UpdateRun =
        """
        UPDATE runs SET turn_sequence = $3, turn_result = $4::jsonb, status = coalesce($5, status), failure = coalesce($6, failure), outputs = coalesce($7::json, outputs),
            started_at = coalesce(started_at, $2), ended_at = CASE WHEN $8 THEN $2 END, event_sequence = $9, batch_taken = greatest(batch_taken, $10)
        WHERE id = $1
        """;

    /// <summary>$1 run, $2 batch.</summary>
    public const string DropTaken = "DELETE FROM run_inbox WHERE run_id = $1 AND batch <= $2";

    public const string DropInbox = "DELETE FROM run_inbox WHERE run_id = $1";

    /// <summary>$1 run, $2 payload, $3 now.</summary>
    public const string TellParent = "INSERT INTO run_inbox (run_id, kind, payload, created_at) VALUES ($1, 'ended', $2::jsonb, $3)";

    /// <summary>$1 kind, $2 payload, $3 now.</summary>
    public const string Enqueue = "INSERT INTO outbox (kind, payload, created_at, due_at, tries) VALUES ($1, $2::jsonb, $3, $3, 0)";

    /// <summary>Only where something is left for the workflow. $1 run, $2 now.</summary>
    public const string EnqueueRest =
        """
        INSERT INTO outbox (kind, payload, created_at, due_at, tries)
        SELECT 'run.inbox', jsonb_build_object('runId', $1::uuid), $2, $2, 0 WHERE EXISTS (SELECT 1 FROM run_inbox WHERE run_id = $1 AND batch IS NULL)
        """;

    /// <summary>$1 run, $2 unit's step, item and attempt ($3, $4), $5 output.</summary>
    public const string KeepOutput =
        "UPDATE run_units SET output = $5::json WHERE run_id = $1 AND step = $2 AND item = $3 AND attempt = $4 AND part = 0";

    /// <summary>$1 run.</summary>
    public const string Document =
        """
        SELECT r.workflow_name, r.version, v.canonical, r.inputs, coalesce(r.handed_at, r.started_at, r.created_at)
        FROM runs r JOIN workflow_versions v ON v.workflow_id = r.workflow_id AND v.version = r.version WHERE r.id = $1
        """;

    /// <summary>$1 run.</summary>
    public const string Answered = "SELECT turn_sequence, turn_result::text FROM runs WHERE id = $1";

    /// <summary>$1 run, $2 steps.</summary>
    public const string StepValues =
        "SELECT index, status, fans_out, items, succeeded, failed FROM run_steps WHERE run_id = $1 AND index = ANY($2) ORDER BY index";

    /// <summary>The outputs of steps' items, the newest attempt's that succeeded and counts. $1 run, $2 steps.</summary>
    public const string Outputs =
        """
        SELECT DISTINCT ON (u.step, u.item) u.step, u.item, coalesce(u.output, t.output::json, c.outputs)::text
        FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id LEFT JOIN runs c ON c.id = u.child_run_id
        WHERE u.run_id = $1 AND u.step = ANY($2) AND u.counts AND u.status = 'succeeded'
        ORDER BY u.step, u.item, u.attempt DESC
        """;

    /// <summary>$1 run, $2 steps.</summary>
    public const string Items = "SELECT index, items, elements::text FROM run_steps WHERE run_id = $1 AND index = ANY($2) AND items >= 0 AND status <> 'skipped'";

    /// <summary>$1 run, $2 step, $3 item, $4 attempt.</summary>
    public const string Candidates =
        """
        SELECT u.part, CASE WHEN t.status = 'succeeded' THEN t.output::text END FROM run_units u LEFT JOIN tasks t ON t.id = u.task_id
        WHERE u.run_id = $1 AND u.step = $2 AND u.item = $3 AND u.attempt = $4 ORDER BY u.part
        """;
}
