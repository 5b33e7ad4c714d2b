CREATE TABLE scan (id serial PRIMARY KEY, page oid, created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
INSERT INTO scan (page) SELECT lo_from_bytea(0, '\xabab') FROM generate_series(1, 20);
