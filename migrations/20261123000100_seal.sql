-- The seal over the log (eventstore/src/seal): a Merkle tree (RFC 6962) over the export lines, kept as tiles of 256
-- hashes, and signed checkpoints of it. All but the signatures can be made again from the events.
CREATE TABLE event_log.tiles (
    level  smallint NOT NULL CHECK (level >= 0),
    index  bigint   NOT NULL CHECK (index >= 0),
    -- Up to 256 hashes of 32 bytes; a full tile never changes.
    hashes bytea    NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, index)
);
-- Hashes cannot be compressed.
ALTER TABLE event_log.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- How far the sealer is. Tiles and this row move in one transaction, under the sealer's epoch.
CREATE TABLE event_log.seal (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    size   bigint  NOT NULL DEFAULT 0 CHECK (size >= 0),
    -- Of the tree of that size.
    root   bytea   NOT NULL DEFAULT sha256('') CHECK (length(root) = 32),
    -- Raised by whoever becomes the sealer; the former one then changes nothing any more.
    epoch  bigint  NOT NULL DEFAULT 0,
    owner  text    NOT NULL DEFAULT '',
    -- Somebody waits for a checkpoint of at least this size.
    wanted bigint  NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO event_log.seal DEFAULT VALUES;

-- What was signed stays signed: copies of these are kept where nobody who writes here can reach them.
CREATE TABLE event_log.checkpoints (
    size      bigint PRIMARY KEY CHECK (size > 0),
    -- A signed note (C2SP tlog-checkpoint).
    note      text NOT NULL,
    -- The key it can be checked with: name+id+key.
    verifier  text NOT NULL,
    -- By the database's clock: no test clock dates a signature.
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE FUNCTION event_log.refuse_resealing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_log.checkpoints is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_log.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION event_log.refuse_resealing();
REVOKE UPDATE, DELETE, TRUNCATE ON event_log.checkpoints FROM kalel_app;
