-- The time of check: what a name means changes after the exporter has read it. `later` runs after the first pass, while
-- the schema that the exporter keeps for a minute is still fresh. `swapped` runs after the second, since the exporter
-- reads the schema anew once it notices that a table has become something else. `held` holds a lock until a statement
-- of the exporter waits for it, or one that looks like a pattern.

--- view_later
CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz); INSERT INTO t VALUES (1, now());
--swapped
ALTER TABLE t RENAME TO old; CREATE VIEW t AS SELECT evil(id) AS id, created_at FROM old;
GRANT SELECT ON t TO PUBLIC;
--proof
SELECT id FROM {s}.t;

--- index_later
CREATE TABLE t (id int PRIMARY KEY, created_at timestamptz); INSERT INTO t VALUES (1, now());
--later
CREATE INDEX ON t ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- unique_index_later
CREATE DOMAIN d AS int; CREATE TABLE t (id int, list d[]); INSERT INTO t VALUES (1, '{1}');
ALTER DOMAIN d ADD CONSTRAINT calls CHECK (evil(value) > 0) NOT VALID;
--later
CREATE UNIQUE INDEX ON t (id) WHERE list <> '{7}'::d[];
--proof
SELECT '{7}'::{s}.d[];

--- child_later
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
--later
CREATE TABLE leaf () INHERITS (t); INSERT INTO leaf VALUES (2); CREATE INDEX ON leaf ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- partition_later
CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
--later
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t VALUES (11); CREATE INDEX ON t_2 ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- policy_later
CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1);
--later
ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY open ON t FOR SELECT USING (true);
CREATE POLICY calls ON t AS RESTRICTIVE USING (evil(id) > 0);
--proof
SET ROLE reader; SELECT count(*) FROM {s}.t;

--- schema_later
CREATE SCHEMA {s}_shop; CREATE TABLE {s}_shop.t (id int PRIMARY KEY, created_at timestamptz); INSERT INTO {s}_shop.t VALUES (1, now());
--swapped
ALTER SCHEMA {s}_shop RENAME TO {s}_away; CREATE SCHEMA {s}_shop; GRANT USAGE ON SCHEMA {s}_shop TO PUBLIC;
CREATE VIEW {s}_shop.t AS SELECT evil(id) AS id, created_at FROM {s}_away.t; GRANT SELECT ON {s}_shop.t TO PUBLIC;
--proof
SELECT id FROM {s}_shop.t;

--- sequence_later
CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES;
--swapped
ALTER SEQUENCE t_id_seq RENAME TO old; CREATE VIEW t_id_seq AS SELECT evil(1)::bigint AS last_value, true AS is_called;
GRANT SELECT ON t_id_seq TO PUBLIC;
--proof
SELECT * FROM {s}.t_id_seq;

--- operator_of_a_key_later
CREATE SCHEMA {s}_lib; CREATE EXTENSION hstore SCHEMA {s}_lib;
CREATE TABLE parent (id {s}_lib.hstore UNIQUE); CREATE TABLE t (id {s}_lib.hstore CONSTRAINT key REFERENCES parent (id));
INSERT INTO parent VALUES ('a=>1'); INSERT INTO t VALUES ('a=>1');
--later
ALTER SCHEMA {s}_lib RENAME TO {s}_gone; CREATE SCHEMA {s}_lib;
CREATE FUNCTION same({s}_gone.hstore, {s}_gone.hstore) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN true; END $$;
CREATE OPERATOR {s}_lib.= (LEFTARG = {s}_gone.hstore, RIGHTARG = {s}_gone.hstore, FUNCTION = same);
GRANT USAGE ON SCHEMA {s}_lib TO PUBLIC;
--proof
SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.id OPERATOR({s}_lib.=) c.id;

--- cast_of_a_key_later
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE CAST (mood AS jsonb) WITH FUNCTION to_jsonb(anyelement) AS IMPLICIT;
CREATE TABLE parent (id jsonb PRIMARY KEY); INSERT INTO parent VALUES ('"good"');
CREATE TABLE t (m mood CONSTRAINT key REFERENCES parent); INSERT INTO t VALUES ('good');
--later
CREATE FUNCTION told(mood) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN '"good"'; END $$;
DROP CAST (mood AS jsonb); CREATE CAST (mood AS jsonb) WITH FUNCTION told(mood) AS IMPLICIT;
--proof
SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.id = c.m;

--- view_while_we_wait
CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, now());
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
ALTER TABLE t RENAME TO old; CREATE VIEW t AS SELECT evil(id) AS id, created_at FROM old; GRANT SELECT ON t TO PUBLIC;
--proof
SELECT id FROM {s}.t;

