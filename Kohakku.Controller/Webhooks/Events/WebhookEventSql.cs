namespace Kohakku.Controller.Webhooks.Events;

/// <summary>
/// Each makes a delivery of each event for each webhook that wants it. All take $1 ids of the events (one for each subject), $2 now; from $3 on what they are about.
/// </summary>
internal static class WebhookEventSql
{
    /// <summary>Goes on from <c>events (id, project_id, type, subject, data)</c>; those without a project are everybody's.</summary>
    private const string Deliver =
        """

        INSERT INTO webhook_deliveries (webhook_id, id, type, subject, at, data, status, due_at, tries, attempts)
        SELECT w.id, e.id, e.type, e.subject, $2, e.data, 'pending', $2, 0, '[]'
        FROM webhooks w JOIN events e ON (e.project_id = w.project_id OR e.project_id IS NULL) AND w.events && ARRAY['*', split_part(e.type, '.', 1) || '.*', e.type]
        WHERE w.enabled
        ON CONFLICT DO NOTHING
        """;

    /// <summary>$3 tasks.</summary>
    public const string TasksEnded =
        $"""
        WITH events AS (
            SELECT u.id, t.project_id, 'task.' || t.status AS type, 'tasks/' || t.id AS subject, json_build_object(
                'taskId', t.id, 'title', t.title, 'agent', t.agent_name, 'status', t.status, 'runId', t.run_id, 'tags', t.tags, 'submittedBy', t.submitted_by,
                'attempts', t.attempt_count, 'failure', t.failure, 'costUsd', t.cost_usd, 'createdAt', t.created_at, 'startedAt', t.started_at, 'endedAt', t.ended_at) AS data
            FROM unnest($1::uuid[], $3::uuid[]) AS u(id, task_id) JOIN tasks t ON t.id = u.task_id WHERE t.ended_at IS NOT NULL
        ){Deliver}
        """;

    /// <summary>$3 runs.</summary>
    public const string RunsEnded =
        $"""
        WITH events AS (
            SELECT u.id, r.project_id, 'run.' || r.status AS type, 'runs/' || r.id AS subject, json_build_object(
                'runId', r.id, 'workflow', r.workflow_name, 'version', r.version, 'status', r.status, 'failure', r.failure, 'submittedBy', r.submitted_by,
                'parentRunId', r.parent_run_id, 'createdAt', r.created_at, 'startedAt', r.started_at, 'endedAt', r.ended_at) AS data
            FROM unnest($1::uuid[], $3::uuid[]) AS u(id, run_id) JOIN runs r ON r.id = u.run_id WHERE r.ended_at = $2
        ){Deliver}
        """;

    /// <summary>$3 questions.</summary>
    public const string QuestionsOpened =
        $"""
        WITH events AS (
            SELECT u.id, q.project_id, 'question.opened' AS type, 'questions/' || q.id AS subject, json_build_object(
                'questionId', q.id, 'kind', q.kind, 'prompt', q.prompt, 'choices', q.choices, 'taskId', q.task_id, 'runId', q.run_id, 'stepId', q.step_id,
                'askedAt', q.asked_at, 'expiresAt', q.expires_at) AS data
            FROM unnest($1::uuid[], $3::uuid[]) AS u(id, question_id) JOIN questions q ON q.id = u.question_id WHERE q.closed_at IS NULL
        ){Deliver}
        """;

    /// <summary>$1 one id, $3 project, $4 fingerprint, $5 the id it has if it is new.</summary>
    public const string Failures =
        $"""
        WITH events AS (
            SELECT $1::uuid AS id, g.project_id, CASE WHEN g.id = $5 THEN 'failure.opened' ELSE 'failure.reopened' END AS type, 'failures/' || g.id AS subject, json_build_object(
                'failureId', g.id, 'fingerprint', g.fingerprint, 'title', g.title, 'reason', g.reason, 'kind', g.kind, 'agent', g.agent_name, 'count', g.count, 'tasks', g.tasks,
                'firstSeen', g.first_seen, 'lastSeen', g.last_seen) AS data
            FROM failure_groups g WHERE g.project_id = $3 AND g.fingerprint = $4 AND (g.id = $5 OR g.reopened_at = $2)
        ){Deliver}
        """;

    /// <summary>$1 one id, $3 project, $4 the digest, JSON.</summary>
    public const string Digest =
        $"""
        WITH events AS (SELECT $1::uuid AS id, $3::uuid AS project_id, 'failure.digest' AS type, 'failures' AS subject, $4::json AS data){Deliver}
        """;

    /// <summary>$3 names.</summary>
    public const string Services =
        $"""
        WITH events AS (
            SELECT u.id, NULL::uuid AS project_id, CASE WHEN o.ended_at IS NULL THEN 'service.down' ELSE 'service.recovered' END AS type, 'status' AS subject, json_build_object(
                'service', o.name, 'detail', o.detail, 'beganAt', o.began_at, 'endedAt', o.ended_at) AS data
            FROM unnest($1::uuid[], $3::text[]) AS u(id, name) JOIN outages o ON o.name = u.name
            WHERE o.ended_at = $2 OR o.ended_at IS NULL AND o.began_at = $2
        ){Deliver}
        """;

    /// <summary>$3 dispatchers.</summary>
    public const string Dispatchers =
        $"""
        WITH events AS (
            SELECT u.id, NULL::uuid AS project_id, 'dispatcher.' || d.status AS type, 'dispatchers/' || d.name AS subject, json_build_object(
                'name', d.name, 'status', d.status, 'url', d.url, 'version', d.version, 'lastHeartbeatAt', d.last_heartbeat_at,
                'attempts', (SELECT count(*) FROM attempts a WHERE a.dispatcher_id = d.id AND a.ended_at IS NULL)) AS data
            FROM unnest($1::uuid[], $3::uuid[]) AS u(id, dispatcher_id) JOIN dispatchers d ON d.id = u.dispatcher_id WHERE d.status IN ('unreachable', 'offline')
        ){Deliver}
        """;
}
