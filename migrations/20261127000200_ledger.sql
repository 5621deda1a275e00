-- The ledger: double entry, made of events by a pure function. Amounts are minor units; positive is a debit.
CREATE TABLE read.ledger_entries (
    -- Of the event, and the posting among those of the event.
    position       bigint      NOT NULL,
    number         smallint    NOT NULL,
    event          text        NOT NULL,
    reservation_id uuid        NOT NULL,
    account        text        NOT NULL,
    amount         bigint      NOT NULL CHECK (amount <> 0),
    currency       text        NOT NULL,
    at             timestamptz NOT NULL,
    PRIMARY KEY (position, number)
);
CREATE INDEX ledger_entries_reservation ON read.ledger_entries (reservation_id, position);
CREATE INDEX ledger_entries_account ON read.ledger_entries (account, position);

-- Where the money of a reservation is: what the next entry is made from.
CREATE TABLE read.ledger_books (
    reservation_id uuid  PRIMARY KEY,
    doc            jsonb NOT NULL
);

-- Whose book a refund is in.
CREATE TABLE read.ledger_refunds (
    refund_id      uuid PRIMARY KEY,
    reservation_id uuid NOT NULL
);

INSERT INTO read.views (projector, name) VALUES
    ('ledger', 'ledger_entries'), ('ledger', 'ledger_books'), ('ledger', 'ledger_refunds');
