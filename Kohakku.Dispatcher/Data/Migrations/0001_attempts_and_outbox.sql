-- JSON is kept as json, not jsonb: it is never searched, and jsonb refuses texts that agents may well send (\u0000).

-- Who this dispatcher is across restarts: owns attempts and containers.
CREATE TABLE identity (
    instance_id uuid NOT NULL,
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO identity (instance_id) VALUES (gen_random_uuid());

-- One row per attempt from its claim until its end is acknowledged and its traces are removed.
CREATE TABLE attempts (
    id                    uuid PRIMARY KEY,
    task_id               uuid NOT NULL,
    token_hash            bytea NOT NULL,          -- SHA-256; the token itself is with the runner alone
    "order"               json,                    -- without token and secrets; null for inline attempts, which never outlive a process
    secrets               bytea,                   -- sealed (see SecretSeal); null when there are none
    phase                 text NOT NULL,
    runtime_id            text,
    claimed_at            timestamptz NOT NULL,
    running_at            timestamptz,
    deadline              timestamptz,
    result                json,                    -- as the agent posted it
    ended_at              timestamptz,
    acknowledged_sequence bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Events the controller has not acknowledged yet.
CREATE TABLE outbox (
    attempt_id uuid NOT NULL,
    sequence   bigint NOT NULL,
    at         timestamptz NOT NULL,
    type       text NOT NULL,
    data       json,
    PRIMARY KEY (attempt_id, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Questions an attempt has asked (kind question), their answers (kind answer, same id) and what people said to it (kind message).
CREATE TABLE messages (
    attempt_id uuid NOT NULL,
    id         uuid NOT NULL,
    kind       text NOT NULL,
    body       text NOT NULL,
    expires_at timestamptz,
    delivered  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (attempt_id, id, kind)
);
