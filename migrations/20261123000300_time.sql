-- The last position recorded at or before an instant; 0 before the first event. Times never go back along the log, so
-- positions are halved until one is left: no index on the time is needed.
CREATE FUNCTION event_log.position_at(p_at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low  bigint := 0;
    high bigint := coalesce((SELECT max(position) FROM event_log.events), 0);
    mid  bigint;
BEGIN
    WHILE low < high LOOP
        mid := (low + high + 1) / 2;
        IF (SELECT e.recorded_at FROM event_log.events AS e WHERE e.position = mid) <= p_at THEN
            low := mid;
        ELSE
            high := mid - 1;
        END IF;
    END LOOP;
    RETURN low;
END
$$;
