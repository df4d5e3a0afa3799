namespace Kohakku.Controller.Webhooks.Sending;

internal static class SendingSql
{
    /// <summary>
    /// Takes what is due, a few of each webhook, so that one with a long queue leaves room for the others. What is taken is due again when its time in hand is over:
    /// a sender that died has it no longer. $1 now, $2 how many of each, $3 webhooks to leave out, $4 how many in all, $5 until when in hand.
    /// </summary>
    public const string Take =
        """
        WITH due AS MATERIALIZED (
            SELECT w.id AS webhook_id, d.id, w.url, w.secret, CASE WHEN w.previous_until > $1 THEN w.previous_secret END AS previous_secret, p.name AS project
            FROM webhooks w JOIN projects p ON p.id = w.project_id
            CROSS JOIN LATERAL (
                SELECT id FROM webhook_deliveries WHERE webhook_id = w.id AND status = 'pending' AND due_at <= $1 ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) d
            WHERE w.enabled AND w.id <> ALL($3) LIMIT $4)
        UPDATE webhook_deliveries d SET due_at = $5 FROM due WHERE d.webhook_id = due.webhook_id AND d.id = due.id
        RETURNING d.webhook_id, d.id, d.type, d.subject, d.at, d.data::text, d.tries, d.attempts::text, due.url, due.secret, due.previous_secret, due.project
        """;

    /// <summary>
    /// It went well, also where another has it in hand by now, or its webhook was disabled while it was on its way. $1 webhook, $2 delivery, $3 now, $4 attempts.
    /// </summary>
    public const string Delivered =
        """
        WITH delivered AS (
            UPDATE webhook_deliveries SET status = 'delivered', ended_at = $3, tries = tries + 1, attempts = $4::json WHERE webhook_id = $1 AND id = $2 AND status IN ('pending', 'canceled'))
        UPDATE webhooks SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL
        """;

    /// <summary>
    /// It did not go well. Nothing is written where another has it in hand by now, or it was asked for again. $1 webhook, $2 delivery, $3 now, $4 attempts,
    /// $5 until when it was in hand, $6 when again; null: never.
    /// </summary>
    public const string Failed =
        """
        WITH failed AS (
            UPDATE webhook_deliveries SET tries = tries + 1, attempts = $4::json, due_at = coalesce($6, due_at),
                status = CASE WHEN $6 IS NULL THEN 'failed' ELSE status END, ended_at = CASE WHEN $6 IS NULL THEN $3 ELSE ended_at END
            WHERE webhook_id = $1 AND id = $2 AND status IN ('pending', 'canceled') AND due_at = $5)
        UPDATE webhooks SET failing_since = $3 WHERE id = $1 AND failing_since IS NULL
        """;

    /// <summary>The receiver wants nothing more. $1 webhook, $2 now, $3 why.</summary>
    public const string Disable = "UPDATE webhooks SET enabled = false, disabled_reason = $3, updated_at = $2 WHERE id = $1 AND enabled";

    /// <summary>$1 webhook, $2 now.</summary>
    public const string CancelPending = "UPDATE webhook_deliveries SET status = 'canceled', ended_at = $2 WHERE webhook_id = $1 AND status = 'pending'";
}
