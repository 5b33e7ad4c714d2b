-- Measurements: partitions by day that come and go, an old parent with inherited tables, loads that are attached, rollups.
--: superuser
CREATE EXTENSION amcheck;
--: setup
CREATE TABLE device (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, serial text NOT NULL UNIQUE, "Site Name" text);
CREATE TABLE measurement (device_id int NOT NULL REFERENCES device, created_at timestamptz NOT NULL DEFAULT now(), day int NOT NULL,
  value double precision, PRIMARY KEY (day, device_id, created_at)) PARTITION BY RANGE (day);
CREATE INDEX measurement_time ON measurement USING brin (created_at);
CREATE TABLE measurement_default PARTITION OF measurement DEFAULT;
CREATE TABLE measurement_0 PARTITION OF measurement FOR VALUES FROM (0) TO (1);
CREATE TABLE rollup_day (device_id int NOT NULL REFERENCES device, day int NOT NULL, n bigint NOT NULL, average double precision, PRIMARY KEY (device_id, day));
CREATE TABLE reading (id bigserial PRIMARY KEY, device_id int NOT NULL, at timestamptz NOT NULL DEFAULT now(), value real);
CREATE TABLE reading_old (CHECK (device_id < 50), PRIMARY KEY (id)) INHERITS (reading);
CREATE TABLE reading_0 (PRIMARY KEY (id)) INHERITS (reading);
CREATE TABLE annotation (id serial PRIMARY KEY, device_id int REFERENCES device, text text);
CREATE TABLE calibration (device_id int PRIMARY KEY REFERENCES device, factor real NOT NULL);
INSERT INTO device (serial) SELECT 'SN' || i FROM generate_series(1, 60) i;
INSERT INTO measurement (device_id, day, value) SELECT i, 0, random() FROM generate_series(1, 60) i;
INSERT INTO reading_old (device_id, value) SELECT 1 + i % 40, random() FROM generate_series(1, 500) i;
INSERT INTO reading_0 (device_id, value) SELECT i, random() FROM generate_series(1, 60) i;
INSERT INTO annotation (device_id, text) SELECT i, 'moved' FROM generate_series(1, 20) i;
INSERT INTO calibration SELECT i, 1 FROM generate_series(1, 60) i;
--: hourly
INSERT INTO measurement (device_id, day, value) SELECT i, :day, random() FROM generate_series(1, 60) i;
INSERT INTO reading_0 (device_id, value) SELECT i, random() FROM generate_series(1, 20) i;
INSERT INTO rollup_day SELECT device_id, day, count(*), avg(value) FROM measurement WHERE day = :day GROUP BY 1, 2
  ON CONFLICT (device_id, day) DO UPDATE SET n = excluded.n, average = excluded.average;
--: nightly
SELECT :day + 1 AS next, :day - 3 AS old, :day - 2 AS detached \gset
CREATE TABLE measurement_:next PARTITION OF measurement FOR VALUES FROM (:next) TO (:next + 1);
CREATE TABLE load_:day (LIKE measurement INCLUDING ALL);
INSERT INTO load_:day SELECT i, now(), 100000 + :day, 0 FROM generate_series(1, 30) i;
ALTER TABLE measurement ATTACH PARTITION load_:day FOR VALUES FROM (100000 + :day) TO (100001 + :day);
SELECT format('DROP TABLE %I', relname) FROM pg_class WHERE relname IN ('measurement_' || :'old', 'load_' || :'old') \gexec
SELECT format('ALTER TABLE measurement DETACH PARTITION %I', relname) FROM pg_class WHERE relispartition AND relname = 'measurement_' || :'detached' \gexec
CREATE TABLE reading_:next (PRIMARY KEY (id)) INHERITS (reading);
INSERT INTO reading_:next (device_id, value) SELECT i, random() FROM generate_series(1, 20) i;
SELECT format('DROP TABLE %I', relname) FROM pg_class WHERE relname = 'reading_' || :'old' AND :old > 0 \gexec
DELETE FROM reading_0 WHERE id IN (SELECT id FROM reading_0 ORDER BY id LIMIT 300);
VACUUM ANALYZE reading_0;
--: weekly
ALTER TABLE measurement ADD COLUMN quality_:n smallint;
ALTER TABLE device ADD COLUMN firmware_:n text NOT NULL DEFAULT '1.0';
CREATE INDEX ON measurement (device_id, day) WHERE value > :n;
REINDEX TABLE device;
--: lock measurement
--: loss
DROP TABLE annotation;
--: loss
DROP TABLE calibration;
--: defect PgIntegrityFutureRows
INSERT INTO measurement (device_id, day, created_at) SELECT 1, max(day), now() + interval '2 days' FROM measurement;
