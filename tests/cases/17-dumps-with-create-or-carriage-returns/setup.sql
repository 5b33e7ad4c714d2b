CREATE TABLE letter (id serial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
INSERT INTO letter SELECT FROM generate_series(1, 20);
