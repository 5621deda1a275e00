-- The log: the only truth. Everything else may be deleted and comes back from here (docs: ARCHITECTURE.md).
CREATE SCHEMA event_log;

-- Which log this is, and whether its money is real. One row, made when the log is opened for the first time.
CREATE TABLE event_log.identity (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    id         uuid NOT NULL,
    mode       text NOT NULL CHECK (mode IN ('test', 'live')),
    -- A known text sealed under the keys of the log: the wrong keyring is noticed at start, not at the first person.
    key_check  text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far the clock of a test log runs ahead of the real one. Every process reads it; a live log has none.
CREATE TABLE event_log.test_clock (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    offset_us bigint NOT NULL CHECK (offset_us >= 0)
);

-- `json`, not `jsonb`: the bytes are kept as they were written, because they are what is hashed and proven.
CREATE TABLE event_log.events (
    position    bigint PRIMARY KEY CHECK (position > 0),
    event_id    uuid NOT NULL UNIQUE,
    stream_id   uuid NOT NULL,
    version     integer NOT NULL CHECK (version > 0),
    type        text NOT NULL,
    schema      smallint NOT NULL,
    data        json NOT NULL,
    meta        json NOT NULL,
    recorded_at timestamptz NOT NULL,
    UNIQUE (stream_id, version)
);

-- What is recorded has happened: nobody changes it, the owner of the table included.
CREATE FUNCTION event_log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_log.events is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log.events
    FOR EACH STATEMENT EXECUTE FUNCTION event_log.refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON event_log.events FROM kalel_app;

-- Guards: an inline projection of the log with constraints (domain/src/guard.rs). Positions say since when and until
-- when, so the past of every cell is a query.
CREATE TABLE event_log.slot_claims (
    cell_id       uuid NOT NULL,
    during        tstzrange NOT NULL CHECK (NOT isempty(during)),
    holder        uuid NOT NULL,
    -- NULL: firm. Otherwise the hold no longer blocks from this instant on.
    releasable_at timestamptz,
    -- What is needed to record the end of the hold (domain::guard::Lapse); NULL for firm claims.
    lapse         json,
    from_position bigint NOT NULL,
    to_position   bigint CHECK (to_position >= from_position),
    PRIMARY KEY (cell_id, from_position),
    CONSTRAINT slot_claims_never_overlap EXCLUDE USING gist (cell_id WITH =, during WITH &&) WHERE (to_position IS NULL)
);
CREATE INDEX slot_claims_open_holder ON event_log.slot_claims (holder) WHERE to_position IS NULL;

CREATE TABLE event_log.unique_claims (
    scope    text NOT NULL,
    key      text NOT NULL,
    holder   uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (scope, key)
);

-- Rows instead of counters: a limit counts what is live.
CREATE TABLE event_log.holdings (
    scope    text NOT NULL,
    holder   uuid NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (scope, holder)
);

-- Repeating a command with its key answers what the first one answered. The key is kept as a keyed hash; the answer is
-- sealed, and set once.
CREATE TABLE event_log.idempotency (
    key            bytea PRIMARY KEY,
    fingerprint    bytea NOT NULL,
    ids            uuid[] NOT NULL,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL,
    recorded_at    timestamptz NOT NULL,
    -- NULL: kept for ever (money).
    expires_at     timestamptz,
    subject        uuid,
    answer         text,
    frozen_at      timestamptz,
    CHECK ((answer IS NULL) = (frozen_at IS NULL))
);
CREATE INDEX idempotency_expiring ON event_log.idempotency (expires_at) WHERE expires_at IS NOT NULL;

-- One data key per person, wrapped by a master key that is not in the database. Destroying the row's key makes every
-- field sealed under it unreadable, wherever it is.
CREATE TABLE event_log.subject_keys (
    subject      uuid PRIMARY KEY,
    wrapped      bytea,
    -- Which master key wrapped it.
    master       text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- Fencing: whoever takes a lease raises its token, and what the former owner still sends is refused.
CREATE TABLE event_log.fences (
    key   text PRIMARY KEY,
    token bigint NOT NULL CHECK (token > 0)
);
