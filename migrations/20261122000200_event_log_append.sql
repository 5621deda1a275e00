-- The append lane's statements (eventstore/src/lane). Positions in the arguments are relative: n = 1 is the first event
-- of the batch and becomes head + 1.
--
-- Every look-up is written so that it can only be an index probe per element (a subquery that depends on the element, or
-- a loop): plans are made once, often while the tables are empty, and a join would be planned as a scan of the table.

-- Writes the net result of a batch that has been decided under the lane lock. Checks nothing but the constraints.
CREATE FUNCTION event_log.write(
    p_head bigint, p_at timestamptz,
    e_ids uuid[], e_streams uuid[], e_versions integer[], e_types text[], e_schemas smallint[], e_data text[], e_meta text[],
    k_keys bytea[], k_fingerprints bytea[], k_streams uuid[], k_counts integer[], k_first bigint[], k_last bigint[], k_expires timestamptz[],
    r_holders uuid[], r_n bigint[],
    x_holders uuid[], x_at timestamptz[],
    c_cells uuid[], c_from timestamptz[], c_to timestamptz[], c_holders uuid[], c_releasable timestamptz[], c_lapses text[],
    c_from_n bigint[], c_to_n bigint[],
    g_scopes text[], g_keys text[],
    u_scopes text[], u_keys text[], u_holders uuid[], u_n bigint[],
    h_scopes text[], h_holders uuid[], h_n bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(r_holders) > 0 THEN
        FOR i IN 1 .. cardinality(r_holders) LOOP
            UPDATE event_log.slot_claims AS claim SET to_position = p_head + r_n[i]
            WHERE claim.holder = r_holders[i] AND claim.to_position IS NULL;
        END LOOP;
    END IF;
    IF cardinality(x_holders) > 0 THEN
        FOR i IN 1 .. cardinality(x_holders) LOOP
            UPDATE event_log.slot_claims AS claim SET releasable_at = x_at[i]
            WHERE claim.holder = x_holders[i] AND claim.to_position IS NULL AND claim.releasable_at IS NOT NULL;
        END LOOP;
    END IF;
    IF cardinality(c_cells) > 0 THEN
        INSERT INTO event_log.slot_claims (cell_id, during, holder, releasable_at, lapse, from_position, to_position)
        SELECT c.cell, tstzrange(c.f, c.t), c.holder, c.releasable, c.lapse::json, p_head + c.from_n, p_head + c.to_n
        FROM unnest(c_cells, c_from, c_to, c_holders, c_releasable, c_lapses, c_from_n, c_to_n)
            AS c (cell, f, t, holder, releasable, lapse, from_n, to_n);
    END IF;
    IF cardinality(g_scopes) > 0 THEN
        FOR i IN 1 .. cardinality(g_scopes) LOOP
            DELETE FROM event_log.unique_claims AS claim WHERE claim.scope = g_scopes[i] AND claim.key = g_keys[i];
        END LOOP;
    END IF;
    IF cardinality(u_scopes) > 0 THEN
        INSERT INTO event_log.unique_claims (scope, key, holder, position)
        SELECT u.scope, u.key, u.holder, p_head + u.n
        FROM unnest(u_scopes, u_keys, u_holders, u_n) AS u (scope, key, holder, n);
    END IF;
    IF cardinality(h_scopes) > 0 THEN
        -- A row that is left has no position.
        FOR i IN 1 .. cardinality(h_scopes) LOOP
            IF h_n[i] IS NULL THEN
                DELETE FROM event_log.holdings AS holding
                WHERE holding.scope = h_scopes[i] AND holding.holder = h_holders[i];
            END IF;
        END LOOP;
        INSERT INTO event_log.holdings (scope, holder, position)
        SELECT h.scope, h.holder, p_head + h.n
        FROM unnest(h_scopes, h_holders, h_n) AS h (scope, holder, n) WHERE h.n IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;
    IF cardinality(k_keys) > 0 THEN
        -- The ids of all keys come in one array; k_counts says how many belong to each.
        INSERT INTO event_log.idempotency (key, fingerprint, ids, first_position, last_position, recorded_at, expires_at)
        SELECT k.key, k.fingerprint, k_streams[k.until - k.count + 1 : k.until], p_head + k.f, p_head + k.l, p_at, k.expires
        FROM (
            SELECT key, fingerprint, f, l, expires, count, sum(count) OVER (ORDER BY n)::integer AS until
            FROM unnest(k_keys, k_fingerprints, k_counts, k_first, k_last, k_expires)
                WITH ORDINALITY AS k (key, fingerprint, count, f, l, expires, n)
        ) AS k;
    END IF;
    IF cardinality(e_ids) > 0 THEN
        INSERT INTO event_log.events (position, event_id, stream_id, version, type, schema, data, meta, recorded_at)
        SELECT p_head + e.n, e.id, e.stream, e.version, e.type, e.schema, e.data::json, e.meta::json, p_at
        FROM unnest(e_ids, e_streams, e_versions, e_types, e_schemas, e_data, e_meta)
            WITH ORDINALITY AS e (id, stream, version, type, schema, data, meta, n);
    END IF;
END
$$;

-- The head of the log as seen under the lane lock, and the instant at which what comes next is recorded: never below
-- the last one.
CREATE FUNCTION event_log.head(OUT head bigint, OUT at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    last timestamptz;
BEGIN
    SELECT e.position, e.recorded_at INTO head, last FROM event_log.events AS e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    at := greatest(last, clock_timestamp()
        + coalesce((SELECT c.offset_us FROM event_log.test_clock AS c), 0) * interval '1 microsecond');
END
$$;

-- A lone event that touches no guard and carries no key: what `append` does, as one statement on plain values, because
-- that is what a lone caller feels. Answers head and the instant (µs since 1970), or NULL, having written nothing. That a
-- new version is not there yet is for the constraint to say.
--
-- VOLATILE, with the lock as its first step: in READ COMMITTED every later statement sees what was committed before the
-- lock was given. (As a condition the lock costs no query of its own.)
CREATE FUNCTION event_log.append_one(
    p_lock bigint, p_lane text, p_epoch bigint,
    e_id uuid, e_stream uuid, e_version integer, e_type text, e_schema smallint, e_data text, e_meta text
) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    head bigint;
    at timestamptz;
BEGIN
    IF pg_advisory_xact_lock(p_lock) IS NULL THEN
        RETURN NULL;
    END IF;
    IF e_version > 1 THEN
        IF NOT EXISTS (SELECT FROM event_log.events AS e WHERE e.stream_id = e_stream AND e.version = e_version - 1) THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO event_log.events (position, event_id, stream_id, version, type, schema, data, meta, recorded_at)
    SELECT coalesce(last.position, 0) + 1, e_id, e_stream, e_version, e_type, e_schema, e_data::json, e_meta::json,
        greatest(last.recorded_at, clock_timestamp()
            + coalesce((SELECT c.offset_us FROM event_log.test_clock AS c), 0) * interval '1 microsecond')
    FROM (SELECT) AS nothing
    LEFT JOIN (
        SELECT e.position, e.recorded_at FROM event_log.events AS e ORDER BY e.position DESC LIMIT 1
    ) AS last ON true
    -- A call that was given up (its connection broke) must not be carried out later.
    WHERE NOT EXISTS (SELECT FROM event_log.fences AS f WHERE f.key = p_lane AND f.token > p_epoch)
    RETURNING position - 1, recorded_at INTO head, at;
    IF head IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY[head, extract(epoch FROM at) * 1000000];
END
$$;

-- One round trip: takes the lane lock, checks that everything the batch was decided on is so, and writes it, claims
-- first. Answers no row, and has written nothing, when anything is otherwise: the lane then gathers the facts and decides
-- again.
--
-- Conditions are nested, because one that asks a table is a query even when it is not needed.
CREATE FUNCTION event_log.append(
    p_lock bigint, p_lane text, p_epoch bigint,
    s_ids uuid[], s_versions integer[],
    l_scopes text[], l_most bigint[],
    f_keys text[], f_tokens bigint[],
    e_ids uuid[], e_streams uuid[], e_versions integer[], e_types text[], e_schemas smallint[], e_data text[], e_meta text[],
    k_keys bytea[], k_fingerprints bytea[], k_streams uuid[], k_counts integer[], k_first bigint[], k_last bigint[], k_expires timestamptz[],
    r_holders uuid[], r_n bigint[],
    x_holders uuid[], x_at timestamptz[],
    c_cells uuid[], c_from timestamptz[], c_to timestamptz[], c_holders uuid[], c_releasable timestamptz[], c_lapses text[],
    c_from_n bigint[], c_to_n bigint[],
    g_scopes text[], g_keys text[],
    u_scopes text[], u_keys text[], u_holders uuid[], u_n bigint[],
    h_scopes text[], h_holders uuid[], h_n bigint[]
) RETURNS TABLE (head bigint, at timestamptz) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(p_lock);
    -- A call that was given up (its connection broke) must not be carried out later.
    IF EXISTS (SELECT FROM event_log.fences AS f WHERE f.key = p_lane AND f.token > p_epoch) OR EXISTS (
        SELECT FROM unnest(s_ids, s_versions) AS s (id, version)
        WHERE s.version <> coalesce(
            (SELECT e.version FROM event_log.events AS e WHERE e.stream_id = s.id ORDER BY e.version DESC LIMIT 1), 0)
    ) THEN
        RETURN;
    END IF;
    IF cardinality(l_scopes) > 0 THEN
        IF EXISTS (
            SELECT FROM unnest(l_scopes, l_most) AS l (scope, most)
            WHERE (SELECT count(*) FROM event_log.holdings AS h WHERE h.scope = l.scope) > l.most
        ) THEN
            RETURN;
        END IF;
    END IF;
    -- A lease that is changing hands at this moment counts as lost: waiting for it would stop every writer.
    IF cardinality(f_keys) > 0 THEN
        IF (
            SELECT count(*) FROM (
                SELECT FROM event_log.fences AS f JOIN unnest(f_keys, f_tokens) AS w (key, token)
                    ON f.key = w.key AND f.token = w.token
                FOR SHARE OF f SKIP LOCKED
            ) AS held
        ) < cardinality(f_keys) THEN
            RETURN;
        END IF;
    END IF;

    SELECT now.head, now.at INTO head, at FROM event_log.head() AS now;
    -- A slot that is taken, a name, a key that was used: the constraints look anyway, so nobody looks before them. What
    -- was written is undone. (A savepoint costs something, so only where one of them can be in the way.)
    IF cardinality(c_cells) > 0 OR cardinality(u_scopes) > 0 OR cardinality(k_keys) > 0 THEN
        BEGIN
            PERFORM event_log.write(head, at,
                e_ids, e_streams, e_versions, e_types, e_schemas, e_data, e_meta,
                k_keys, k_fingerprints, k_streams, k_counts, k_first, k_last, k_expires,
                r_holders, r_n, x_holders, x_at,
                c_cells, c_from, c_to, c_holders, c_releasable, c_lapses, c_from_n, c_to_n,
                g_scopes, g_keys, u_scopes, u_keys, u_holders, u_n, h_scopes, h_holders, h_n);
        EXCEPTION WHEN exclusion_violation OR unique_violation THEN
            RETURN;
        END;
    ELSE
        PERFORM event_log.write(head, at,
            e_ids, e_streams, e_versions, e_types, e_schemas, e_data, e_meta,
            k_keys, k_fingerprints, k_streams, k_counts, k_first, k_last, k_expires,
            r_holders, r_n, x_holders, x_at,
            c_cells, c_from, c_to, c_holders, c_releasable, c_lapses, c_from_n, c_to_n,
            g_scopes, g_keys, u_scopes, u_keys, u_holders, u_n, h_scopes, h_holders, h_n);
    END IF;
    RETURN NEXT;
END
$$;
