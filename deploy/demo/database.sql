-- The database of REPORT.md, row for row, for psql on an empty database:
--
--     psql -v ON_ERROR_STOP=1 -f database.sql
--
-- All dates are shifted by one offset, so that now is the report's moment: 2025-12-10 14:32:21 IST
-- (Israel, +02:00), that is 12:32:21 UTC. The report gives times of logs in UTC.
\set QUIET on
SET client_min_messages = warning;
SET TimeZone = 'UTC';
SELECT extract(epoch FROM now() - timestamptz '2025-12-10 12:32:21+00') AS shift \gset

BEGIN;

-- A moment of the report, today.
CREATE FUNCTION pg_temp.then(written text) RETURNS timestamptz LANGUAGE sql
  AS $$ SELECT (written || '+00')::timestamptz + make_interval(secs => current_setting('demo.shift')::float8) $$;
SELECT set_config('demo.shift', :'shift', true) \g /dev/null
-- The same identifiers at every load.
CREATE FUNCTION pg_temp.id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
  AS $$ SELECT md5(kind || number)::uuid $$;

CREATE TABLE "User" (
  id uuid PRIMARY KEY, email text NOT NULL UNIQUE, username text NOT NULL, avatar_url text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserProfile" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", bio text, avatar_url text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "Game" (
  id uuid PRIMARY KEY, name text NOT NULL, icon bytea, icon_url text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "GameRequest" (
  id uuid PRIMARY KEY, sender_user_id uuid NOT NULL REFERENCES "User",
  recipient_user_id uuid NOT NULL REFERENCES "User", game_id uuid NOT NULL REFERENCES "Game",
  status text NOT NULL, message text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "ScheduledSession" (
  id uuid PRIMARY KEY, organizer_user_id uuid NOT NULL REFERENCES "User",
  second_player_id uuid REFERENCES "User", game_id uuid NOT NULL REFERENCES "Game",
  starts_at timestamptz, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserAvailability" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", day_of_week int, from_time time,
  to_time time, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserGamePreference" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", game_id uuid NOT NULL REFERENCES "Game",
  level int, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserFriends" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", friend_id uuid NOT NULL REFERENCES "User",
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserNotifications" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", message text,
  is_read boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "UserSession" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", token text,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "EmailVerification" (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES "User", code text,
  created_at timestamptz NOT NULL DEFAULT now());

CREATE TABLE "DeleteAuditLog" (
  id bigserial PRIMARY KEY, table_name text NOT NULL, row_data jsonb NOT NULL, deleted_by text NOT NULL,
  deleted_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "BackupLog" (
  id bigserial PRIMARY KEY, backup_type text NOT NULL, status text NOT NULL, details text,
  created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'));
CREATE TABLE "ConnectionAuditLog" (
  id bigserial PRIMARY KEY, username text, client_addr inet, connected_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE "ProtectionStatus" (
  id serial PRIMARY KEY, version text NOT NULL, enabled boolean NOT NULL, installed_at timestamptz NOT NULL,
  last_verified_at timestamptz NOT NULL);

-- Row 1 of each kind is the newest; the others lie at even steps before it, back to the start of 2025.
CREATE FUNCTION pg_temp.stamp(newest text, number int, of int) RETURNS timestamptz LANGUAGE sql
  AS $$ SELECT pg_temp.then(newest) - (number - 1) * ((newest::timestamp - timestamp '2025-01-01') / of) $$;

INSERT INTO "User"
  SELECT pg_temp.id('user', i), CASE i WHEN 1 THEN 'verifytest' ELSE 'player' || i END || '@example.com',
    CASE i WHEN 1 THEN 'verifytest' ELSE 'player' || i END,
    CASE WHEN i % 3 = 0 THEN 'https://cdn.example.com/avatars/' || i || '.png' END,
    pg_temp.stamp('2025-12-02 14:20:22', i, 22)
  FROM generate_series(1, 22) i;
INSERT INTO "UserProfile"
  SELECT pg_temp.id('profile', i), pg_temp.id('user', i), 'hello', NULL, pg_temp.stamp('2025-11-20 09:00:00', i, 11)
  FROM generate_series(1, 11) i;
INSERT INTO "Game"
  SELECT pg_temp.id('game', i), 'Game ' || i, NULL, 'https://cdn.example.com/games/' || i || '.png',
    pg_temp.stamp('2025-10-01 12:00:00', i, 12)
  FROM generate_series(1, 12) i;
INSERT INTO "GameRequest"
  SELECT pg_temp.id('request', i), pg_temp.id('user', 1 + i % 22), pg_temp.id('user', 1 + (i * 7 + 3) % 22),
    pg_temp.id('game', 1 + i % 12), (ARRAY['pending', 'accepted', 'declined'])[1 + i % 3], 'play tonight?',
    pg_temp.stamp('2025-11-26 12:47:59', i, 182)
  FROM generate_series(1, 182) i;
INSERT INTO "ScheduledSession"
  SELECT pg_temp.id('session', i), pg_temp.id('user', 1 + i % 22),
    CASE WHEN i % 4 <> 0 THEN pg_temp.id('user', 1 + (i * 5 + 1) % 22) END, pg_temp.id('game', 1 + i % 12),
    pg_temp.stamp('2025-11-28 20:00:00', i, 16), pg_temp.stamp('2025-11-26 13:35:47', i, 16)
  FROM generate_series(1, 16) i;
INSERT INTO "UserAvailability"
  SELECT pg_temp.id('availability', i), pg_temp.id('user', 1 + i % 22), i % 7, '18:00', '22:00',
    pg_temp.stamp('2025-11-25 18:00:00', i, 154)
  FROM generate_series(1, 154) i;
INSERT INTO "UserGamePreference"
  SELECT pg_temp.id('preference', i), pg_temp.id('user', 1 + i % 22), pg_temp.id('game', 1 + i % 12), i % 5,
    pg_temp.stamp('2025-11-24 17:00:00', i, 31)
  FROM generate_series(1, 31) i;
INSERT INTO "UserFriends"
  SELECT pg_temp.id('friends', i), pg_temp.id('user', i), pg_temp.id('user', i + 10),
    pg_temp.stamp('2025-11-01 10:00:00', i, 2)
  FROM generate_series(1, 2) i;
INSERT INTO "UserNotifications"
  SELECT pg_temp.id('notification', i), pg_temp.id('user', 1 + i % 22), 'you have a new game request',
    i % 2 = 0, pg_temp.stamp('2025-11-26 12:48:00', i, 111)
  FROM generate_series(1, 111) i;

INSERT INTO "BackupLog" (backup_type, status, details, created_at) VALUES
  ('Protection', 'success', 'Bulletproof v3.0 installed', pg_temp.then('2025-12-02 18:38:41') AT TIME ZONE 'UTC'),
  ('Local Auto', 'success', 'Automatic backup', pg_temp.then('2025-12-02 18:42:00') AT TIME ZONE 'UTC'),
  ('Auto (6h)', 'success', 'Scheduled backup', pg_temp.then('2025-12-03 00:00:00') AT TIME ZONE 'UTC'),
  ('Manual Restore', 'success', '22 users, 11 profiles, 12 games verified',
    pg_temp.then('2025-12-09 09:48:00') AT TIME ZONE 'UTC'),
  ('Manual', 'success', 'FK indexes added, duplicates removed',
    pg_temp.then('2025-12-09 10:22:00') AT TIME ZONE 'UTC');
INSERT INTO "ProtectionStatus" (version, enabled, installed_at, last_verified_at) VALUES
  ('v3.0', true, pg_temp.then('2025-12-02 18:38:41'), pg_temp.then('2025-12-02 18:38:41'));

-- "Every DELETE logged with full row data (JSON)": eleven row triggers. TRUNCATE passes them by.
CREATE FUNCTION public.log_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public."DeleteAuditLog" (table_name, row_data, deleted_by)
    VALUES (TG_TABLE_NAME, to_jsonb(OLD), session_user);
  RETURN OLD;
END $$;
DO $$
DECLARE core text;
BEGIN
  FOREACH core IN ARRAY ARRAY['User', 'UserProfile', 'Game', 'GameRequest', 'ScheduledSession', 'UserAvailability',
    'UserGamePreference', 'UserFriends', 'UserNotifications', 'UserSession', 'EmailVerification'] LOOP
    EXECUTE format('CREATE TRIGGER audit_delete AFTER DELETE ON %I FOR EACH ROW EXECUTE FUNCTION public.log_delete()', core);
  END LOOP;
  -- "FK indexes added"
  FOR core IN SELECT format('CREATE INDEX ON %s (%I)', c.conrelid::regclass, a.attname)
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace LOOP
    EXECUTE core;
  END LOOP;
END $$;

COMMIT;
ANALYZE;
