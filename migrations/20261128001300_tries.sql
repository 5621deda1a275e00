-- Signing in to work: wrong tries are held against the network that they come from, not against whoever is tried. What is
-- counted of an address is counted whether anybody has it or not, so that nobody learns who is there by trying.
CREATE TABLE auth.tries (
    -- Keyed hash of a mail address; empty: of all that were tried.
    who bytea NOT NULL,
    -- Keyed hash of a network; empty: of all of them together.
    net bytea NOT NULL,
    -- In a row, and until when nothing is compared.
    wrong smallint NOT NULL DEFAULT 0,
    locked_until timestamptz,
    -- When, of what is looked at by the hour or by the day.
    lately timestamptz[] NOT NULL DEFAULT '{}',
    touched_at timestamptz NOT NULL,
    PRIMARY KEY (who, net)
);
CREATE INDEX tries_touched ON auth.tries (touched_at);

-- Networks that somebody has signed in from: strangers elsewhere do not keep them out.
CREATE TABLE auth.trusted_nets (
    subject uuid NOT NULL,
    net bytea NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (subject, net)
);
