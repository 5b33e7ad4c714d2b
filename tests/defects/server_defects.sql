-- Defects of the one database that the server's own checks read. The test plants all of them at once. The format is
-- that of defects.sql. $FILES is the directory of their files.

-- backup_stopped: the automatic one stopped, while others go on
DELETE FROM copies WHERE kind = 'hourly' AND made_at > now() - interval '9 hours';
--> backups/copies.hourly backup_age_seconds
--> backups/copies.hourly backup_missed_runs is 7

-- backup_failed: each of them failed, and the table says so
UPDATE copies SET status = 'failed' WHERE kind = 'full';
--> backups/copies.full unproven(missing)

-- dumps_stopped: the newest is two days old
\! rm "$FILES"/stopped/0.sql "$FILES"/stopped/1.sql
--> backups/stopped.dump backup_age_seconds
--> backups/stopped.dump backup_missed_runs is 1

-- dumps_cut_short: files are there, and far too small
\! truncate --no-create --size=100 "$FILES"/cut_short/0.sql "$FILES"/cut_short/1.sql
\! touch --date='1 hour ago' "$FILES"/cut_short/0.sql "$FILES"/cut_short/1.sql
--> backups/cut_short.dump backup_age_seconds
--> backups/cut_short.dump backup_missed_runs is 1

-- dumps_deleted_early: retention asks for two, and a rotation has left one
\! rm "$FILES"/thinned/1.sql "$FILES"/thinned/2.sql "$FILES"/thinned/3.sql
--> backups/thinned backup_retention_seconds

-- dumps_gone: all of them
\! rm "$FILES"/emptied/*.sql
--> backups/emptied unproven(missing)
--> backups/emptied.dump unproven(missing)

-- film_among_the_pictures: the directory must hold none
\! touch "$FILES/pictures/holiday.AVI"
--> files/FILES/pictures.*.avi file_count is 1

-- letter_lost: fewer than there must be
\! rm "$FILES/letters/2.pdf"
--> files/FILES/letters.*.pdf file_count is 2

-- superusers_added: one has the attribute, and one may become a superuser
CREATE ROLE boss SUPERUSER;
CREATE ROLE trainee IN ROLE postgres;
--> superusers unexpected_superusers is 2

-- entrances_forgotten: the log of entrances is empty
TRUNCATE entrances;
--> connections connection_log_silent is 1

-- stranger_connected: the test itself does that
--> connections unexpected_connections is 1
