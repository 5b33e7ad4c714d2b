-- Functions in what belongs to a table: indexes, statistics, partition keys, policies, constraints. README.md beside
-- this folder explains the lines that begin with two dashes and a sign.

--- index_expression
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE INDEX ON t ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- index_predicate
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE INDEX ON t (id) WHERE id > evil(0);
--proof
SELECT count(*) FROM {s}.t;

--- calls_with_columns
CREATE FUNCTION fenced(int) RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS 'SELECT $1 + {s}.evil(1)';
CREATE TABLE t (id int PRIMARY KEY, name varchar(9), up int REFERENCES t, created_at timestamptz);
INSERT INTO t VALUES (1, 'a', NULL, now()), (2, 'b', 1, now());
CREATE INDEX ON t ((evil(id) + evil(up, 1)), fenced(id), created_at); CREATE INDEX ON t (up) WHERE evil(id) > 0;
CREATE UNIQUE INDEX ON t (evil(id)); CREATE STATISTICS s ON (evil(id)), up FROM t;
CREATE TABLE parts (id int, created_at timestamptz) PARTITION BY RANGE (evil(id));
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10); INSERT INTO parts VALUES (1, now());
--proof
SELECT count(*) FROM {s}.t WHERE {s}.evil(id) > 0;

--- constants_beside_columns
CREATE FUNCTION by_default(int, int DEFAULT evil(1)) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION named("{FUNCEXPR :funcid 16384 :args ({VAR " int, b int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM {s}.tell(); RETURN b; END $$;
CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE INDEX ON t (evil(id, evil(1)));
CREATE TABLE defaulted (id int); INSERT INTO defaulted VALUES (1); CREATE INDEX ON defaulted (by_default(id));
CREATE TABLE with_names (id int); INSERT INTO with_names VALUES (1);
CREATE INDEX ON with_names ((id + named("{FUNCEXPR :funcid 16384 :args ({VAR " => 1, b => 2)));
--proof
SELECT count(*) FROM {s}.t; SELECT count(*) FROM {s}.defaulted; SELECT count(*) FROM {s}.with_names;

--- partial_unique_index
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE UNIQUE INDEX ON t (id) WHERE evil(id) > 0;
--proof
INSERT INTO {s}.t VALUES (2);

--- unique_index_of_an_inlined_function
CREATE FUNCTION wrapped(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + {s}.evil(1)';
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE UNIQUE INDEX ON t ((wrapped(id)));
--proof
SELECT {s}.wrapped(id) FROM {s}.t;

--- index_with_an_operator
CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = evil);
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE INDEX ON t ((id + (1 OPERATOR({s}.@@@) 1)));
--proof
SELECT count(*) FROM {s}.t;

--- extended_statistics
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE STATISTICS s ON (id + evil(1)), id FROM t;
--proof
SELECT count(*) FROM {s}.t;

--- statistics_of_analyze
CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2);
CREATE STATISTICS s ON (evil(id)), id FROM t;
--proof
ANALYZE {s}.t;

--- partition_key
CREATE TABLE t (id int) PARTITION BY RANGE ((id + evil(1)));
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10);
--proof
INSERT INTO {s}.t VALUES (1);

--- index_of_a_deep_partition
CREATE TABLE t (id int) PARTITION BY RANGE (id);
CREATE TABLE middle PARTITION OF t FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (10); INSERT INTO t VALUES (1);
CREATE INDEX ON leaf ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- index_of_a_child
CREATE TABLE t (id int); CREATE TABLE middle () INHERITS (t); CREATE TABLE leaf () INHERITS (middle);
INSERT INTO leaf VALUES (1); CREATE INDEX ON leaf ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- check_of_a_child
CREATE TABLE t (id int); CREATE TABLE leaf (CHECK (id < evil(9))) INHERITS (t);
INSERT INTO leaf VALUES (1);
--proof
SET constraint_exclusion = on; SELECT count(*) FROM {s}.t WHERE id < 5;