--- index_while_we_wait
CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, now());
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
CREATE INDEX ON t ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- schema_while_we_wait
CREATE SCHEMA {s}_shop; CREATE TABLE {s}_shop.t (id int, created_at timestamptz); INSERT INTO {s}_shop.t VALUES (1, now());
--held
LOCK TABLE {s}_shop.t IN ACCESS EXCLUSIVE MODE;
ALTER SCHEMA {s}_shop RENAME TO {s}_away; CREATE SCHEMA {s}_shop; GRANT USAGE ON SCHEMA {s}_shop TO PUBLIC;
CREATE TABLE {s}_shop.t (id int, created_at timestamptz); INSERT INTO {s}_shop.t VALUES (1, now());
CREATE INDEX ON {s}_shop.t ((id + evil(1)));
--proof
SELECT count(*) FROM {s}_shop.t;

--- partition_while_we_wait
CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t VALUES (11); CREATE INDEX ON t_2 ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- table_while_we_wait
CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, now());
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
ALTER TABLE t RENAME TO old; CREATE TABLE t (id int, created_at timestamptz); INSERT INTO t VALUES (1, now());
CREATE STATISTICS st ON (id + evil(1)), id FROM t; GRANT SELECT ON t TO PUBLIC;
--proof
SELECT count(*) FROM {s}.t;

--- child_while_we_wait
CREATE TABLE t (id int); CREATE TABLE other () INHERITS (t); INSERT INTO t VALUES (1);
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
CREATE TABLE leaf () INHERITS (t); INSERT INTO leaf VALUES (2); CREATE INDEX ON leaf ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- cast_while_we_wait
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('good');
ALTER TABLE t ADD CONSTRAINT other CHECK (m::text <> 'worse') NOT VALID;
ANALYZE t;
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
CREATE FUNCTION told(mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN 'x'; END $$;
CREATE CAST (mood AS text) WITH FUNCTION told(mood);
--proof
SELECT m::text FROM {s}.t;

--- function_while_we_wait
CREATE SCHEMA {s}_lib; GRANT USAGE ON SCHEMA {s}_lib TO PUBLIC;
--superuser
CREATE FUNCTION {s}_lib.good(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
--owner
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
ALTER TABLE t ADD CONSTRAINT other CHECK ({s}_lib.good(id)) NOT VALID;
ANALYZE t;
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
ALTER SCHEMA {s}_lib RENAME TO {s}_gone; CREATE SCHEMA {s}_lib; GRANT USAGE ON SCHEMA {s}_lib TO PUBLIC;
CREATE FUNCTION {s}_lib.good(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN {s}.evil($1) > 0; END $$;
--proof
SELECT {s}_lib.good(id) FROM {s}.t;

--- range_while_we_wait
CREATE FUNCTION distance(int, int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 - $2; END $$;
CREATE TYPE r AS RANGE (SUBTYPE = int, SUBTYPE_DIFF = distance);
CREATE TABLE t (id int, span int4range); INSERT INTO t SELECT i, int4range(i, i + 5) FROM generate_series(1, 200) i;
CREATE UNIQUE INDEX ON t (id) WHERE span @> 50;
ANALYZE t;
--held
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
ALTER TABLE t ALTER span TYPE r USING r(lower(span), upper(span)); ANALYZE t;
--proof
SELECT count(*) FROM {s}.t WHERE span @> 50;

--- sequence_while_we_wait
CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES;
--held %seqincrement%
ALTER SEQUENCE t_id_seq RENAME TO old; CREATE VIEW t_id_seq AS SELECT evil(1)::bigint AS last_value, true AS is_called;
GRANT SELECT ON t_id_seq TO PUBLIC;
--proof
SELECT * FROM {s}.t_id_seq;

--- checked_index_while_we_wait
CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); CREATE INDEX i ON t (id);
--held %pg_relation_size%
REINDEX INDEX i; ALTER INDEX i RENAME TO old; CREATE INDEX i ON t ((evil(id)));
--proof
SELECT lib.bt_index_check('{s}.i', true);

--- leaf_while_we_plan
CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
INSERT INTO t VALUES (1);
--held
LOCK TABLE t_1 IN ACCESS EXCLUSIVE MODE; CREATE INDEX ON t_1 ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- statistics_while_we_plan
CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE INDEX i ON t (id);
--held
REINDEX INDEX i; CREATE STATISTICS st ON (id + evil(1)), id FROM t;
--proof
SELECT count(*) FROM {s}.t;
