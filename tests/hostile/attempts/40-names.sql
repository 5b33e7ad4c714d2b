-- Names: what a name without a schema means, and names that are SQL themselves.

--- functions_of_the_same_names
CREATE TABLE t (id int PRIMARY KEY, a text UNIQUE, created_at timestamptz); INSERT INTO t VALUES (1, 'a', now());
CREATE FUNCTION public.count(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN {s}.evil(1); END $$;
CREATE FUNCTION public.greatest_of(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN {s}.evil(1); END $$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN clock_timestamp(); END $$;
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM {s}.evil(1); RETURN $1; END $$;
CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN $1; END $$;
CREATE FUNCTION public.to_char(timestamptz, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN $2; END $$;
CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN $1; END $$;
CREATE FUNCTION public.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN '1'; END $$;
--proof
SET search_path = public, pg_catalog; SELECT now(), lower('x'), current_setting('x');

--- operators_of_the_same_names
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES parent, at timestamptz);
INSERT INTO parent VALUES (1); INSERT INTO t VALUES (1, 1, now());
CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM {s}.evil(1); RETURN true; END $$;
CREATE FUNCTION same(text, text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM {s}.evil(1); RETURN true; END $$;
CREATE FUNCTION same(oid, oid) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM {s}.evil(1); RETURN true; END $$;
CREATE OPERATOR public.= (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = same);
CREATE OPERATOR public.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
--proof
SET search_path = public, pg_catalog; SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.id = c.up;

--- catalog_of_the_same_names
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
CREATE VIEW public.pg_class AS SELECT {s}.evil(1) AS oid, 'x'::text AS relname;
CREATE VIEW public.pg_locks AS SELECT {s}.evil(1) AS pid;
CREATE VIEW public.pg_attribute AS SELECT {s}.evil(1) AS attrelid;
CREATE VIEW public.pg_stat_activity AS SELECT {s}.evil(1) AS pid;
CREATE FUNCTION public.pg_backend_pid() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN {s}.evil(1); END $$;
--proof
SET search_path = public, pg_catalog; SELECT * FROM pg_class;

--- settings_of_the_database
CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, E'\'; SELECT 1; --');
CREATE FUNCTION count(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN {s}.evil(1); END $$;
ALTER DATABASE {database} SET search_path = {s}, public, pg_catalog;
ALTER DATABASE {database} SET standard_conforming_strings = off;
ALTER DATABASE {database} SET backslash_quote = on;
ALTER DATABASE {database} SET DateStyle = 'SQL, DMY';
ALTER DATABASE {database} SET statement_timeout = 0;
ALTER DATABASE {database} SET lock_timeout = 0;
ALTER DATABASE {database} SET row_security = off;
ALTER DATABASE {database} SET default_transaction_read_only = off;
ALTER DATABASE {database} SET constraint_exclusion = on;
ALTER DATABASE {database} SET enable_seqscan = off;
ALTER DATABASE {database} SET transform_null_equals = on;
ALTER DATABASE {database} SET quote_all_identifiers = on;
ALTER DATABASE {database} SET plan_cache_mode = force_generic_plan;
ALTER DATABASE {database} SET xmlbinary = hex;
ALTER DATABASE {database} SET TimeZone = 'Asia/Kathmandu';
--proof
DO $$ BEGIN EXECUTE 'SET ' || setting FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase,
    unnest(setconfig) AS setting WHERE datname = current_database() AND setting LIKE 'search_path=%';
  PERFORM count(id) FROM {s}.t; END $$;

--- tables_named_in_sql
CREATE TABLE "t; SELECT {s}.evil(1); --" (id int PRIMARY KEY, created_at timestamptz);
CREATE TABLE "t"" WHERE {s}.evil(1) > 0; --" (id int PRIMARY KEY, created_at timestamptz);
CREATE TABLE "t'; SELECT {s}.evil(1); --" (id serial PRIMARY KEY, created_at timestamptz);
CREATE TABLE "%s %n $1 {} \u0041" (id int PRIMARY KEY);
CREATE TABLE "line
SELECT {s}.evil(1);
" (id serial PRIMARY KEY);
CREATE TABLE "*/ SELECT {s}.evil(1); /*" (id serial PRIMARY KEY);
--proof
DO $$ BEGIN EXECUTE 'SELECT count(*) FROM {s}.' || 't; SELECT {s}.evil(1); --'; EXCEPTION WHEN undefined_table THEN
  EXECUTE 'SELECT {s}.evil(1)'; END $$;

--- columns_and_keys_named_in_sql
CREATE TABLE parent ("id"") = {s}.evil(1) --" int CONSTRAINT "k'; SELECT {s}.evil(1)" PRIMARY KEY, at timestamptz);
CREATE TABLE t ("up"", {s}.evil(1) AS """ serial, "at', {s}.evil(1)::text, '" timestamptz, "created_at"" + {s}.evil(1)" timestamptz,
  CONSTRAINT "c"" ; SELECT {s}.evil(1)" CHECK ("up"", {s}.evil(1) AS """ > 0) NOT VALID,
  CONSTRAINT "f'); SELECT {s}.evil(1); --" FOREIGN KEY ("up"", {s}.evil(1) AS """) REFERENCES parent);
CREATE UNIQUE INDEX "i'; SELECT {s}.evil(1)" ON t ("up"", {s}.evil(1) AS """);
CREATE INDEX "{s}.evil(1)" ON t ("at', {s}.evil(1)::text, '");
COMMENT ON TABLE t IS '''; SELECT {s}.evil(1); --'; COMMENT ON COLUMN parent.at IS '"; SELECT {s}.evil(1)';
--proof
DO $$ BEGIN EXECUTE 'SELECT {s}.evil(1)'; END $$;

--- schemas_named_in_sql
CREATE SCHEMA " pg_catalog"; CREATE SCHEMA "PG_CATALOG"; CREATE SCHEMA "x"".{s}.evil(1)";
CREATE TABLE " pg_catalog".pg_class (id serial PRIMARY KEY, at timestamptz);
CREATE VIEW "PG_CATALOG".pg_class AS SELECT {s}.evil(1) AS oid; CREATE TABLE "PG_CATALOG".t (id serial PRIMARY KEY);
CREATE TABLE "x"".{s}.evil(1)"."t"")" (id serial PRIMARY KEY);
--proof
SELECT * FROM "PG_CATALOG".pg_class;

--- texts_that_are_sql
CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, now());
CREATE TABLE log (about text, what text, at timestamptz, n int);
INSERT INTO log VALUES ('{s}.t', 'delete', now(), 1), ('''; SELECT {s}.evil(1); --', 'delete', now(), 2),
  ('"t"" ; SELECT {s}.evil(1)"', '{"a": "$.x ? (@ == evil(1))"}', now(), 3), (E'%s\n{s}.evil(1)', '\', now(), 4);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; /* nextval('{s}.evil(1)'); */ END $$;
CREATE TRIGGER "note'; SELECT {s}.evil(1)" AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note('''; SELECT {s}.evil(1)');
CREATE SEQUENCE "s'; SELECT {s}.evil(1)"; CREATE TABLE fed (id int DEFAULT nextval('{s}."s''; SELECT {s}.evil(1)"'::text::regclass));
CREATE TABLE flyway_schema_history (version text, script text); INSERT INTO flyway_schema_history VALUES ('1', '; SELECT {s}.evil(1)');
--toml
[[server.collectors.audit_triggers.audited]]
tables = ["{s}.t"]
function = "{s}.note"
log = { schema = "{s}", table = "log", about = "about", event = "what", deletes = ["delete"], rows = "n" }
[[server.collectors.media.columns]]
schema = "{s}"
table = "log"
column = "about"
must_be = "url"
bytes = true
--proof
DO $$ BEGIN EXECUTE 'SELECT ''' || about || '''' FROM {s}.log WHERE n = 2; PERFORM {s}.evil(1); END $$;

--- functions_of_the_names_of_amcheck
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
CREATE FUNCTION public.bt_index_check(regclass, boolean) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); END $$;
CREATE FUNCTION public.bt_index_check(text, boolean) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); END $$;
CREATE FUNCTION public.verify_heapam(regclass, boolean, boolean, text, bigint, bigint) RETURNS TABLE (blkno bigint, msg text)
  LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); END $$;
--proof
SELECT public.bt_index_check('{s}.t_pkey'::regclass, true);

--- text_search_and_collation
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple); CREATE COLLATION own (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE t (id text COLLATE own PRIMARY KEY, body text); INSERT INTO t VALUES ('a', 'b');
CREATE INDEX ON t USING gin (to_tsvector('{s}.words', body)); CREATE UNIQUE INDEX ON t ((evil(length(id))));
--proof
SELECT count(*) FROM {s}.t WHERE {s}.evil(length(id)) = 1;

--- citext_of_the_owner
CREATE SCHEMA {s}_lib; CREATE EXTENSION citext SCHEMA {s}_lib;
CREATE TABLE parent (id {s}_lib.citext PRIMARY KEY); CREATE TABLE t (id {s}_lib.citext CONSTRAINT key REFERENCES parent);
INSERT INTO parent VALUES ('a'); INSERT INTO t VALUES ('A');
CREATE FUNCTION {s}_lib.same(text, text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN true; END $$;
CREATE OPERATOR {s}_lib.= (LEFTARG = text, RIGHTARG = text, FUNCTION = {s}_lib.same);
--proof
SELECT 'a'::text OPERATOR({s}_lib.=) 'b'::text;
