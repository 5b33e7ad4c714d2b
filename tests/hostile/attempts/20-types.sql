-- Functions behind types: domains, ranges, casts, operators and operator classes. What only a superuser may create
-- was created by one, as a script of long ago would, and its functions belong to the hostile role.

--- domain
CREATE DOMAIN d AS int CHECK (evil(value) > 0);
CREATE TABLE t (id d PRIMARY KEY, created_at timestamptz); INSERT INTO t VALUES (1);
CREATE INDEX ON t ((id::int::d));
--proof
SELECT (id::int)::{s}.d FROM {s}.t;

--- domain_of_a_domain_not_valid
CREATE DOMAIN inner_d AS int; CREATE DOMAIN d AS inner_d;
CREATE TABLE t (id d); INSERT INTO t VALUES (1);
ALTER DOMAIN inner_d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--proof
SELECT 5::{s}.d;

--- domain_in_an_array_of_a_check
CREATE DOMAIN d AS int; CREATE TABLE t (list d[]); INSERT INTO t VALUES ('{1}');
ALTER TABLE t ADD CONSTRAINT other CHECK (list <> '{7}'::d[]) NOT VALID;
ALTER DOMAIN d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--proof
SELECT '{7}'::{s}.d[];

--- domain_in_an_array_of_a_predicate
CREATE DOMAIN d AS int; CREATE TABLE t (id int, list d[]); INSERT INTO t VALUES (1, '{1}');
CREATE UNIQUE INDEX ON t (id) WHERE list <> '{7}'::d[];
ALTER DOMAIN d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--proof
SELECT '{7}'::{s}.d[];

--- domain_in_a_range_of_a_check
CREATE DOMAIN d AS int; CREATE TYPE r AS RANGE (SUBTYPE = d);
CREATE TABLE t (span r); INSERT INTO t VALUES ('[1,2)');
ALTER TABLE t ADD CONSTRAINT other CHECK (span <> '[7,8)'::r) NOT VALID;
ALTER DOMAIN d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--proof
SELECT '[7,8)'::{s}.r;

--- domain_in_a_row_of_a_check
CREATE DOMAIN d AS int; CREATE TYPE pair AS (a d, b int);
CREATE TABLE t (one pair); INSERT INTO t VALUES ('(1,2)');
ALTER TABLE t ADD CONSTRAINT other CHECK (one <> '(7,8)'::pair) NOT VALID;
ALTER DOMAIN d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--proof
SELECT '(7,8)'::{s}.pair;

--- subtype_diff_of_a_predicate
CREATE FUNCTION distance(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 - $2; END $$;
CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = distance);
CREATE TABLE t (id int, span r); INSERT INTO t SELECT i, r(i, i + 5) FROM generate_series(1, 200) i;
CREATE UNIQUE INDEX ON t (id) WHERE span && '[1,100)'::r;
ANALYZE t;
--proof
SELECT count(*) FROM {s}.t WHERE span && '[1,100)'::{s}.r;

--- subtype_diff_without_a_range_in_the_predicate
CREATE FUNCTION distance(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 - $2; END $$;
CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = distance);
CREATE TABLE t (id int, span r); INSERT INTO t SELECT i, r(i, i + 5) FROM generate_series(1, 200) i;
CREATE UNIQUE INDEX ON t (id) WHERE span @> 50;
ANALYZE t;
--proof
SELECT count(*) FROM {s}.t WHERE span @> 50;

--- subtype_diff_of_a_multirange
CREATE FUNCTION distance(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 - $2; END $$;
CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = distance, MULTIRANGE_TYPE_NAME = mr);
CREATE TABLE t (id int, spans mr); INSERT INTO t SELECT i, mr(r(i, i + 5)) FROM generate_series(1, 200) i;
ALTER TABLE t ADD CONSTRAINT other CHECK (spans && '{[1,100)}'::mr) NOT VALID;
ANALYZE t;
--proof
SELECT count(*) FROM {s}.t WHERE spans && '{[1,100)}'::{s}.mr;

--- subtype_diff_of_a_multirange_of_a_predicate
CREATE FUNCTION distance(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 - $2; END $$;
CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = distance, MULTIRANGE_TYPE_NAME = mr);
CREATE TABLE t (id int, spans mr); INSERT INTO t SELECT i, mr(r(i, i + 5)) FROM generate_series(1, 200) i;
CREATE UNIQUE INDEX ON t (id) WHERE spans && '{[1,100)}'::mr;
ANALYZE t;
--proof
SELECT count(*) FROM {s}.t WHERE spans && '{[1,100)}'::{s}.mr;

