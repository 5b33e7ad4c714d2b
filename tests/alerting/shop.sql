-- The shop that the commands of the runbooks are tried on. Its names need quotes, and it has one of each defect.
CREATE EXTENSION amcheck;
CREATE EXTENSION btree_gist;
CREATE SCHEMA "Shop";
SET search_path = "Shop", public;

CREATE TABLE customers (id serial PRIMARY KEY, email text CONSTRAINT customers_email_key UNIQUE, joined_at timestamptz);
CREATE TABLE "Order lines" (
  id serial PRIMARY KEY, customer_id integer, quantity integer, picture text, placed_at timestamptz DEFAULT now());
CREATE TABLE bookings (id serial PRIMARY KEY, room integer, during tsrange,
  CONSTRAINT "one at a time" EXCLUDE USING gist (room WITH =, during WITH &&));
CREATE TABLE deletions (id serial PRIMARY KEY, about text, "gone at" timestamptz DEFAULT now());
CREATE TABLE visits (id serial PRIMARY KEY, who text, "since" timestamptz DEFAULT now());
CREATE TABLE shields (name text PRIMARY KEY, works boolean, "checked at" timestamptz DEFAULT now());
CREATE TABLE saves (id serial PRIMARY KEY, sort text, ended text, "begun at" timestamptz DEFAULT now());
-- The exporter sees how they go.
CREATE TABLE leaflets AS SELECT n FROM generate_series(1, 10) n;
CREATE TABLE posters AS SELECT * FROM leaflets;
CREATE TABLE stickers AS SELECT * FROM leaflets;

INSERT INTO customers (email, joined_at) SELECT 'c' || n || '@shop.example', now() FROM generate_series(1, 50) n;
INSERT INTO "Order lines" (customer_id, quantity, picture)
  SELECT 1 + n % 50, 1 + n % 9, 'https://shop.example/' || md5(n::text) FROM generate_series(1, 2000) n;
INSERT INTO bookings (room, during) SELECT 1, tsrange(day, day + interval '1 day')
  FROM generate_series('2024-01-01'::timestamp, '2024-01-20', '1 day') day;
INSERT INTO deletions (about) VALUES ('Shop.Order lines');
INSERT INTO visits (who) VALUES ('till');
INSERT INTO shields VALUES ('door', true);
INSERT INTO saves (sort, ended) VALUES ('nightly', 'well');

-- An orphan, a broken constraint, a picture that is none, a row of tomorrow.
INSERT INTO "Order lines" (customer_id, quantity, picture) VALUES
  (7777, 1, NULL), (1, -5, NULL), (2, 1, ''), (2, 1, 'data:image/png;base64,');
INSERT INTO "Order lines" (customer_id, quantity, placed_at) VALUES (3, 1, now() + interval '1 day');
ALTER TABLE "Order lines" ADD CONSTRAINT "of a customer" FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;
ALTER TABLE "Order lines" ADD CONSTRAINT "some at least" CHECK (quantity > 0) NOT VALID;

-- A duplicate and a conflict, which their indexes do not know.
UPDATE pg_index SET indisready = false
  WHERE indexrelid IN ('customers_email_key'::regclass, '"one at a time"'::regclass);
INSERT INTO customers (email, joined_at) VALUES ('c1@shop.example', now());
INSERT INTO bookings (room, during) VALUES (1, tsrange('2024-01-03 12:00', '2024-01-03 13:00'));
UPDATE pg_index SET indisready = true
  WHERE indexrelid IN ('customers_email_key'::regclass, '"one at a time"'::regclass);

-- An index that is invalid, and an audit trigger that is off.
CREATE INDEX "customers by day" ON customers (joined_at);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"customers by day"'::regclass;
CREATE FUNCTION note_deletion() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO "Shop".deletions (about) VALUES ('Shop.Order lines'); RETURN OLD; END $$;
CREATE TRIGGER "note it" AFTER DELETE ON "Order lines" FOR EACH ROW EXECUTE FUNCTION note_deletion();
ALTER TABLE "Order lines" DISABLE TRIGGER "note it";

CREATE PUBLICATION everything FOR TABLE customers;
GRANT ALL ON ALL TABLES IN SCHEMA "Shop" TO clerk;
ANALYZE;
