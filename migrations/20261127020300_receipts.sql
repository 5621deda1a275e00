-- Receipts: money that came for a reservation, numbered by site in the order of the log.
CREATE TABLE read.receipts (
    site_id        uuid        NOT NULL,
    -- 1, 2, 3… of the site, without a gap.
    number         bigint      NOT NULL CHECK (number > 0),
    -- Of the event.
    position       bigint      NOT NULL UNIQUE,
    payment_id     uuid        NOT NULL,
    reservation_id uuid        NOT NULL,
    method         text        NOT NULL,
    transaction    text        NOT NULL,
    -- Minor units.
    amount         bigint      NOT NULL CHECK (amount > 0),
    currency       text        NOT NULL,
    -- Paid a second time: it goes back.
    duplicate      boolean     NOT NULL,
    at             timestamptz NOT NULL,
    PRIMARY KEY (site_id, number)
);
CREATE INDEX receipts_reservation ON read.receipts (reservation_id, position);

-- At which site a payment is.
CREATE TABLE read.receipt_sites (
    payment_id uuid PRIMARY KEY,
    site_id    uuid NOT NULL
);

INSERT INTO read.views (projector, name) VALUES ('receipt', 'receipts'), ('receipt', 'receipt_sites');
