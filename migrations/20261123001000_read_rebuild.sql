-- Building the rows of a projector again beside those that are read, and putting them in their place.
--
-- The shadow of a projector is its tables once more, under the same names, in a schema of their own: the very same SQL
-- fills and asks them, only the search path differs. Its checkpoint is the row `<projector>:shadow` of
-- `read.checkpoints`, fenced by an epoch like any other.
--
-- The program may touch rows and nothing else, so tables are made and moved by the functions below, which run as their
-- owner, take the name of a projector and nothing more, and look its tables up in `read.views`.
CREATE SCHEMA read_shadow;

-- Which tables are a projector's. A migration that adds a table to `read` adds it here.
CREATE TABLE read.views (
    name      text PRIMARY KEY,
    projector text NOT NULL
);
INSERT INTO read.views (projector, name) VALUES
    ('site', 'sites'), ('schedule', 'schedule'), ('schedule', 'schedule_days'), ('reservation', 'reservations'),
    ('reservation', 'payments'), ('reservation', 'refunds'), ('client', 'clients'), ('key', 'keys');
REVOKE INSERT, UPDATE, DELETE ON read.views FROM kalel_app;

-- A document of some 2 kB is just long enough to be compressed, which by pglz takes as long as all the rest of writing it.
-- A Postgres built without lz4 goes on with pglz.
DO $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'r' AND a.attname = 'doc' LOOP
        EXECUTE format('ALTER TABLE read.%I ALTER COLUMN doc SET COMPRESSION lz4', view);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    RAISE NOTICE 'documents of the views are compressed by pglz: this Postgres has no lz4';
END
$$;

-- Replaced by the shadow, and by digests that need not hold a whole table in one value.
DROP FUNCTION read.clear(text[]);
DROP FUNCTION read.content_digest(text[]);

