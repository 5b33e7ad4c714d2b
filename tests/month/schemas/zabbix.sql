-- Monitoring, as Zabbix keeps it. 173 tables, 226 foreign keys, no identity columns.
--: unpacked zabbix-server-pgsql /schema.sql.gz /images.sql.gz
--: setup
INSERT INTO role (roleid, name, type) VALUES (1, 'user', 1), (3, 'super admin', 3);
INSERT INTO users (userid, username, roleid) VALUES (1, 'Admin', 3), (2, 'guest', 1);
INSERT INTO hstgrp (groupid, name, uuid) SELECT i, 'group ' || i, md5(i::text) FROM generate_series(1, 10) i;
INSERT INTO hosts (hostid, host, name) SELECT 10000 + i, 'host-' || i, 'Host ' || i FROM generate_series(1, 50) i;
INSERT INTO hosts_groups (hostgroupid, hostid, groupid) SELECT i, 10000 + i, 1 + i % 10 FROM generate_series(1, 50) i;
INSERT INTO items (itemid, hostid, name, key_) SELECT 20000 + i, 10001 + i % 50, 'CPU ' || i, 'cpu[' || i || ']' FROM generate_series(1, 500) i;
INSERT INTO housekeeper SELECT i, 'history', 'itemid', 20000 + i FROM generate_series(1, 20) i;
INSERT INTO trends SELECT 20000 + i, 0, 1, 0, 0, 0 FROM generate_series(1, 500) i;
INSERT INTO ids VALUES ('events', 'eventid', 1), ('problem', 'eventid', 1);
--: hourly
INSERT INTO history SELECT 20000 + i, extract(epoch FROM now())::int, random(), (random() * 999999999)::int FROM generate_series(1, 500, 7) i ON CONFLICT DO NOTHING;
BEGIN;
INSERT INTO events (eventid, source, object, objectid, clock, value, name)
  SELECT nextid + 1, 0, 0, 20001, extract(epoch FROM now())::int, 1, 'load is high' FROM ids WHERE table_name = 'events';
INSERT INTO problem (eventid, clock, name) SELECT max(eventid), extract(epoch FROM now())::int, 'load is high' FROM events;
UPDATE ids SET nextid = nextid + 1 WHERE table_name = 'events';
COMMIT;
UPDATE hosts SET lastaccess = extract(epoch FROM now())::int;
UPDATE users SET attempt_clock = extract(epoch FROM now())::int WHERE username = 'guest';
--: nightly
DELETE FROM problem WHERE eventid < (SELECT max(eventid) - 48 FROM problem);
DELETE FROM history WHERE ctid IN (SELECT ctid FROM history ORDER BY clock LIMIT 500);
INSERT INTO hosts (hostid, host, name) VALUES (20000 + :n, 'discovered-' || :n, 'Discovered');
INSERT INTO hosts_groups (hostgroupid, hostid, groupid) VALUES (20000 + :n, 20000 + :n, 1);
DELETE FROM hosts WHERE hostid = 20000 + :n - 3;
VACUUM (ANALYZE) history;
REINDEX TABLE CONCURRENTLY history;
--: weekly
BEGIN;
CREATE TABLE module_:n (moduleid bigint PRIMARY KEY, hostid bigint NOT NULL REFERENCES hosts (hostid) ON DELETE CASCADE, id varchar(255) DEFAULT '' NOT NULL);
INSERT INTO module_:n SELECT hostid, hostid FROM hosts WHERE hostid < 20000;
ALTER TABLE users ADD COLUMN provided_:n timestamptz;
UPDATE dbversion SET mandatory = 6000000 + :n, optional = 6000000 + :n;
COMMIT;
--: lock hosts
--: loss
DROP TABLE housekeeper;
--: loss
DROP TABLE trends;
--: defect PgIntegrityForeignKeyNotEnforced
ALTER TABLE hosts_groups DISABLE TRIGGER ALL;
