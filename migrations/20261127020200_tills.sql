-- The drawers of sites: when each was open, and the cash that moved at the site, whether one was open or not.
CREATE TABLE read.till_sessions (
    site_id          uuid    NOT NULL,
    session          integer NOT NULL,
    till_id          uuid    NOT NULL,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE,
    PRIMARY KEY (till_id, session)
);
CREATE INDEX till_sessions_site ON read.till_sessions (site_id, created_position);

CREATE TABLE read.till_movements (
    -- Of the event.
    position bigint      PRIMARY KEY,
    site_id  uuid        NOT NULL,
    -- The payment or refund.
    source   uuid        NOT NULL,
    -- Minor units; handed out is negative.
    amount   bigint      NOT NULL CHECK (amount <> 0),
    currency text        NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX till_movements_site ON read.till_movements (site_id, position);

-- At which site money of a cash payment, or of a refund, moves.
CREATE TABLE read.till_sources (
    source  uuid PRIMARY KEY,
    site_id uuid NOT NULL
);

INSERT INTO read.views (projector, name) VALUES
    ('till', 'till_sessions'), ('till', 'till_movements'), ('till', 'till_sources');
