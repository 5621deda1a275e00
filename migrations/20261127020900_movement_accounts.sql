-- Each movement lies on an account: the platform's (null), or the one of a manager that the contract of its reservation names.
ALTER TABLE read.movements ADD COLUMN merchant_account text;
CREATE INDEX movements_account ON read.movements (merchant_account, method) WHERE merchant_account IS NOT NULL;

-- The reservations whose money goes through a manager's account.
CREATE TABLE read.reservation_accounts (
    reservation_id   uuid PRIMARY KEY,
    merchant_account text NOT NULL
);

INSERT INTO read.views (projector, name) VALUES ('reconciliation', 'reservation_accounts');
