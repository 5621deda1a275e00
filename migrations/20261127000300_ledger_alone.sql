-- Money also moves for no reservation: payouts, fees, what a count of a till finds.
ALTER TABLE read.ledger_entries ALTER COLUMN reservation_id DROP NOT NULL;
