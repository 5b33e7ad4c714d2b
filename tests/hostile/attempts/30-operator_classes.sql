-- Operator classes. Only a superuser may create one.

--- btree_class
CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN btint4cmp($1, $2); END $$;
CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3);
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
  OPERATOR 5 >, FUNCTION 1 {s}.compare(int, int);
--owner
CREATE UNIQUE INDEX i ON t (id {s}.own);
--proof
SELECT lib.bt_index_check('{s}.i');

--- hash_class
CREATE FUNCTION hashed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN hashint4($1); END $$;
CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3);
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int USING hash AS OPERATOR 1 =, FUNCTION 1 {s}.hashed(int);
--owner
CREATE INDEX ON t USING hash (id {s}.own);
--proof
INSERT INTO {s}.t VALUES (4);

--- brin_class
CREATE FUNCTION compare(int, int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 < $2; END $$;
CREATE OPERATOR <<< (LEFTARG = int, RIGHTARG = int, FUNCTION = compare);
CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2), (3);
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int USING brin AS OPERATOR 1 {s}.<<<, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
  OPERATOR 5 >, FUNCTION 1 brin_minmax_opcinfo(internal), FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal),
  FUNCTION 3 brin_minmax_consistent(internal, internal, internal), FUNCTION 4 brin_minmax_union(internal, internal, internal);
--owner
CREATE INDEX ON t USING brin (id {s}.own);
--proof
INSERT INTO {s}.t VALUES (0), (-1);

--- gin_class
CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN btint4cmp($1, $2); END $$;
CREATE TABLE t (list int[]); INSERT INTO t VALUES ('{1,2,3}');
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int[] USING gin AS OPERATOR 1 &&(anyarray, anyarray), FUNCTION 1 {s}.compare(int, int),
  FUNCTION 2 ginarrayextract(anyarray, internal, internal), FUNCTION 3 ginqueryarrayextract(anyarray, internal, int2, internal, internal, internal, internal),
  FUNCTION 4 ginarrayconsistent(internal, int2, anyarray, int4, internal, internal, internal, internal), STORAGE int;
--owner
CREATE INDEX ON t USING gin (list {s}.own);
--proof
REINDEX TABLE {s}.t;

--- gist_class_of_an_exclusion
CREATE FUNCTION overlapping(int4range, int4range) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN $1 && $2; END $$;
CREATE OPERATOR &&& (LEFTARG = int4range, RIGHTARG = int4range, FUNCTION = overlapping, COMMUTATOR = &&&);
CREATE TABLE t (r int4range); INSERT INTO t VALUES ('[1,2)'), ('[5,6)');
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int4range USING gist AS OPERATOR 3 {s}.&&&,
  FUNCTION 1 range_gist_consistent(internal, anyrange, int2, oid, internal), FUNCTION 2 range_gist_union(internal, internal),
  FUNCTION 5 range_gist_penalty(internal, internal, internal), FUNCTION 6 range_gist_picksplit(internal, internal),
  FUNCTION 7 range_gist_same(anyrange, anyrange, internal);
--owner
ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (r {s}.own WITH OPERATOR({s}.&&&));
--proof
SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT count(*) FROM {s}.t a JOIN {s}.t b ON a.r OPERATOR({s}.&&&) b.r;

--- partition_class
CREATE FUNCTION compare(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN btint4cmp($1, $2); END $$;
--superuser
CREATE OPERATOR CLASS {s}.own FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=,
  OPERATOR 5 >, FUNCTION 1 {s}.compare(int, int);
--owner
CREATE TABLE t (id int) PARTITION BY RANGE (id {s}.own);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20);
INSERT INTO t VALUES (1), (11);
--proof
SELECT count(*) FROM {s}.t WHERE id = 1;

--- default_class_of_a_type
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION same(mood, mood) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN enum_eq($1, $2); END $$;
CREATE FUNCTION compare(mood, mood) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.evil(1); RETURN enum_cmp($1, $2); END $$;
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same, COMMUTATOR = =);
CREATE OPERATOR < (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same);
--superuser
CREATE OPERATOR CLASS {s}.own DEFAULT FOR TYPE {s}.mood USING btree AS OPERATOR 1 {s}.<, OPERATOR 3 {s}.=,
  FUNCTION 1 {s}.compare({s}.mood, {s}.mood);
--owner
CREATE TABLE parent (m mood); INSERT INTO parent VALUES ('good');
CREATE TABLE t (m mood); INSERT INTO t VALUES ('good'), ('bad');
--toml
[[server.collectors.orphans.references]]
name = "declared"
schema = "{s}"
table = "t"
columns = ["m"]
referenced_schema = "{s}"
referenced_table = "parent"
referenced_columns = ["m"]
[[server.collectors.duplicates.keys]]
name = "declared"
schema = "{s}"
table = "t"
columns = ["m"]
--proof
SELECT count(*) FROM {s}.t c JOIN {s}.parent p ON p.m OPERATOR({s}.=) c.m; SELECT m FROM {s}.t ORDER BY m;
