-- Money that providers move, as the log knows it: what statements are compared with. Positive came in.
CREATE TABLE read.movements (
    object       text        NOT NULL,
    subject_id   uuid        NOT NULL,
    -- 0; 1, 2… for a second and third success of one payment.
    nth          smallint    NOT NULL,
    method       text        NOT NULL,
    state        text        NOT NULL,
    amount       bigint      NOT NULL,
    currency     text        NOT NULL,
    -- When it moved, or was asked for.
    at           timestamptz NOT NULL,
    transaction  text,
    checkout     text,
    reference    text,
    -- Of the payment that a refund gives back.
    of_reference text,
    client_id    uuid,
    PRIMARY KEY (subject_id, nth)
);
CREATE INDEX movements_day ON read.movements (method, at);
CREATE INDEX movements_transaction ON read.movements (transaction);
CREATE INDEX movements_checkout ON read.movements (checkout);
CREATE INDEX movements_reference ON read.movements (reference);

-- One day of one account at a provider.
CREATE TABLE read.reconciliations (
    reconciliation_id uuid    PRIMARY KEY,
    provider          text    NOT NULL,
    account           text    NOT NULL,
    day               date    NOT NULL,
    status            text    NOT NULL,
    doc               jsonb   NOT NULL,
    version           integer NOT NULL,
    position          bigint  NOT NULL,
    created_position  bigint  NOT NULL
);
CREATE INDEX reconciliations_day ON read.reconciliations (day, reconciliation_id);

CREATE TABLE read.reconciliation_differences (
    reconciliation_id uuid    NOT NULL,
    number            integer NOT NULL,
    standing          text    NOT NULL,
    doc               jsonb   NOT NULL,
    PRIMARY KEY (reconciliation_id, number)
);

-- Which statement lists a movement.
CREATE TABLE read.reconciliation_pairs (
    reconciliation_id uuid     NOT NULL,
    transaction       text     NOT NULL,
    -- Of the difference that it is in; 0 for what is matched.
    number            integer  NOT NULL,
    subject_id        uuid     NOT NULL,
    nth               smallint NOT NULL,
    object            text     NOT NULL,
    day               date     NOT NULL,
    PRIMARY KEY (reconciliation_id, transaction, number, subject_id)
);
CREATE INDEX reconciliation_pairs_subject ON read.reconciliation_pairs (subject_id);

INSERT INTO read.views (projector, name) VALUES
    ('reconciliation', 'movements'), ('reconciliation', 'reconciliations'),
    ('reconciliation', 'reconciliation_differences'), ('reconciliation', 'reconciliation_pairs');
