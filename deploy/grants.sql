-- The least that the exporter needs, for psql as a superuser or the database's owner with CREATEROLE:
--
--     psql -d YOUR_DATABASE -f grants.sql
--
-- Then give it a password, or a line in pg_hba.conf. PostgreSQL 14 or newer; before 14 replace
-- pg_read_all_data by USAGE on the schemas and SELECT on the tables to be watched.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgintegrity') THEN
    CREATE ROLE pgintegrity LOGIN;
  END IF;
END $$;
-- Two sessions for the exporter, two for a `check` beside it, one for psql to see what they see.
ALTER ROLE pgintegrity CONNECTION LIMIT 5;
ALTER ROLE pgintegrity SET default_transaction_read_only = on;
ALTER ROLE pgintegrity SET idle_in_transaction_session_timeout = '60s';
-- Counting needs to read; nothing else is granted. Tables with row-level security stay unproven unless the
-- role may see all their rows: ALTER ROLE pgintegrity BYPASSRLS.
GRANT pg_read_all_data TO pgintegrity;
-- Where the extension amcheck is installed, the right to have indexes checked, which shows no row to anybody:
-- GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO pgintegrity;