-- Empty tables of the same shape in another schema, with the keys that upserts and uniqueness need. What only readers
-- need is made once they are full. Constraints and indexes keep their names: a later migration finds them.
CREATE FUNCTION read.make_shape(of_projector text, target text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
    rule record;
BEGIN
    IF NOT EXISTS (SELECT FROM read.views WHERE projector = of_projector) THEN
        RAISE EXCEPTION 'read.views names no table of projector %', of_projector;
    END IF;
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format('CREATE TABLE %I.%I (LIKE read.%I INCLUDING ALL EXCLUDING INDEXES)', target, view, view);
        FOR rule IN
            SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
            WHERE conrelid = format('read.%I', view)::regclass AND contype IN ('p', 'u') ORDER BY contype, conname
        LOOP
            EXECUTE format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', target, view, rule.conname, rule.definition);
        END LOOP;
    END LOOP;
END
$$;

CREATE FUNCTION read.shadow_drop(of_projector text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format('DROP TABLE IF EXISTS read_shadow.%I', view);
    END LOOP;
END
$$;

CREATE FUNCTION read.shadow_begin(of_projector text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM read.shadow_drop(of_projector);
    PERFORM read.make_shape(of_projector, 'read_shadow');
END
$$;

-- The indexes and exclusion constraints that the tables that are read have and the full shadow does not yet, and the
-- statistics by which readers are planned. Again, it changes nothing.
CREATE FUNCTION read.shadow_finish(of_projector text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
    one  record;
    made boolean := false;
BEGIN
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        FOR one IN
            SELECT conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
            WHERE conrelid = format('read.%I', view)::regclass AND contype = 'x'
              AND conname NOT IN (SELECT conname FROM pg_constraint
                                  WHERE conrelid = format('read_shadow.%I', view)::regclass)
            ORDER BY conname
        LOOP
            EXECUTE format('ALTER TABLE read_shadow.%I ADD CONSTRAINT %I %s', view, one.conname, one.definition);
            made := true;
        END LOOP;
        FOR one IN
            SELECT pg_get_indexdef(i.indexrelid) AS definition FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE i.indrelid = format('read.%I', view)::regclass
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
              AND c.relname NOT IN (SELECT s.relname FROM pg_index AS si JOIN pg_class AS s ON s.oid = si.indexrelid
                                    WHERE si.indrelid = format('read_shadow.%I', view)::regclass)
            ORDER BY c.relname
        LOOP
            -- Names in full, since neither schema is in the search path.
            EXECUTE replace(one.definition, format(' ON read.%I ', view), format(' ON read_shadow.%I ', view));
            made := true;
        END LOOP;
    END LOOP;
    IF made THEN
        FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
            EXECUTE format('ANALYZE read_shadow.%I', view);
        END LOOP;
    END IF;
END
$$;

-- Whether the shadow's tables still have the columns and keys of those that are read: a migration may have come between.
CREATE FUNCTION read.shadow_fits(of_projector text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM (
            SELECT n.nspname AS place, c.relname, string_agg(format('%s %s %s', a.attname,
                       format_type(a.atttypid, a.atttypmod), a.attnotnull), ', ' ORDER BY a.attnum) AS columns,
                   (SELECT string_agg(format('%s %s', k.conname, pg_get_constraintdef(k.oid)), ', ' ORDER BY k.conname)
                    FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c')) AS rules
            FROM read.views AS v
            JOIN pg_class AS c ON c.relname = v.name AND c.relkind = 'r'
            JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname IN ('read', 'read_shadow')
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE v.projector = of_projector
            GROUP BY n.nspname, c.oid, c.relname) AS shape
        GROUP BY relname HAVING count(*) <> 2 OR count(DISTINCT (columns, rules)) <> 1)
$$;

-- Keeps autovacuum and other swaps off the tables, without being in the way of readers and writers.
CREATE FUNCTION read.shadow_guard(of_projector text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format('LOCK TABLE read.%I IN SHARE UPDATE EXCLUSIVE MODE', view);
        EXECUTE format('LOCK TABLE read_shadow.%I IN SHARE UPDATE EXCLUSIVE MODE', view);
    END LOOP;
END
$$;

-- Puts the shadow's tables in the place of those that are read. All locks first, in the order of the names; the caller
-- sets a lock_timeout shorter than anybody's patience and tries again.
CREATE FUNCTION read.shadow_swap(of_projector text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    view text;
BEGIN
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format('LOCK TABLE read.%I, read_shadow.%I IN ACCESS EXCLUSIVE MODE', view, view);
    END LOOP;
    IF NOT read.shadow_fits(of_projector) THEN
        RAISE EXCEPTION 'the tables of projector % were migrated while they were rebuilt: begin the rebuild anew',
            of_projector;
    END IF;
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format('DROP TABLE read.%I', view);
        EXECUTE format('ALTER TABLE read_shadow.%I SET SCHEMA read', view);
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION read.shadow_drop(text), read.shadow_begin(text), read.shadow_finish(text),
    read.shadow_guard(text), read.shadow_swap(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION read.shadow_drop(text), read.shadow_begin(text), read.shadow_finish(text),
    read.shadow_guard(text), read.shadow_swap(text) TO kalel_app;

-- The columns of a table's primary key, as an expression over a row named `r`.
CREATE FUNCTION read.key_of(view text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('concat_ws(''/'', %s)', string_agg(format('r.%I', a.attname), ', ' ORDER BY k.place))
    FROM pg_index AS i
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = format('read.%I', view)::regclass AND i.indisprimary
$$;

-- SHA-256 over all rows of each table of a projector: of each row, in the order of the hashes of their keys, in 256
-- parts, so that no value grows with the table.
CREATE FUNCTION read.table_digests(of_projector text, in_schema text)
RETURNS TABLE (view text, rows bigint, digest bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    FOR view IN SELECT name FROM read.views WHERE projector = of_projector ORDER BY name LOOP
        EXECUTE format(
            $query$
            SELECT coalesce(sum(part.rows), 0)::bigint,
                   sha256(coalesce(string_agg(part.digest, ''::bytea ORDER BY part.bucket), ''::bytea))
            FROM (SELECT get_byte(one.key, 0) AS bucket, count(*) AS rows,
                         sha256(string_agg(one.line, ''::bytea ORDER BY one.key)) AS digest
                  FROM (SELECT sha256(convert_to(%s, 'UTF8')) AS key, sha256(convert_to(r::text, 'UTF8')) AS line
                        FROM %I.%I AS r) AS one
                  GROUP BY 1) AS part
            $query$, read.key_of(view), in_schema, view) INTO rows, digest;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Where a table and its shadow differ: how many rows, and the keys of a few. `live` and `shadow`: only there.
CREATE FUNCTION read.table_difference(of_view text, few integer)
RETURNS TABLE (kind text, rows bigint, keys text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public SET timezone = 'UTC' AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        $query$
        SELECT placed.kind, count(*),
               coalesce(array_agg(placed.key ORDER BY placed.key) FILTER (WHERE placed.place <= $1), '{}')
        FROM (SELECT found.kind, found.key, row_number() OVER (PARTITION BY found.kind ORDER BY found.key) AS place
              FROM (SELECT coalesce(l.key, s.key) AS key,
                           CASE WHEN s.key IS NULL THEN 'live' WHEN l.key IS NULL THEN 'shadow' ELSE 'changed' END
                               AS kind
                    FROM (SELECT %1$s AS key, sha256(convert_to(r::text, 'UTF8')) AS line FROM read.%2$I AS r) AS l
                    FULL JOIN
                         (SELECT %1$s AS key, sha256(convert_to(r::text, 'UTF8')) AS line FROM read_shadow.%2$I AS r)
                         AS s ON s.key = l.key
                    WHERE l.line IS DISTINCT FROM s.line) AS found) AS placed
        GROUP BY placed.kind
        $query$, read.key_of(of_view), of_view) USING few;
END
$$;
