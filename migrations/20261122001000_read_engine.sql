-- Read models: what the log means, in tables that can be asked. Everything in schema `read` may be deleted at any
-- moment and comes back from the log; nothing here is ever the truth of a decision.
CREATE SCHEMA read;

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- How far each projector has come. Rows, position and digest move in one transaction, under the owner's epoch.
CREATE TABLE read.checkpoints (
    name        text        PRIMARY KEY,
    version     integer     NOT NULL,
    position    bigint      NOT NULL DEFAULT 0 CHECK (position >= 0),
    -- Of the last event applied; null before the first.
    recorded_at timestamptz,
    -- SHA-256 chain over the export lines applied so far: two projections at one position read the same log.
    digest      bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(digest) = 32),
    -- Raised by whoever takes the projector over; the former owner then changes nothing any more.
    epoch       bigint      NOT NULL DEFAULT 0,
    owner       text        NOT NULL DEFAULT '',
    -- The poison event it stopped at, and why.
    halted_at   bigint,
    halted_why  text
);

-- Streams a projector has set aside because of an event it cannot apply. The rest goes on; nothing is lost: the stream
-- is applied again from `version` when it is resumed.
CREATE TABLE read.parked (
    projector text    NOT NULL REFERENCES read.checkpoints (name),
    stream_id uuid    NOT NULL,
    version   integer NOT NULL,
    position  bigint  NOT NULL,
    why       text    NOT NULL,
    -- Events of the stream seen since, the first included.
    waiting   integer NOT NULL DEFAULT 1,
    PRIMARY KEY (projector, stream_id)
);

-- Empties tables of this schema. DELETE, not TRUNCATE: readers go on reading the rows of before until the commit.
CREATE FUNCTION read.clear(tables text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('DELETE FROM read.%I', name);
    END LOOP;
END
$$;

-- SHA-256 over all rows of tables of this schema, in the order of their text.
CREATE FUNCTION read.content_digest(tables text[]) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = public, pg_catalog AS $$
DECLARE
    name   text;
    one    bytea;
    digest bytea := '';
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format(
            'SELECT sha256(convert_to(coalesce(string_agg(line, chr(10) ORDER BY line COLLATE "C"), ''''), ''UTF8''))
             FROM (SELECT r::text AS line FROM read.%I AS r) AS rows', name) INTO one;
        digest := sha256(digest || one);
    END LOOP;
    RETURN digest;
END
$$;
