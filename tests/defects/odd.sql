-- A healthy schema with everything that is rare: partitions of partitions, keys from and to them, odd types, odd
-- names, views, inheritance, hundreds of tables.

CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE SCHEMA "Sch ema";
CREATE SCHEMA a;
CREATE SCHEMA "a.b";

-- Types ----------------------------------------------------------------------------------------------------

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE point3 AS (x float8, y float8, z float8);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN most_positive AS positive CHECK (VALUE > 1);
CREATE DOMAIN mail AS citext CHECK (VALUE LIKE '%@%');

CREATE TABLE odd_types (
  id most_positive PRIMARY KEY,
  mail mail UNIQUE,
  feeling mood UNIQUE,
  tags text[] UNIQUE,
  span int4range UNIQUE,
  spans int4multirange UNIQUE,
  address inet UNIQUE,
  bits bit varying(8) UNIQUE,
  amount numeric UNIQUE,
  price money UNIQUE,
  took interval UNIQUE,
  clock timetz UNIQUE,
  document jsonb UNIQUE,
  key uuid UNIQUE,
  raw bytea UNIQUE,
  pairs hstore UNIQUE,
  oid_of oid UNIQUE,
  fixed char(5) UNIQUE,
  place point3,
  spot point,
  words tsvector UNIQUE,
  xml_of xml,
  EXCLUDE USING gist (span WITH &&));
INSERT INTO odd_types SELECT i, 'A' || i || '@x', (ARRAY['sad', 'ok', 'happy'])[i - 1]::mood, ARRAY['t' || i],
  int4range(i, i + 1), int4multirange(int4range(i, i + 1)), ('10.0.0.' || i)::inet, i::bit(8), i / 3.0, i::money,
  i * interval '1 month', ('12:00+0' || i)::timetz, jsonb_build_object('i', i), gen_random_uuid(), int4send(i),
  hstore('i', i::text), i::oid, i::text, (i, i, i)::point3, point(i, i), to_tsvector('w' || i), '<a/>' FROM generate_series(2, 4) i;
INSERT INTO odd_types (id) VALUES (100), (101);

CREATE TABLE refers_by_domain (
  mail mail REFERENCES odd_types (mail), id most_positive REFERENCES odd_types, feeling mood REFERENCES odd_types (feeling));
INSERT INTO refers_by_domain VALUES ('a2@X', 2, 'ok'), (NULL, NULL, NULL);
CREATE TABLE refers_by_array (tags text[] REFERENCES odd_types (tags), span int4range REFERENCES odd_types (span));
INSERT INTO refers_by_array VALUES (ARRAY['t2'], int4range(2, 3));
CREATE TABLE of_type OF point3;
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE computed (a int, b int GENERATED ALWAYS AS (a * 2) STORED UNIQUE, UNIQUE NULLS NOT DISTINCT (a));
INSERT INTO computed VALUES (1), (2), (NULL);

-- Partitions -----------------------------------------------------------------------------------------------

CREATE TABLE accounts (id int, region text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE accounts_eu PARTITION OF accounts FOR VALUES IN ('eu') PARTITION BY HASH (id);
CREATE TABLE accounts_eu_0 PARTITION OF accounts_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE accounts_eu_1 PARTITION OF accounts_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY RANGE (id);
CREATE TABLE accounts_eu_1_low PARTITION OF accounts_eu_1 FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE accounts_eu_1_rest PARTITION OF accounts_eu_1 DEFAULT;
CREATE TABLE accounts_rest PARTITION OF accounts DEFAULT;
INSERT INTO accounts SELECT i, CASE WHEN i % 3 = 0 THEN 'us' ELSE 'eu' END FROM generate_series(1, 30) i;

CREATE TABLE bookings (
  at timestamptz NOT NULL, id bigserial, account_id int, region text, PRIMARY KEY (at, id),
  FOREIGN KEY (region, account_id) REFERENCES accounts) PARTITION BY RANGE (at);
CREATE TABLE bookings_old PARTITION OF bookings FOR VALUES FROM ('2020-01-01') TO ('2025-01-01');
CREATE TABLE bookings_rest PARTITION OF bookings DEFAULT;
INSERT INTO bookings (at, account_id, region)
  SELECT '2024-06-01'::timestamptz + id * interval '1 month', id, region FROM accounts;
-- Columns are in another order and one is dropped, so attribute numbers differ from the root's.
CREATE TABLE bookings_joined (
  region text, gone int, account_id int, id bigint NOT NULL DEFAULT nextval('bookings_id_seq'), at timestamptz NOT NULL);
ALTER TABLE bookings_joined DROP COLUMN gone;
ALTER TABLE bookings ATTACH PARTITION bookings_joined FOR VALUES FROM ('2010-01-01') TO ('2015-01-01');
INSERT INTO bookings (at, account_id, region) VALUES ('2012-01-01', 1, 'eu');
CREATE TABLE receipts (at timestamptz, booking bigint, FOREIGN KEY (at, booking) REFERENCES bookings MATCH FULL);
INSERT INTO receipts SELECT at, id FROM bookings;
CREATE TABLE no_partitions (id int PRIMARY KEY) PARTITION BY RANGE (id);

CREATE TABLE base (id int PRIMARY KEY, name text);
CREATE TABLE derived (extra text) INHERITS (base);
INSERT INTO base VALUES (1, 'base');
INSERT INTO derived VALUES (1, 'the same id, which inheritance allows', 'x');

-- Names ----------------------------------------------------------------------------------------------------

CREATE TABLE "Sch ema"."Order" (
  "Id" serial PRIMARY KEY, "select" int REFERENCES "Sch ema"."Order", "Created At" timestamptz);
INSERT INTO "Sch ema"."Order" ("select") VALUES (NULL), (1);
CREATE TABLE "Größe 📏" ("naïve ""name""" text UNIQUE, "back\slash" serial);
INSERT INTO "Größe 📏" VALUES ('ü'), ('Ü');
CREATE TABLE "two
lines" ("a.b" int PRIMARY KEY, "c
d" int REFERENCES "two
lines");
INSERT INTO "two
lines" VALUES (1, 1);
CREATE TABLE a."b.c" (id int PRIMARY KEY);
CREATE TABLE "a.b".c (id int PRIMARY KEY);

-- Views and other relations --------------------------------------------------------------------------------

CREATE VIEW failing AS SELECT 1 / (id - 1) AS boom FROM base;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM base;
CREATE UNIQUE INDEX ON kept (name);
CREATE RULE quiet AS ON INSERT TO "two
lines" DO INSTEAD NOTHING;
CREATE SEQUENCE round_and_round MAXVALUE 10 CYCLE;
CREATE TABLE cycling (id int DEFAULT nextval('round_and_round'));
INSERT INTO cycling SELECT nextval('round_and_round') FROM generate_series(1, 12);
CREATE TABLE downwards (id int DEFAULT 0);
CREATE SEQUENCE down INCREMENT -5 START -1 OWNED BY downwards.id;
ALTER TABLE downwards ALTER id SET DEFAULT nextval('down');
INSERT INTO downwards SELECT FROM generate_series(1, 3);
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE TABLE mixed (id int) PARTITION BY RANGE (id);
CREATE FOREIGN TABLE mixed_far PARTITION OF mixed DEFAULT SERVER elsewhere;
CREATE STATISTICS correlated ON (id % 2), name FROM base;

DO $$ BEGIN FOR i IN 1..300 LOOP
  EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, note text)', i);
END LOOP; END $$;