--- cast_after_the_check
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('good');
ALTER TABLE t ADD CONSTRAINT other CHECK (m::text <> 'worse') NOT VALID;
CREATE FUNCTION told(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'x'; END $$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood);
--proof
SELECT m::text FROM {s}.t;

--- cast_to_a_type_after_the_check
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (m text); INSERT INTO t VALUES ('good');
ALTER TABLE t ADD CONSTRAINT other CHECK (m::mood <> 'bad'::mood) NOT VALID;
CREATE FUNCTION felt(text) RETURNS mood LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'good'; END $$;
CREATE CAST (text AS mood) WITH FUNCTION felt(text);
--proof
SELECT m::{s}.mood FROM {s}.t;

--- cast_after_the_unique_index
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('good');
CREATE CAST (mood AS int) WITH FUNCTION hashenum(anyenum); CREATE UNIQUE INDEX ON t ((m::int));
DROP CAST (mood AS int); CREATE FUNCTION told(mood) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN {s}.evil(1); END $$;
CREATE CAST (mood AS int) WITH FUNCTION told(mood);
--proof
SELECT m::int FROM {s}.t;

--- implicit_cast_of_a_key
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE FUNCTION told(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'good'; END $$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood) AS IMPLICIT;
CREATE TABLE parent (id text PRIMARY KEY); INSERT INTO parent VALUES ('good');
CREATE TABLE t (m mood CONSTRAINT key REFERENCES parent); INSERT INTO t VALUES ('good');
--proof
SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.id = c.m;

--- cast_of_the_rows_type
CREATE TABLE schema_migrations (version text PRIMARY KEY, m text); INSERT INTO schema_migrations VALUES ('1');
CREATE FUNCTION told(schema_migrations) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'x'; END $$;
CREATE CAST (schema_migrations AS text) WITH FUNCTION told(schema_migrations) AS IMPLICIT;
--proof
SELECT t::text FROM {s}.schema_migrations t;

--- cast_of_an_audit_logs_column
CREATE TYPE name AS ENUM ('{s}.t'); CREATE TYPE act AS ENUM ('delete');
CREATE FUNCTION told({s}.name) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'x'; END $$;
CREATE FUNCTION told(act) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'x'; END $$;
CREATE CAST ({s}.name AS text) WITH FUNCTION told({s}.name) AS IMPLICIT;
CREATE CAST (act AS text) WITH FUNCTION told(act) AS IMPLICIT;
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE TABLE log (about {s}.name, what act, at timestamptz, enabled act); INSERT INTO log VALUES ('{s}.t', 'delete', now());
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
CREATE TRIGGER note AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION note();
--toml
[[server.collectors.audit_triggers.audited]]
tables = ["{s}.t"]
function = "{s}.note"
log = { schema = "{s}", table = "log", about = "about", event = "what", deletes = ["delete"] }
[[server.collectors.audit_logs.logs]]
name = "{s}"
schema = "{s}"
table = "log"
time = "at"
max_recent = 9
[[server.collectors.protection.protections]]
name = "{s}"
schema = "{s}"
table = "log"
enabled = "enabled"
enabled_values = ["delete"]
verified_at = "at"
[[server.backups]]
name = "{s}"
table = { schema = "{s}", table = "log", time = "at", kind = "what", status = "enabled", success = ["delete"] }
kinds = { full = { values = ["delete"], every = "24h" } }
--proof
SELECT about::text, what::text FROM {s}.log;

--- cast_of_a_declared_reference
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE FUNCTION told(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'good'; END $$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood) AS IMPLICIT;
CREATE TABLE parent (id text, m mood); CREATE TABLE t (id text, m mood);
INSERT INTO parent VALUES ('good', 'good'); INSERT INTO t VALUES ('good', 'good');
--toml
[[server.collectors.orphans.references]]
name = "text"
schema = "{s}"
table = "t"
columns = ["m"]
referenced_schema = "{s}"
referenced_table = "parent"
referenced_columns = ["id"]
where = "m = 'good'"
[[server.collectors.orphans.references]]
name = "mood"
schema = "{s}"
table = "t"
columns = ["m"]
referenced_schema = "{s}"
referenced_table = "parent"
referenced_columns = ["m"]
where = "m IN ('good', 'bad') AND id <> 'x'"
[[server.collectors.duplicates.keys]]
name = "declared"
schema = "{s}"
table = "t"
columns = ["m"]
[[server.collectors.media.columns]]
schema = "{s}"
table = "t"
column = "m"
must_be = "null"
--proof
SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.id = c.m;
