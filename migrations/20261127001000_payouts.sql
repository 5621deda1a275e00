-- Payouts to sites, as the API shows them. `doc` is the folded payout; where it goes is ciphertext.
CREATE TABLE read.payouts (
    payout_id        uuid    PRIMARY KEY,
    site_id          uuid    NOT NULL,
    status           text    NOT NULL,
    amount           bigint  NOT NULL,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE
);
CREATE INDEX payouts_site ON read.payouts (site_id, created_position);

INSERT INTO read.views (projector, name) VALUES ('payout', 'payouts');