--- check_not_valid
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
ALTER TABLE t ADD CONSTRAINT calls CHECK (evil(id) > 0) NOT VALID;
--proof
ALTER TABLE {s}.t VALIDATE CONSTRAINT calls; ALTER TABLE {s}.t DROP CONSTRAINT calls;
ALTER TABLE {s}.t ADD CONSTRAINT calls CHECK ({s}.evil(id) > 0) NOT VALID;

--- exclusion_constraint
CREATE TABLE t (id int, r int4range); INSERT INTO t VALUES (1, '[1,2)');
ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&) WHERE (evil(id) > 0);
--proof
INSERT INTO {s}.t VALUES (2, '[5,6)');

--- policy
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON t USING (evil(id) > 0);
--proof
SET ROLE reader; SELECT count(*) FROM {s}.t;

--- policy_beside_one_that_shows_all
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY calls ON t AS RESTRICTIVE USING (evil(id) > 0);
CREATE POLICY open ON t FOR SELECT USING (true);
--proof
SET ROLE reader; SELECT count(*) FROM {s}.t;

--- policy_by_a_view
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE VIEW door AS SELECT evil(1) AS id; GRANT SELECT ON door TO PUBLIC;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY open ON t FOR SELECT USING (true);
CREATE POLICY calls ON t AS RESTRICTIVE USING (EXISTS (SELECT FROM {s}.door d WHERE d.id = t.id));
--proof
SET ROLE reader; SELECT count(*) FROM {s}.t;

--- generated_column
CREATE TABLE t (id int, twice int GENERATED ALWAYS AS (evil(id)) STORED); INSERT INTO t VALUES (1);
--proof
INSERT INTO {s}.t VALUES (2);

--- default_and_trigger
CREATE TABLE t (id int PRIMARY KEY DEFAULT evil(1), created_at timestamptz DEFAULT now());
CREATE FUNCTION fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM {s}.evil(1); RETURN NEW; END $$;
CREATE TRIGGER fires BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION fires();
--proof
INSERT INTO {s}.t DEFAULT VALUES;

--- foreign_key_trigger
CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (id int CONSTRAINT key REFERENCES parent);
INSERT INTO parent VALUES (1); INSERT INTO t VALUES (1);
CREATE INDEX ON parent ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t c WHERE NOT EXISTS (SELECT FROM {s}.parent p WHERE p.id = c.id);

--- materialized_view
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE MATERIALIZED VIEW m AS SELECT evil(id) AS id FROM t; CREATE UNIQUE INDEX ON m ((id + evil(0)));
--proof
REFRESH MATERIALIZED VIEW {s}.m;

--- view_and_rule
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
CREATE VIEW v WITH (security_barrier) AS SELECT evil(id) AS id, now() AS created_at FROM t;
CREATE RULE r AS ON UPDATE TO t DO ALSO SELECT {s}.evil(1);
--proof
SELECT id FROM {s}.v;

--- foreign_table_as_partition
CREATE TABLE t (id int) PARTITION BY RANGE (id);
CREATE FUNCTION remote() RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN RETURN NEXT {s}.evil(1); END $$;
CREATE VIEW far AS SELECT id FROM remote() AS r(id); GRANT SELECT ON far TO PUBLIC; GRANT USAGE ON SCHEMA {s} TO PUBLIC;
--superuser
CREATE SERVER {s} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{socket}', dbname '{database}');
CREATE USER MAPPING FOR PUBLIC SERVER {s} OPTIONS (user 'prover', password_required 'false');
GRANT USAGE ON FOREIGN SERVER {s} TO hostile;
--owner
CREATE FOREIGN TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (10) SERVER {s} OPTIONS (table_name 'far');
--toml
[[server.collectors.row_counts.limits]]
schema = "{s}"
table = "t"
min_rows = 0
--proof
SELECT count(*) FROM {s}.t;
