-- Which rails of payment are out of order, as the workers who call them find. Advice for what is offered to payers: a row
-- that is old says nothing, and an empty table says that all is well.
CREATE TABLE work.rail_health (
    method text NOT NULL,
    -- Which merchant account there; empty for the platform's own.
    account text NOT NULL DEFAULT '',
    -- By the database's clock, which all processes share: whoever wrote a row may die.
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    -- What went wrong last: a class, such as `timeout`.
    error text NOT NULL,
    PRIMARY KEY (method, account)
);
