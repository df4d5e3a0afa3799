namespace Kohakku.Controller.Dispatching.Heartbeats;

/// <summary>A heartbeat, as one batch in one transaction. Attempts are locked by id, as everywhere, so that it can't deadlock with reports.</summary>
internal static class HeartbeatSql
{
    /// <summary>$1 dispatcher id, $2 session, $3 free slots. No row: not its session.</summary>
    public const string Touch =
        """
        UPDATE dispatchers SET
            last_heartbeat_at = clock_timestamp(), free_slots = $3,
            status = CASE WHEN draining OR superseded_by IS NOT NULL THEN 'draining' ELSE 'online' END
        WHERE id = $1 AND session = $2 RETURNING draining OR superseded_by IS NOT NULL
        """;

    // Also a lease that has run out but that nobody has ended yet: the attempt lives, it only was not heard.
    /// <summary>$1 dispatcher id, $2 session, $3 attempt ids, $4 lease in seconds.</summary>
    public const string Renew =
        """
        UPDATE attempts a SET lease_until = clock_timestamp() + make_interval(secs => $4)
        FROM (SELECT l.id FROM attempts l
              WHERE l.id = ANY($3) AND l.dispatcher_id = $1 AND l.ended_at IS NULL AND EXISTS (SELECT 1 FROM dispatchers d WHERE d.id = $1 AND d.session = $2)
              ORDER BY l.id FOR NO KEY UPDATE) mine
        WHERE a.id = mine.id
        """;

    /// <summary>Those that must stop, and why: not this dispatcher's, over, or asked to. $1 dispatcher id, $2 attempt ids.</summary>
    public const string Stops =
        """
        SELECT asked.id, CASE WHEN a.id IS NULL THEN 'stale' WHEN a.ended_at IS NOT NULL THEN 'superseded' ELSE a.stop_reason END
        FROM unnest($2::uuid[]) AS asked(id) LEFT JOIN attempts a ON a.id = asked.id AND a.dispatcher_id = $1
        WHERE a.id IS NULL OR a.ended_at IS NOT NULL OR a.stop_reason IS NOT NULL
        """;

    /// <summary>$1 dispatcher id, $2 session, $3 attempt ids, $4 how often each is sent.</summary>
    public const string Messages =
        """
        UPDATE attempt_messages m SET times_sent = m.times_sent + 1
        WHERE m.attempt_id = ANY($3) AND m.times_sent < $4
            AND EXISTS (SELECT 1 FROM dispatchers d WHERE d.id = $1 AND d.session = $2)
            AND EXISTS (SELECT 1 FROM attempts a WHERE a.id = m.attempt_id AND a.dispatcher_id = $1 AND a.ended_at IS NULL)
        RETURNING m.attempt_id, m.id, m.kind, m.body, m.created_at
        """;

    /// <summary>$1 dispatcher id.</summary>
    public const string Exists = "SELECT 1 FROM dispatchers WHERE id = $1";
}
