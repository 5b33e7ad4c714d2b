CREATE TABLE meter (id int PRIMARY KEY);
INSERT INTO meter SELECT generate_series(1, 5);
CREATE TABLE reading (id serial, meter_id int REFERENCES meter, taken_at timestamptz NOT NULL);
CREATE SCHEMA chunk;
CREATE TABLE chunk.reading_1 (CHECK (taken_at < '2026-03-01'), FOREIGN KEY (meter_id) REFERENCES meter)
  INHERITS (reading);
CREATE TABLE chunk.reading_2 (FOREIGN KEY (meter_id) REFERENCES meter) INHERITS (reading);
INSERT INTO chunk.reading_1 (meter_id, taken_at) SELECT 1 + i % 5, '2026-02-01' FROM generate_series(1, 200) i;
INSERT INTO chunk.reading_2 (meter_id, taken_at)
  SELECT 1 + i % 5, now() - interval '20 days' FROM generate_series(1, 120) i;
-- A table with columns of its own is a table of its own, and its rows are rows of its parent, too.
CREATE TABLE place (name text);
CREATE TABLE capital (country text) INHERITS (place);
INSERT INTO place VALUES ('Kyoto');
INSERT INTO capital VALUES ('Tokyo', 'Japan');
-- Of these readings one does not exist.
CREATE TABLE alarm (reading_id int);
INSERT INTO alarm VALUES (1), (201), (999);
