-- Zones of a name server, as PowerDNS keeps them: CHECK constraints, serial columns, cascading deletes.
--: unpacked pdns-backend-pgsql /schema.pgsql.sql
--: setup
INSERT INTO domains (name, type) SELECT 'zone-' || i || '.example', 'NATIVE' FROM generate_series(1, 40) i;
INSERT INTO records (domain_id, name, type, content, ttl)
  SELECT d.id, h || '.' || d.name, 'A', '192.0.2.' || h, 3600 FROM domains d, generate_series(1, 10) h;
INSERT INTO supermasters VALUES ('192.0.2.1', 'ns1.example', 'hostmaster');
INSERT INTO comments (domain_id, name, type, modified_at, comment) SELECT id, name, 'A', 0, 'made by hand' FROM domains;
INSERT INTO cryptokeys (domain_id, flags, active, content) SELECT id, 257, true, 'key' FROM domains;
CREATE TABLE schema_migrations (version text PRIMARY KEY);
INSERT INTO schema_migrations VALUES ('4.7');
--: hourly
UPDATE domains SET notified_serial = coalesce(notified_serial, 0) + 1 WHERE id % 10 = :n % 10;
INSERT INTO records (domain_id, name, type, content, ttl)
  SELECT id, 'h' || :n || '.' || name, 'AAAA', '2001:db8::' || id, 300 FROM domains WHERE id % 5 = :n % 5;
DELETE FROM records WHERE id IN (SELECT id FROM records WHERE type = 'AAAA' ORDER BY id LIMIT 6);
--: nightly
BEGIN;
INSERT INTO domains (name, type) VALUES ('new-' || :n || '.example', 'NATIVE');
INSERT INTO records (domain_id, name, type, content) SELECT currval('domains_id_seq'), 'www.new-' || :n || '.example', 'A', '192.0.2.9';
COMMIT;
DELETE FROM domains WHERE name = 'new-' || :n - 2 || '.example';
BEGIN;
CREATE TABLE import_:n (LIKE records INCLUDING ALL);
INSERT INTO import_:n SELECT * FROM records WHERE domain_id <= 5;
DELETE FROM records WHERE domain_id <= 5;
INSERT INTO records SELECT * FROM import_:n;
DROP TABLE import_:n;
COMMIT;
VACUUM (FULL, ANALYZE) records;
--: weekly
BEGIN;
CREATE TABLE zone_audit_:n (id serial PRIMARY KEY, domain_id int NOT NULL REFERENCES domains (id) ON DELETE CASCADE, at timestamptz NOT NULL DEFAULT now());
INSERT INTO zone_audit_:n (domain_id) SELECT id FROM domains WHERE id <= 40;
ALTER TABLE domains ADD COLUMN note_:n text CHECK (length(note_:n) < 500);
SELECT :n - 1 AS before \gset
DROP TABLE IF EXISTS zone_audit_:before;
INSERT INTO schema_migrations VALUES ('4.8.' || :n);
COMMIT;
--: lock records
--: loss
DROP TABLE supermasters;
--: loss
DROP TABLE comments;
--: defect PgIntegritySequenceBehind
SELECT setval('records_id_seq', 1);
