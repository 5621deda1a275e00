-- A copy of the past (`kalel fork`): the log up to a position, in a database of its own. NULL for a log itself.
ALTER TABLE event_log.identity ADD COLUMN forked_at bigint CHECK (forked_at > 0);

-- Nothing is recorded in a copy. Its trigger is made where a copy is made (eventstore/src/fork.rs), so that a log that
-- is none does not pay for it.
CREATE FUNCTION event_log.refuse_in_a_fork() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this database holds a copy of the past: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
