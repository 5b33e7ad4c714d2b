-- An application on PostgREST: schemas api and private, roles of JWTs, row-level security, an owner's functions in an index.
--: superuser
CREATE ROLE web_anon NOLOGIN;
CREATE ROLE web_user NOLOGIN;
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT web_anon, web_user TO authenticator;
CREATE EXTENSION amcheck;
--: setup
CREATE SCHEMA api;
CREATE SCHEMA private;
CREATE TABLE public.schema_migrations (version varchar(128) PRIMARY KEY);
INSERT INTO public.schema_migrations VALUES ('20240101');
CREATE FUNCTION private.normal(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(btrim($1)) $$;
CREATE FUNCTION private.claim(text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('request.jwt.claims', true)::json ->> $1 $$;
CREATE TABLE private.account (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text NOT NULL, role name NOT NULL DEFAULT 'web_user', created_at timestamptz NOT NULL DEFAULT now());
CREATE UNIQUE INDEX account_email ON private.account (private.normal(email));
CREATE TABLE private.todo (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, owner uuid NOT NULL REFERENCES private.account ON DELETE CASCADE,
  task text NOT NULL, done boolean NOT NULL DEFAULT false, due date, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE private.todo ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON private.todo TO web_user USING (owner::text = private.claim('sub')) WITH CHECK (owner::text = private.claim('sub'));
CREATE TABLE private.note (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, todo bigint REFERENCES private.todo ON DELETE CASCADE, body text);
CREATE TABLE private.label (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL);
CREATE FUNCTION private.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON private.todo FOR EACH ROW EXECUTE FUNCTION private.touch();
CREATE VIEW api.todos AS SELECT id, task, done, due FROM private.todo;
CREATE MATERIALIZED VIEW private.totals AS SELECT owner, count(*) AS todos FROM private.todo GROUP BY owner;
CREATE UNIQUE INDEX totals_owner ON private.totals (owner);
CREATE FUNCTION api.finish(which bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$ UPDATE private.todo SET done = true WHERE id = which $$;
GRANT USAGE ON SCHEMA api TO web_anon, web_user;
GRANT SELECT ON api.todos TO web_user;
CREATE TABLE private.invitation (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, email text NOT NULL UNIQUE);
CREATE TABLE private.beta_tester (account uuid PRIMARY KEY REFERENCES private.account);
INSERT INTO private.account (email) SELECT 'Person' || i || '@api.example' FROM generate_series(1, 200) i;
INSERT INTO private.todo (owner, task) SELECT id, 'Task ' || i FROM private.account, generate_series(1, 5) i;
INSERT INTO private.note (todo, body) SELECT id, 'note' FROM private.todo;
INSERT INTO private.label (name) SELECT 'label ' || i % 10 FROM generate_series(1, 20) i;
INSERT INTO private.invitation (email) SELECT i || '@api.example' FROM generate_series(1, 20) i;
INSERT INTO private.beta_tester SELECT id FROM private.account LIMIT 20;
CREATE TABLE private.flag_0 (name text PRIMARY KEY);
INSERT INTO private.flag_0 VALUES ('dark mode');
REFRESH MATERIALIZED VIEW private.totals;
--: hourly
INSERT INTO private.account (email) VALUES ('Later' || :n || '@api.example');
INSERT INTO private.todo (owner, task) SELECT id, 'New' FROM private.account ORDER BY created_at DESC LIMIT 4;
INSERT INTO private.note (todo, body) SELECT id, 'later' FROM private.todo ORDER BY id DESC LIMIT 4;
SELECT api.finish(:n);
UPDATE private.todo SET due = current_date WHERE id % 53 = :n % 53;
--: nightly
REFRESH MATERIALIZED VIEW CONCURRENTLY private.totals;
DELETE FROM private.todo WHERE done AND id % 2 = 0;
DELETE FROM private.account WHERE email LIKE 'Later%' AND created_at < (SELECT max(created_at) FROM private.account) AND random() < 0.3;
CREATE TABLE private.import (LIKE private.label);
INSERT INTO private.import SELECT 1000 + i, 'imported' FROM generate_series(1, 50) i;
DROP TABLE private.import;
VACUUM ANALYZE private.todo;
--: weekly
SELECT :n - 1 AS before \gset
BEGIN;
CREATE TABLE private.flag_:n (name text PRIMARY KEY);
INSERT INTO private.flag_:n VALUES ('dark mode'), ('new menu');
DROP TABLE private.flag_:before;
CREATE OR REPLACE VIEW api.todos AS SELECT id, task, done, due FROM private.todo WHERE :n > 0;
ALTER TABLE private.account ADD COLUMN setting_:n text;
CREATE INDEX todo_due_:n ON private.todo (due, (:n));
DROP POLICY own ON private.todo;
CREATE POLICY own ON private.todo TO web_user USING (owner::text = private.claim('sub')) WITH CHECK (owner::text = private.claim('sub'));
INSERT INTO public.schema_migrations VALUES ('2025-' || :n);
COMMIT;
DROP INDEX private.todo_due_:n;
--: lock private.todo
--: loss
DROP TABLE private.invitation;
--: loss
DROP TABLE private.beta_tester;
--: defect PgIntegrityInvalidIndexes
\set ON_ERROR_STOP 0
CREATE UNIQUE INDEX CONCURRENTLY label_name ON private.label (name);
