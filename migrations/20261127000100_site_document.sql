-- A search reads the documents of forty sites, and to write a `jsonb` out took two thirds of its time: `json` is kept as
-- it was written. Nothing asks for a part of it.
ALTER TABLE read.sites ALTER COLUMN doc TYPE json USING doc::json;

-- A column of another type forgets how it was compressed.
DO $$
BEGIN
    ALTER TABLE read.sites ALTER COLUMN doc SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END
$$;
