-- Who may do what. The role that migrates owns everything; the program connects as a member of `kalel_app`, which
-- may read and write rows and nothing more. What is narrower than that (the events may only be inserted) is revoked
-- where the table is made.
--
-- PostGIS needs a superuser once per database; where it is already there, the next line changes nothing.
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kalel_app') THEN
        CREATE ROLE kalel_app NOLOGIN;
    END IF;
EXCEPTION
    -- Two databases of one cluster migrated at the same moment.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO kalel_app;
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO kalel_app;
ALTER DEFAULT PRIVILEGES GRANT USAGE, SELECT ON SEQUENCES TO kalel_app;
