CREATE TABLE article (id int PRIMARY KEY, name text,
  created_at timestamptz NOT NULL DEFAULT now() - interval '3 days');
INSERT INTO article SELECT i, 'article ' || i FROM generate_series(1, 50) i;
