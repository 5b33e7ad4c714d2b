-- While `drill --record` reads a whole database in one transaction. `recorded` holds a lock until it waits.

--- index_while_a_dump_is_recorded
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
--recorded
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
CREATE INDEX ON t ((id + evil(1)));
--proof
SELECT count(*) FROM {s}.t;

--- view_while_a_dump_is_recorded
CREATE TABLE t (id int); INSERT INTO t VALUES (1);
--recorded
LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
ALTER TABLE t RENAME TO old; CREATE VIEW t AS SELECT evil(id) AS id FROM old; GRANT SELECT ON t TO PUBLIC;
--proof
SELECT id FROM {s}.t;
