-- What is sent to endpoints: the secrets that sign it, the row of what waits for each, and how each try went.
-- Written by `eventstore/src/webhook_out/`. No row holds anything of an event but its position.

-- A secret, sealed under the key of the store. Which of them signs is said by the log, which names it; one that the log
-- does not name was never given out.
CREATE TABLE work.endpoint_secrets (
    secret_id uuid PRIMARY KEY,
    endpoint_id uuid NOT NULL,
    sealed text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX endpoint_secrets_endpoint ON work.endpoint_secrets (endpoint_id);

-- An endpoint that something is sent to: whose turn it is, and how it fares. One sender at a time, so that what is sent
-- arrives in order, and one that hangs holds nobody up but itself.
CREATE TABLE work.endpoint_queues (
    endpoint_id uuid PRIMARY KEY,
    -- When the next try is due, by the engine's clock; null while nothing waits.
    due_at timestamptz,
    -- Tries of what is first in the row.
    attempts integer NOT NULL DEFAULT 0,
    -- Since when it has taken nothing; null while all is well.
    failing_since timestamptz,
    token bigint NOT NULL DEFAULT 0,
    -- By the database's clock: a lease measures how long a sender may hang.
    leased_until timestamptz
);
CREATE INDEX endpoint_queues_due ON work.endpoint_queues (due_at) WHERE due_at IS NOT NULL;

-- One event for one endpoint.
CREATE TABLE work.deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id uuid NOT NULL,
    -- <id of the event>, and of the replay when it is sent once more: what is written down twice is there once.
    key text NOT NULL,
    -- Of the message: the same for the same event, however often it is sent.
    message_id text NOT NULL,
    -- The event; null for a ping.
    position bigint,
    name text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dropped')),
    attempts integer NOT NULL DEFAULT 0,
    -- Why it was not sent.
    note text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (endpoint_id, key),
    CHECK ((state = 'waiting') = (finished_at IS NULL))
);
CREATE INDEX deliveries_waiting ON work.deliveries (endpoint_id, id) WHERE state = 'waiting';
CREATE INDEX deliveries_newest ON work.deliveries (endpoint_id, id DESC);
CREATE INDEX deliveries_finished ON work.deliveries (finished_at) WHERE finished_at IS NOT NULL;

-- One try.
CREATE TABLE work.delivery_attempts (
    delivery_id bigint NOT NULL REFERENCES work.deliveries ON DELETE CASCADE,
    attempt integer NOT NULL,
    at timestamptz NOT NULL,
    -- How long it took.
    ms bigint NOT NULL,
    -- HTTP; null when there was no answer.
    status smallint,
    -- The first 500 bytes of what was said, or why there was nothing.
    answer text NOT NULL,
    PRIMARY KEY (delivery_id, attempt)
);

-- A part of the log that is to be sent once more.
CREATE TABLE work.endpoint_replays (
    id uuid PRIMARY KEY,
    -- One at a time.
    endpoint_id uuid NOT NULL UNIQUE,
    -- Written down up to here.
    position bigint NOT NULL,
    until bigint NOT NULL,
    created_at timestamptz NOT NULL
);
