namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>
/// The claim. Its cost does not grow with the queue: every step is a range of <c>ix_tasks_queue</c> read from its beginning.
/// A lane is the tasks of one project with the same labels; lanes whose labels the dispatcher lacks cost one step, however full they are.
/// </summary>
internal static class ClaimSql
{
    /// <summary>
    /// For this transaction only. The plan of <see cref="Claim"/> is right at any size, and must not be decided anew by what the statistics
    /// say of a queue that grew a moment ago: no sequential scans or sorts of the queue, one plan for all parameters, nothing compiled.
    /// </summary>
    public const string Plan =
        """
        SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
            set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
            set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true)
        """;

    /// <summary>One claim of a request at a time: its repeat may come while the first still runs. $1 request id.</summary>
    public const string Serialise = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))";

    /// <summary>$1 dispatcher id, $2 request id.</summary>
    public const string Claimer =
        """
        SELECT d.session, d.draining OR d.superseded_by IS NOT NULL, d.name, EXISTS (SELECT 1 FROM attempts a WHERE a.request_id = $2), clock_timestamp()
        FROM dispatchers d WHERE d.id = $1
        """;

    // lanes    steps through the lanes that have anything to claim, one look at the index each
    // heads    the first of each lane that fits, as many as there are slots, still unlocked
    // shares   how many each lane gets: priority first, then every project in turn, the one served longest ago first, then age
    // picked   locks exactly those, leaving out what another claims at this moment
    // claimed, made, noted   what a claim writes: the task, its attempt, the timeline
    /// <summary>
    /// $1 dispatcher id, $2 session, $3 request id, $4 slots, $5 ids for the attempts (as many as slots), $6 projects, the one served
    /// longest ago first (those not named come before), $7 lease in seconds, $8 only these tasks (null: any), $9 now. Answers at least
    /// one row, which tells whether anything fitted; its task is null where nothing was taken.
    /// </summary>
    public const string Claim =
        $"""
        WITH RECURSIVE me AS MATERIALIZED (
            SELECT d.id, d.name, d.labels FROM dispatchers d
            WHERE d.id = $1 AND d.session = $2 AND NOT d.draining AND d.superseded_by IS NULL
                AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.request_id = $3)
        ), lanes AS (
            (SELECT t.project_id, t.lane, t.labels FROM me, LATERAL (
                SELECT project_id, lane, labels FROM tasks WHERE status = 'queued' AND claimable ORDER BY project_id, lane LIMIT 1) t)
            UNION ALL
            SELECT t.project_id, t.lane, t.labels FROM lanes l, LATERAL (
                SELECT project_id, lane, labels FROM tasks
                WHERE status = 'queued' AND claimable AND (project_id, lane) > (l.project_id, l.lane) ORDER BY project_id, lane LIMIT 1) t
        ), heads AS (
            SELECT l.project_id, l.lane, h.priority, h.queued_at, h.id
            FROM lanes l, me, LATERAL (
                SELECT t.id, t.priority, t.queued_at FROM tasks t
                WHERE t.project_id = l.project_id AND t.lane = l.lane AND t.status = 'queued' AND t.claimable
                    AND ($8::uuid[] IS NULL OR t.id = ANY($8))
                ORDER BY t.priority DESC, t.queued_at, t.id LIMIT $4) h
            WHERE l.labels <@ me.labels
        ), shares AS (
            SELECT project_id, lane, count(*) AS share FROM (
                SELECT h.project_id, h.lane FROM (
                    SELECT *, row_number() OVER (PARTITION BY project_id ORDER BY priority DESC, queued_at, id) AS place FROM heads) h
                ORDER BY h.priority DESC, h.place, array_position($6::uuid[], h.project_id) NULLS FIRST, h.queued_at, h.id LIMIT $4) taken
            GROUP BY project_id, lane
        ), picked AS MATERIALIZED (
            SELECT p.id, p.labels, row_number() OVER () AS place
            FROM shares s, LATERAL (
                SELECT t.id, t.labels FROM tasks t
                WHERE t.project_id = s.project_id AND t.lane = s.lane AND t.status = 'queued' AND t.claimable
                    AND ($8::uuid[] IS NULL OR t.id = ANY($8))
                ORDER BY t.priority DESC, t.queued_at, t.id LIMIT s.share FOR NO KEY UPDATE SKIP LOCKED) p
        ), claimed AS (
            UPDATE tasks t SET
                status = 'running', current_attempt_id = ($5::uuid[])[p.place], attempt_count = t.attempt_count + 1, event_sequence = t.event_sequence + 1
            FROM picked p, me WHERE t.id = p.id AND p.labels <@ me.labels
            RETURNING t.id, t.current_attempt_id AS attempt_id, t.attempt_count AS number, t.generation, t.event_sequence, t.queued_at,
                t.project_id, t.agent_id, t.title, t.brief, t.inputs, t.inputs_stored, t.skills, t.env, t.network, t.resources, t.timeout_seconds,
                t.trace_parent, t.priority
        ), made AS (
            INSERT INTO attempts (id, task_id, number, generation, status, dispatcher_id, dispatcher_name, request_id, lease_until, applied_sequence, claimed_at)
            SELECT c.attempt_id, c.id, c.number, c.generation, 'claimed', me.id, me.name, $3, clock_timestamp() + make_interval(secs => $7), 0, $9
            FROM claimed c, me
        ), noted AS (
            INSERT INTO task_events (task_id, id, at, type, attempt, data)
            SELECT c.id, c.event_sequence, $9, 'attempt.claimed', c.number, jsonb_build_object('dispatcher', me.name) FROM claimed c, me
        )
        SELECT {OrderColumns}, seen.any_fits
        FROM (SELECT EXISTS (SELECT 1 FROM heads) AS any_fits) seen LEFT JOIN claimed c ON true LEFT JOIN agents a ON a.id = c.agent_id
        ORDER BY c.priority DESC, c.queued_at, c.id
        """;

    /// <summary>The orders that a request got before, as far as they are still to be run; their leases begin anew. $1 dispatcher id, $2 request id, $3 lease in seconds.</summary>
    public const string Repeat =
        $"""
        WITH held AS (
            UPDATE attempts SET lease_until = clock_timestamp() + make_interval(secs => $3)
            WHERE request_id = $2 AND dispatcher_id = $1 AND ended_at IS NULL RETURNING id AS attempt_id, task_id, number
        ), c AS (
            SELECT t.id, h.attempt_id, h.number, t.queued_at, t.project_id, t.agent_id, t.title, t.brief, t.inputs, t.inputs_stored, t.skills, t.env,
                t.network, t.resources, t.timeout_seconds, t.trace_parent, t.priority
            FROM held h JOIN tasks t ON t.id = h.task_id
        )
        SELECT {OrderColumns}, true FROM c JOIN agents a ON a.id = c.agent_id
        ORDER BY c.priority DESC, c.queued_at, c.id
        """;

    private const string OrderColumns =
        """
        c.id, c.attempt_id, c.number, c.queued_at, c.project_id, c.title, c.brief, c.inputs::text, c.inputs_stored, c.skills::text, c.env::text,
        c.network::text, c.resources::text, c.timeout_seconds, c.trace_parent,
        a.name, a.mode, a.image, a.command, a.env::text, a.pull_policy, a.network::text, a.resources::text, a.heartbeat_timeout_seconds
        """;
}
