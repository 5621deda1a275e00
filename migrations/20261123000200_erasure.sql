-- A person is erased: the certificate in the log and the end of their key are one transaction, whoever writes it.
CREATE FUNCTION event_log.destroy_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_log.subject_keys AS key (subject, wrapped, master, destroyed_at)
    VALUES (NEW.stream_id, NULL, '', clock_timestamp())
    ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at WHERE key.wrapped IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER erased AFTER INSERT ON event_log.events
    FOR EACH ROW WHEN (NEW.type = 'client.erased') EXECUTE FUNCTION event_log.destroy_key();

-- Whoever was erased has no number to be found by.
ALTER TABLE read.clients ALTER COLUMN phone_hash DROP NOT NULL;
