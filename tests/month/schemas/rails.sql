-- A shop of a Rails application: bigserial keys, timestamps without a zone, polymorphic rows, schema_migrations.
--: setup
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar NOT NULL, encrypted_password varchar NOT NULL DEFAULT '',
  created_at timestamp(6) NOT NULL DEFAULT now(), updated_at timestamp(6) NOT NULL DEFAULT now());
CREATE UNIQUE INDEX index_users_on_email ON users (email);
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL CONSTRAINT fk_rails_5b5ddfd518 REFERENCES users,
  title varchar, body text, created_at timestamp(6) NOT NULL DEFAULT now(), updated_at timestamp(6) NOT NULL DEFAULT now());
CREATE INDEX index_posts_on_user_id ON posts (user_id);
CREATE TABLE comments (id bigserial PRIMARY KEY, commentable_type varchar NOT NULL, commentable_id bigint NOT NULL,
  post_id bigint CONSTRAINT fk_rails_2fd19c0db7 REFERENCES posts ON DELETE CASCADE, body text, created_at timestamp(6) NOT NULL DEFAULT now());
CREATE INDEX index_comments_on_commentable ON comments (commentable_type, commentable_id);
CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, key varchar NOT NULL UNIQUE, filename varchar NOT NULL, byte_size bigint NOT NULL);
CREATE TABLE active_storage_attachments (id bigserial PRIMARY KEY, name varchar NOT NULL, record_type varchar NOT NULL, record_id bigint NOT NULL,
  blob_id bigint NOT NULL CONSTRAINT fk_rails_c3b3935057 REFERENCES active_storage_blobs);
CREATE TABLE legacy_orders (id serial PRIMARY KEY, total numeric NOT NULL);
CREATE TABLE legacy_coupons (id serial PRIMARY KEY, code varchar NOT NULL UNIQUE);
CREATE TABLE feature_0 (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, name varchar);
INSERT INTO schema_migrations VALUES ('20240101000000'), ('20240201000000');
INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now());
INSERT INTO users (email) SELECT 'user-' || i || '@shop.example' FROM generate_series(1, 500) i;
INSERT INTO posts (user_id, title) SELECT 1 + i % 500, 'Post ' || i FROM generate_series(1, 2000) i;
INSERT INTO comments (commentable_type, commentable_id, post_id) SELECT 'Post', i, i FROM generate_series(1, 2000) i;
INSERT INTO active_storage_blobs (key, filename, byte_size) SELECT md5(i::text), 'a.png', i FROM generate_series(1, 100) i;
INSERT INTO active_storage_attachments (name, record_type, record_id, blob_id) SELECT 'avatar', 'User', i, i FROM generate_series(1, 100) i;
INSERT INTO legacy_orders (total) SELECT i FROM generate_series(1, 50) i;
INSERT INTO legacy_coupons (code) SELECT 'C' || i FROM generate_series(1, 50) i;
INSERT INTO feature_0 (user_id, name) SELECT i, 'beta' FROM generate_series(1, 30) i;
--: hourly
INSERT INTO users (email) VALUES ('new-' || :n || '@shop.example');
INSERT INTO posts (user_id, title) SELECT id, 'Hello' FROM users ORDER BY id DESC LIMIT 3;
INSERT INTO comments (commentable_type, commentable_id, post_id) SELECT 'Post', id, id FROM posts ORDER BY id DESC LIMIT 10;
UPDATE posts SET body = 'edited', updated_at = now() WHERE id % 97 = :n % 97;
BEGIN; DELETE FROM posts WHERE id % 499 = :n % 499; ROLLBACK;
--: nightly
DELETE FROM posts WHERE id IN (SELECT id FROM posts ORDER BY id LIMIT 20);
CREATE UNLOGGED TABLE staging_users (id bigint PRIMARY KEY, score int);
INSERT INTO staging_users SELECT id, random() * 100 FROM users;
ANALYZE staging_users;
DROP TABLE staging_users;
REINDEX INDEX CONCURRENTLY index_users_on_email;
VACUUM ANALYZE;
--: weekly
SELECT :n - 1 AS before \gset
BEGIN;
CREATE TABLE feature_:n (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, name varchar);
INSERT INTO feature_:n (user_id, name) SELECT id, 'beta' FROM users WHERE id <= 30;
ALTER TABLE users ADD COLUMN setting_:n jsonb NOT NULL DEFAULT '{}';
INSERT INTO schema_migrations VALUES (20250000000000 + 2 * :n);
COMMIT;
CREATE INDEX CONCURRENTLY index_posts_on_title_:n ON posts (title, (:n));
BEGIN;
DROP TABLE feature_:before;
INSERT INTO schema_migrations VALUES (20250000000001 + 2 * :n);
COMMIT;
DROP INDEX CONCURRENTLY index_posts_on_title_:n;
ALTER TABLE posts ALTER COLUMN title TYPE text;
--: lock posts
--: loss
DROP TABLE legacy_orders;
--: loss
DROP TABLE legacy_coupons;
--: defect PgIntegrityForeignKeyViolations
SET session_replication_role = replica;
INSERT INTO comments (commentable_type, commentable_id, post_id) VALUES ('Post', 1, 987654321);
