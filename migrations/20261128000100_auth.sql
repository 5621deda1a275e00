-- Signing in: what was tried, how often, and who is signed in. Nothing of it is history: the log says which device and which
-- PIN count, and here is what must be secret, or forgotten. Only keyed hashes and ciphertext; no number, no code, no PIN and
-- no token in the clear. Counters stand here and not in a cache, so that nothing is forgiven when that is flushed.
CREATE SCHEMA auth;

-- A question that only the holder of a telephone number, or of a device that is bound, can answer.
CREATE TABLE auth.challenges (
    id uuid PRIMARY KEY,
    -- `code`: sent to a number. `device`: a signature of a device is enough.
    kind text NOT NULL CHECK (kind IN ('code', 'device')),
    purpose text NOT NULL,
    -- Of a device's challenge: null, its client is known by the device.
    phone_hash text,
    -- Under the key of the store, for whoever sends the code.
    phone text,
    language text NOT NULL,
    device_id uuid,
    -- The only key whose signature answers it.
    device_key text NOT NULL,
    -- Null until it is sent: the code is made then, and this is all that is left of it.
    code_mac bytea,
    asked_at timestamptz NOT NULL,
    queued_at timestamptz,
    armed_at timestamptz,
    tries smallint NOT NULL DEFAULT 0,
    proven_at timestamptz,
    used_at timestamptz,
    -- A newer one took its place.
    over_at timestamptz,
    CHECK ((kind = 'code') = (phone_hash IS NOT NULL))
);
CREATE INDEX challenges_unqueued ON auth.challenges (asked_at) WHERE kind = 'code' AND queued_at IS NULL;
CREATE INDEX challenges_open ON auth.challenges (phone_hash, purpose) WHERE over_at IS NULL;
CREATE INDEX challenges_asked ON auth.challenges (asked_at);

-- Of one number, within the last day: when codes were asked for, and when wrong ones were given. The row is locked by whoever
-- counts, so a hundred at once are counted one after the other.
CREATE TABLE auth.numbers (
    phone_hash text PRIMARY KEY,
    sent timestamptz[] NOT NULL DEFAULT '{}',
    wrong timestamptz[] NOT NULL DEFAULT '{}',
    touched_at timestamptz NOT NULL
);

-- Of one address or network, by a keyed hash: when codes were asked for from there.
CREATE TABLE auth.nets (
    net bytea PRIMARY KEY,
    sent timestamptz[] NOT NULL DEFAULT '{}',
    touched_at timestamptz NOT NULL
);

-- Of everybody together, by the hour.
CREATE TABLE auth.hours (
    hour timestamptz PRIMARY KEY,
    sent integer NOT NULL DEFAULT 0,
    answers_right integer NOT NULL DEFAULT 0,
    answers_wrong integer NOT NULL DEFAULT 0
);

-- Hashes of PINs and passphrases by Argon2id under a pepper. Which one counts says the log.
CREATE TABLE auth.secrets (
    secret_id uuid PRIMARY KEY,
    subject uuid NOT NULL,
    hash text NOT NULL,
    wrong smallint NOT NULL DEFAULT 0,
    locked_until timestamptz,
    needs_code boolean NOT NULL DEFAULT false,
    made_at timestamptz NOT NULL
);
CREATE INDEX secrets_subject ON auth.secrets (subject);

-- Second factors (TOTP, RFC 6238): the seed under the key of the store, and the step that was used last, because each counts
-- once.
CREATE TABLE auth.totps (
    secret_id uuid PRIMARY KEY,
    subject uuid NOT NULL,
    seed text NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    made_at timestamptz NOT NULL
);
CREATE INDEX totps_subject ON auth.totps (subject);

-- Whoever is asked to work here comes with a token that only their mailbox has: made at the moment of sending.
CREATE TABLE auth.invitations (
    account uuid PRIMARY KEY,
    token_mac bytea NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL,
    -- The second factor that was shown to them, until they confirm it.
    totp_id uuid,
    used_at timestamptz
);

CREATE TABLE auth.sessions (
    id uuid PRIMARY KEY,
    subject uuid NOT NULL,
    role text NOT NULL,
    device_id uuid,
    -- What its commands carry: `event_log.fences`, key `session:<id>`.
    fence bigint NOT NULL,
    -- When they last proved themselves once more: for what moves money or rights.
    stepped_up_at timestamptz,
    opened_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ended_at timestamptz,
    why text
);
CREATE INDEX sessions_subject ON auth.sessions (subject);

-- Tokens by keyed hashes.
CREATE TABLE auth.tokens (
    mac bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES auth.sessions ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('access', 'refresh')),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX tokens_session ON auth.tokens (session_id);

-- Whoever is forgotten is signed in nowhere, and nothing of how they signed in is left.
CREATE OR REPLACE FUNCTION event_log.destroy_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_log.subject_keys AS key (subject, wrapped, master, destroyed_at)
    VALUES (NEW.stream_id, NULL, '', clock_timestamp())
    ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at WHERE key.wrapped IS NOT NULL;
    -- Without its fence a command that is on its way is stale.
    WITH gone AS (DELETE FROM auth.sessions WHERE subject = NEW.stream_id RETURNING id)
    DELETE FROM event_log.fences USING gone WHERE key = 'session:' || gone.id;
    DELETE FROM auth.secrets WHERE subject = NEW.stream_id;
    DELETE FROM auth.challenges WHERE phone_hash = NEW.data ->> 'phone_hash';
    DELETE FROM auth.numbers WHERE phone_hash = NEW.data ->> 'phone_hash';
    RETURN NULL;
END
$$;
