-- The catalogue of a backup program, as Bacula keeps it: few keys, much that is pruned.
--: unpacked bacula-director-pgsql /install/pgsql
--: setup
INSERT INTO client (name, uname) SELECT 'client-' || i, 'linux' FROM generate_series(1, 10) i;
INSERT INTO pool (name, pooltype, labelformat) VALUES ('Full', 'Backup', '*'), ('Incremental', 'Backup', '*');
INSERT INTO media (volumename, mediatype, volstatus, poolid) SELECT 'Vol-' || i, 'File', 'Append', 1 + i % 2 FROM generate_series(1, 30) i;
INSERT INTO path (path) SELECT '/srv/data/' || i || '/' FROM generate_series(1, 300) i;
INSERT INTO filename (name) SELECT 'file-' || i FROM generate_series(1, 300) i;
INSERT INTO snapshot (name, device, type, createtdate, createdate, volume) SELECT 'snapshot-' || i, '/dev/vg/' || i, 'lvm', 0, now(), '/srv' FROM generate_series(1, 10) i;
INSERT INTO cdimages (mediaid, lastburn) SELECT i, now() FROM generate_series(1, 10) i;
--: hourly
WITH started AS (
  INSERT INTO job (job, name, type, level, clientid, jobstatus, schedtime, starttime, jobtdate)
  VALUES ('nightly.' || clock_timestamp(), 'nightly', 'B', 'I', 1, 'R', now(), now(), 0) RETURNING jobid)
INSERT INTO file (fileindex, jobid, pathid, filenameid, lstat, md5)
  SELECT i, jobid, 1 + i % 300, 1 + i % 300, 'P0A BHhh', md5(i::text) FROM started, generate_series(1, 50) i;
UPDATE job SET jobstatus = 'T', endtime = now(), realendtime = now(), jobfiles = 50 WHERE jobstatus = 'R';
UPDATE media SET lastwritten = now(), voljobs = voljobs + 1 WHERE mediaid = 1 + :n % 30;
INSERT INTO log (jobid, time, logtext) SELECT max(jobid), now(), 'backup OK' FROM job;
--: nightly
BEGIN;
CREATE TEMPORARY TABLE delcandidates AS SELECT jobid FROM job ORDER BY jobid LIMIT 20;
DELETE FROM file WHERE jobid IN (SELECT jobid FROM delcandidates);
DELETE FROM log WHERE jobid IN (SELECT jobid FROM delcandidates);
INSERT INTO jobhisto SELECT * FROM job WHERE jobid IN (SELECT jobid FROM delcandidates);
DELETE FROM job WHERE jobid IN (SELECT jobid FROM delcandidates);
DROP TABLE delcandidates;
COMMIT;
CREATE TABLE batch_:n (fileindex int, path text, name text, lstat text);
INSERT INTO batch_:n SELECT i, '/srv/new/' || :n || '/', 'new-' || i, 'P0A' FROM generate_series(1, 100) i;
INSERT INTO path (path) SELECT DISTINCT path FROM batch_:n ON CONFLICT DO NOTHING;
DROP TABLE batch_:n;
VACUUM FULL log;
--: weekly
BEGIN;
ALTER TABLE media ADD COLUMN protected_:n smallint DEFAULT 0;
CREATE TABLE tag_:n (tagid serial PRIMARY KEY, jobid integer NOT NULL, tag text NOT NULL, UNIQUE (jobid, tag));
INSERT INTO tag_:n (jobid, tag) SELECT i, 'tag' FROM generate_series(1, 20) i;
UPDATE version SET versionid = versionid + 1;
COMMIT;
CREATE INDEX CONCURRENTLY media_protected_:n ON media (protected_:n);
REINDEX TABLE CONCURRENTLY file;
--: lock file
--: loss
DROP TABLE snapshot;
--: loss
DROP TABLE cdimages;
--: defect PgIntegrityDuplicateRows
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'path_name_idx'::regclass;
INSERT INTO path (path) VALUES ('/srv/data/1/');
UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = 'path_name_idx'::regclass;
