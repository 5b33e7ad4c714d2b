-- The least that the exporter needs, for psql as a superuser:
--
--     psql -d YOUR_DATABASE -f grants.sql
--
-- Then give it a password, or a line in pg_hba.conf. PostgreSQL 14 or newer; what fits older ones, or
-- single columns, is said by `pg_integrity_exporter grants`, which has written this (--generic).
\set ON_ERROR_STOP on
SET standard_conforming_strings = on;
SELECT 'CREATE ROLE "pgintegrity" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgintegrity') \gexec
-- Two sessions for the exporter, two for a `check` beside it, one for psql to see what they see.
ALTER ROLE "pgintegrity" CONNECTION LIMIT 5;
ALTER ROLE "pgintegrity" SET default_transaction_read_only = on;
ALTER ROLE "pgintegrity" SET idle_in_transaction_session_timeout = '60s';
-- The server ends sessions that nobody holds any more, whatever became of the network.
ALTER ROLE "pgintegrity" SET tcp_keepalives_idle = 15;
ALTER ROLE "pgintegrity" SET tcp_keepalives_interval = 5;
ALTER ROLE "pgintegrity" SET tcp_keepalives_count = 3;
ALTER ROLE "pgintegrity" SET tcp_user_timeout = 20000;
ALTER ROLE "pgintegrity" SET client_connection_check_interval = 10000;
ALTER ROLE "pgintegrity" SET idle_session_timeout = 900000;
-- What sorting may take on the server's disk: only a superuser may set it.
SELECT 'ALTER ROLE "pgintegrity" SET temp_file_limit = ''4096MB''' FROM pg_catalog.pg_roles WHERE rolname = current_user AND rolsuper \gexec
-- Who is connected from where, and in which state.
GRANT pg_read_all_stats TO "pgintegrity";
SELECT 'GRANT CONNECT ON DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database()) || ' TO "pgintegrity"' \gexec
-- Counting needs to read; nothing else is granted. Tables with row-level security stay limited unless
-- a policy FOR SELECT TO the role USING (true) shows it all their rows, or it has BYPASSRLS. It then reads the rows
-- of every tenant.
GRANT pg_read_all_data TO "pgintegrity";
