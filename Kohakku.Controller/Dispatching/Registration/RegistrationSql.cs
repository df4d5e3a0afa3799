namespace Kohakku.Controller.Dispatching.Registration;

internal static class RegistrationSql
{
    /// <summary>Of two that register under one name at once, one is the newer. $1 name.</summary>
    public const string LockName = "SELECT pg_advisory_xact_lock(hashtextextended('kohakku:dispatcher:' || $1::text, 0))";

    /// <summary>
    /// One row per instance, which keeps its id and its attempts over restarts. $1 new id, $2 instance, $3 name, $4 session, $5 url, $6 version,
    /// $7 runtime, $8 labels, $9 capacity.
    /// </summary>
    public const string Upsert =
        """
        INSERT INTO dispatchers (id, instance_id, name, session, status, draining, url, version, runtime, labels, capacity, free_slots, registered_at, last_heartbeat_at)
        VALUES ($1, $2, $3, $4, 'online', false, $5, $6, $7, $8::jsonb, $9, $9, clock_timestamp(), clock_timestamp())
        ON CONFLICT (instance_id) DO UPDATE SET
            name = excluded.name, session = excluded.session, url = excluded.url, version = excluded.version, runtime = excluded.runtime,
            labels = excluded.labels, capacity = excluded.capacity, free_slots = excluded.free_slots, superseded_by = NULL,
            status = CASE WHEN dispatchers.draining THEN 'draining' ELSE 'online' END,
            registered_at = clock_timestamp(), last_heartbeat_at = clock_timestamp()
        RETURNING id, clock_timestamp()
        """;

    /// <summary>Of two instances of one name the newer wins: the older takes no more. $1 the newer's instance, $2 name.</summary>
    public const string SupersedeOthers =
        """
        UPDATE dispatchers SET superseded_by = (SELECT id FROM dispatchers WHERE instance_id = $1), status = 'draining'
        WHERE name = $2 AND instance_id <> $1 AND superseded_by IS NULL
        """;

    private const string ViewColumns =
        """
        d.id, d.name, CASE
            WHEN d.last_heartbeat_at < clock_timestamp() - make_interval(secs => $2) THEN 'offline'
            WHEN d.last_heartbeat_at < clock_timestamp() - make_interval(secs => $1) THEN 'unreachable'
            WHEN d.draining OR d.superseded_by IS NOT NULL THEN 'draining'
            ELSE 'online' END,
        d.runtime, d.url, d.version, d.labels::text, d.capacity, d.free_slots,
        (SELECT count(*)::int FROM attempts a WHERE a.dispatcher_id = d.id AND a.ended_at IS NULL), d.registered_at, d.last_heartbeat_at
        """;

    /// <summary>$1 seconds of silence until unreachable, $2 until offline, $3 name and $4 id after which to go on, $5 how many.</summary>
    public const string List =
        $"SELECT {ViewColumns} FROM dispatchers d WHERE (d.name, d.id) > ($3, $4) ORDER BY d.name, d.id LIMIT $5";

    /// <summary>The one of that name that was not superseded, else the newest. $3 name.</summary>
    public const string OfName =
        $"SELECT {ViewColumns} FROM dispatchers d WHERE d.name = $3 ORDER BY d.superseded_by IS NOT NULL, d.registered_at DESC LIMIT 1";

    /// <summary>$1 name, $2 whether to drain.</summary>
    public const string SetDraining =
        """
        UPDATE dispatchers SET draining = $2, status = CASE
            WHEN status IN ('unreachable', 'offline') THEN status WHEN $2 THEN 'draining' ELSE 'online' END
        WHERE name = $1 AND superseded_by IS NULL
        """;
}
