// Written by alerts/generate.py, from alerts/alerts.yml and the first commands of each runbook.
#include "exporter/report/runbooks.h"

namespace pg_integrity {

namespace {

// clang-format off
constexpr Runbook kRunbooks[] = {
    {"pg_integrity_api_row_difference", "", "PgIntegrityApiRowDifference", {R"sh(curl -s --max-time 10 "$URL" | head -c 1000)sh", R"sh(pg_integrity_exporter explain --config "$CONFIG" --collector api_sync)sh"}},
    {"pg_integrity_api_slow_ratio", "above", "PgIntegrityApiSlow", {R"sh(curl -s -o /dev/null --max-time 30 -w 'connect %{time_connect} s, first byte %{time_starttransfer} s, all %{time_total} s\n' "$URL")sh"}},
    {"pg_integrity_api_up", "", "PgIntegrityApiDown", {R"sh(curl -sv -o /dev/null --max-time 10 "$URL")sh"}},
    {"pg_integrity_audit_log_recent_rows", "above", "PgIntegrityAuditLogTooManyRows", {R"sh(psql <<SQL
SELECT * FROM $LOG_TABLE ORDER BY "$LOG_TIME" DESC LIMIT 20;
SQL)sh"}},
    {"pg_integrity_audit_log_recent_rows", "below", "PgIntegrityAuditLogTooFewRows", {R"sh(psql <<SQL
SELECT count(*), max("$LOG_TIME") FROM $LOG_TABLE;
SQL)sh"}},
    {"pg_integrity_audit_trigger_enabled", "", "PgIntegrityAuditTriggerDisabled", {R"sh(psql <<SQL
SELECT tgname, tgenabled, tgqual IS NOT NULL AS conditional, tgfoid::regproc AS function,
  encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') AS body_sha256, pg_get_triggerdef(t.oid)
  FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid
 WHERE tgrelid = '"$SCHEMA"."$TABLE"'::regclass AND NOT tgisinternal ORDER BY tgname;
SQL)sh"}},
    {"pg_integrity_backup_age_seconds", "above", "PgIntegrityBackupOverdue", {R"sh(ls -ltr "$BACKUPS" | tail -n 5; df -h "$BACKUPS")sh", R"sh(psql <<SQL
SELECT * FROM $HISTORY ORDER BY "$HISTORY_TIME" DESC LIMIT 10;
SQL)sh", R"sh(aws s3 ls "$BUCKET/" | tail -n 5)sh", R"sh(pgbackrest info || barman list-backups all)sh"}},
    {"pg_integrity_backup_catalogue_age_seconds", "above", "PgIntegrityBackupCatalogueStale", {R"sh(ls -l --time-style=full-iso "$CATALOGUE"; date)sh"}},
    {"pg_integrity_backup_locations", "below", "PgIntegrityBackupCopiesMissing", {R"sh(curl -s "http://$INSTANCE/report.md" | grep -i "$SOURCE")sh"}},
    {"pg_integrity_backup_missed_runs", "", "PgIntegrityBackupFailures", {R"sh(systemctl list-timers --all | grep -iE 'backup|dump|backrest|barman')sh"}},
    {"pg_integrity_backup_proof_failed", "", "PgIntegrityBackupDamaged", {R"sh(ls -ltr "$BACKUPS" | tail -n 10; df -h "$BACKUPS"
grep -ls '"failed_level": *[1-9]' "$DRILLS"/*.json | xargs -r tail -n +1)sh"}},
    {"pg_integrity_backup_proof_level", "below", "PgIntegrityBackupNotProved", {R"sh(pg_integrity_exporter drill --config "$CONFIG" --server "$SERVER" --source "$SOURCE" --kind "$KIND" --proof-only)sh"}},
    {"pg_integrity_backup_proved", "", "PgIntegrityBackupProofTooOld", {R"sh(curl -s "http://$INSTANCE/report.md" | grep -F "$SOURCE")sh"}},
    {"pg_integrity_backup_retention_seconds", "below", "PgIntegrityBackupRetentionShort", {R"sh(ls -ltr "$BACKUPS" | head -n 20)sh", R"sh(psql <<SQL
SELECT * FROM $HISTORY ORDER BY "$HISTORY_TIME" LIMIT 10;
SQL)sh", R"sh(aws s3 ls "$BUCKET/" | head -n 20)sh", R"sh(pgbackrest info || barman list-backups all)sh"}},
    {"pg_integrity_backup_room_ratio", "below", "PgIntegrityBackupRoomShort", {R"sh(df -h "$BACKUPS"; ls -lS "$BACKUPS" | head -n 20)sh"}},
    {"pg_integrity_backup_size_ratio", "below", "PgIntegrityBackupTooSmall", {R"sh(ls -ltr "$BACKUPS" | tail -n 8)sh", R"sh(for one in "$BEFORE" "$BACKUP"; do pg_restore --list "$one" | grep -c 'TABLE DATA'; done)sh"}},
    {"pg_integrity_backup_wal_missing", "", "PgIntegrityBackupWalMissing", {R"sh(ls -ltr "$BACKUPS"; tail -n 8 "$BACKUPS"/*/backup_manifest)sh", R"sh(ls "$BACKUP/pg_wal" | head)sh"}},
    {"pg_integrity_checksum_failures", "above", "PgIntegrityChecksumFailures", {R"sh(psql -c 'SELECT datname, checksum_failures, checksum_last_failure FROM pg_stat_database WHERE checksum_failures > 0')sh"}},
    {"pg_integrity_collation_mismatch", "", "PgIntegrityCollationMismatch", {R"sh(psql <<SQL
SELECT datname, datcollversion, pg_database_collation_actual_version(oid) FROM pg_database WHERE datallowconn;
SELECT collname, collversion, pg_collation_actual_version(oid) FROM pg_collation
 WHERE collversion IS DISTINCT FROM pg_collation_actual_version(oid);
SQL)sh"}},
    {"pg_integrity_collector_success", "", "PgIntegrityCollectorFailing", {R"sh(curl -s "http://$INSTANCE/report.md" | grep -i '^| cause\|could not\|failed' | head -n 20)sh"}},
    {"pg_integrity_config_last_reload_successful", "", "PgIntegrityReloadFailed", {R"sh(pg_integrity_exporter config check --config "$CONFIG")sh"}},
    {"pg_integrity_conflicting_rows", "", "PgIntegrityConflictingRows", {R"sh(psql <<SQL
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT format('SELECT a.ctid, b.ctid, a.*, b.* FROM %s a JOIN %s b ON a.ctid < b.ctid AND %s LIMIT 20',
    conrelid::regclass, conrelid::regclass,
    string_agg(format('a.%I OPERATOR(%I.%s) b.%I', attname, nspname, oprname, attname), ' AND '))
  FROM pg_constraint, unnest(conkey, conexclop) AS part(number, operator)
  JOIN pg_attribute ON attnum = part.number
  JOIN pg_operator o ON o.oid = part.operator JOIN pg_namespace n ON n.oid = o.oprnamespace
 WHERE conrelid = '"$SCHEMA"."$TABLE"'::regclass AND conname = '$CONSTRAINT' AND attrelid = conrelid
 GROUP BY conrelid \gexec
SQL)sh", R"sh(psql <<SQL
SELECT pg_get_constraintdef(oid) FROM pg_constraint
 WHERE conrelid = '"$SCHEMA"."$TABLE"'::regclass AND conname = '$CONSTRAINT';
SQL)sh"}},
    {"pg_integrity_connection_log_silent", "", "PgIntegrityConnectionLogSilent", {R"sh(psql <<SQL
SELECT count(*), max("$LOG_TIME") FROM $LOG_TABLE;
SELECT max(backend_start) FROM pg_stat_activity WHERE backend_type = 'client backend';
SQL)sh"}},
    {"pg_integrity_constraint_broken_rows", "", "PgIntegrityConstraintBroken", {R"sh(psql <<SQL
SELECT format('SELECT ctid, * FROM %s WHERE (%s) IS FALSE LIMIT 20', conrelid::regclass,
    CASE contype WHEN 'c' THEN pg_get_expr(conbin, conrelid) ELSE format('%I IS NOT NULL', attname) END)
  FROM pg_constraint LEFT JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
 WHERE conrelid = '"$SCHEMA"."$TABLE"'::regclass AND conname = '$CONSTRAINT' \gexec
SQL)sh", R"sh(psql <<SQL
SELECT contypid::regtype AS domain, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contypid <> 0;
SQL)sh"}},
    {"pg_integrity_custom_", "", "PgIntegrityCustomViolated", {R"sh(pg_integrity_exporter explain --config "$CONFIG" --collector custom)sh"}},
    {"pg_integrity_custom_query_rows", "", "PgIntegrityCustomQueryRows", {R"sh(pg_integrity_exporter explain --config "$CONFIG" --collector custom)sh"}},
    {"pg_integrity_duplicate_rows", "", "PgIntegrityDuplicateRows", {R"sh(psql <<SQL
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SELECT format('SELECT %s, count(*), array_agg(ctid) FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1 LIMIT 20',
    columns, indrelid::regclass, coalesce(pg_get_expr(indpred, indrelid), 'true'), columns)
  FROM pg_index, LATERAL (
    SELECT string_agg(pg_get_indexdef(indexrelid, n, false), ', ') AS columns
      FROM generate_series(1, indnkeyatts) n) AS key
 WHERE indexrelid = '"$SCHEMA"."$KEY"'::regclass \gexec
SQL)sh", R"sh(pg_integrity_exporter explain --config "$CONFIG" --collector duplicates)sh"}},
    {"pg_integrity_file_count", "", "PgIntegrityFileCount", {R"sh(find "$DIRECTORY" -type f -name "$PATTERN" -printf '%TY-%Tm-%Td %TH:%TM %s %p\n' | sort | tail -n 20)sh"}},
    {"pg_integrity_foreign_key_enforced", "", "PgIntegrityForeignKeyNotEnforced", {R"sh(psql <<SQL
SELECT conname, tgrelid::regclass AS on_table, tgname, tgenabled FROM pg_constraint c
  JOIN pg_trigger ON tgconstraint = c.oid
 WHERE conrelid = '"$SCHEMA"."$TABLE"'::regclass AND conname = '$CONSTRAINT';
SQL)sh"}},
    {"pg_integrity_gone_objects", "", "PgIntegrityRedObjectsGone", {R"sh(curl -s "http://$INSTANCE/report.md" | grep -i 'vanished\|gone')sh"}},
    {"pg_integrity_heap_corrupt", "", "PgIntegrityHeapCorrupt", {R"sh(psql <<SQL
SELECT * FROM verify_heapam('"$SCHEMA"."$TABLE"', check_toast => true) LIMIT 20;
SQL)sh"}},
    {"pg_integrity_index_corrupt", "", "PgIntegrityIndexCorrupt", {R"sh(psql <<SQL
SELECT amname, CASE amname WHEN 'btree' THEN bt_index_check(c.oid, true) END
  FROM pg_class c JOIN pg_am a ON a.oid = relam WHERE c.oid = '"$SCHEMA"."$INDEX"'::regclass;
SQL)sh", R"sh(psql <<SQL
SELECT bt_index_check(indexrelid) FROM pg_index JOIN pg_class c ON indrelid = reltoastrelid
 WHERE c.oid = '"$SCHEMA"."$TABLE"'::regclass;
SQL)sh"}},
    {"pg_integrity_invalid_indexes", "", "PgIntegrityInvalidIndexes", {R"sh(psql <<SQL
SELECT indrelid::regclass, indexrelid::regclass, indisvalid, indisready, indisunique FROM pg_index WHERE NOT indisvalid;
SQL)sh"}},
    {"pg_integrity_inventory", "below", "PgIntegrityInventoryShrunk", {R"sh(psql <<SQL
SELECT oid::regclass AS newest_tables, pg_size_pretty(pg_table_size(oid)) FROM pg_class
 WHERE relkind IN ('r', 'p') AND oid >= 16384 ORDER BY oid DESC LIMIT 10;
SELECT tgrelid::regclass AS switched_off, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('D', 'R');
SQL)sh", R"sh(psql <<SQL
SELECT 'tables' AS type, count(*) FROM pg_class WHERE relkind IN ('r', 'p')
   AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
UNION ALL SELECT 'foreign_keys', count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
UNION ALL SELECT 'triggers', count(*) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'sequences', count(*) FROM pg_class WHERE relkind = 'S';
SQL)sh"}},
    {"pg_integrity_inventory_lost", "", "PgIntegrityObjectsLost", {R"sh(psql <<SQL
SELECT oid::regclass AS newest_tables, pg_size_pretty(pg_table_size(oid)) FROM pg_class
 WHERE relkind IN ('r', 'p') AND oid >= 16384 ORDER BY oid DESC LIMIT 10;
SELECT tgrelid::regclass AS switched_off, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('D', 'R');
SQL)sh"}},
    {"pg_integrity_media_unexpected_rows", "", "PgIntegrityMediaUnexpected", {R"sh(psql <<SQL
SELECT ctid, length("$COLUMN"::text), left("$COLUMN"::text, 80) FROM "$SCHEMA"."$TABLE"
 WHERE "$COLUMN" IS NOT NULL AND ("$COLUMN"::text !~* '^https?://' OR length("$COLUMN"::text) > 8192) LIMIT 20;
SQL)sh"}},
    {"pg_integrity_orphaned_rows", "", "PgIntegrityForeignKeyViolations", {R"sh(psql <<SQL
SELECT format('SELECT c.ctid, c.* FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s) LIMIT 20',
    conrelid::regclass, string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '),
    confrelid::regclass, string_agg(format('p.%I = c.%I', b.attname, a.attname), ' AND '))
  FROM pg_constraint, unnest(conkey, confkey) AS part(child, parent)
  JOIN pg_attribute a ON a.attnum = part.child JOIN pg_attribute b ON b.attnum = part.parent
 WHERE conrelid = '"$SCHEMA"."$TABLE"'::regclass AND conname = '$CONSTRAINT' AND contype = 'f'
   AND a.attrelid = conrelid AND b.attrelid = confrelid
 GROUP BY conrelid, confrelid \gexec
SQL)sh", R"sh(pg_integrity_exporter explain --config "$CONFIG" --collector orphans)sh"}},
    {"pg_integrity_own_excess_privileges", "above", "PgIntegrityOwnExcessPrivileges", {R"sh(pg_integrity_exporter grants --config "$CONFIG")sh", R"sh(psql <<SQL
SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles
 WHERE rolcanlogin AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication);
SQL)sh"}},
    {"pg_integrity_protection_age_seconds", "above", "PgIntegrityProtectionStale", {R"sh(psql <<SQL
SELECT now(), max("$VERIFIED_AT") FROM $STATUS_TABLE;
SQL)sh"}},
    {"pg_integrity_protection_enabled", "", "PgIntegrityProtectionDisabled", {R"sh(psql -c "SELECT * FROM $STATUS_TABLE LIMIT 20")sh"}},
    {"pg_integrity_query_slow_ratio", "above", "PgIntegrityQuerySlow", {R"sh(psql <<SQL
SELECT pid, now() - query_start AS since, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 80)
  FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid() ORDER BY 2 DESC NULLS LAST LIMIT 20;
SQL)sh"}},
    {"pg_integrity_recovery_point_age_seconds", "above", "PgIntegrityRecoveryPointTooOld", {R"sh(psql -c 'SELECT last_archived_wal, last_archived_time, failed_count, last_failed_wal, last_failed_time FROM pg_stat_archiver')sh"}},
    {"pg_integrity_replica_content_matches", "", "PgIntegrityReplicaContentDiffers", {R"sh(for one in "$DATABASE" "$COPY"; do
  psql -d "$one" -c "SELECT count(*), sum(hashtext(t::text)::bigint) FROM \"$SCHEMA\".\"$TABLE\" t"
done)sh"}},
    {"pg_integrity_replica_lag_seconds", "above", "PgIntegrityReplicaLag", {R"sh(psql "$COPY" <<SQL
SELECT now(), pg_is_in_recovery(), pg_last_xact_replay_timestamp(),
  CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS paused;
SQL)sh"}},
    {"pg_integrity_replica_row_difference", "", "PgIntegrityReplicaRowDifference", {R"sh(for one in "$DATABASE" "$COPY"; do
  psql -d "$one" -c "SELECT count(*) FROM \"$SCHEMA\".\"$TABLE\""
done)sh"}},
    {"pg_integrity_replica_up", "", "PgIntegrityReplicaDown", {R"sh(psql "$COPY" -c 'SELECT now(), pg_is_in_recovery()')sh"}},
    {"pg_integrity_restore_drill_age_seconds", "above", "PgIntegrityRestoreDrillOverdue", {R"sh(pg_integrity_exporter drill --config "$CONFIG" --server "$SERVER" --source "$SOURCE" --kind "$KIND")sh"}},
    {"pg_integrity_restore_drill_duration_seconds", "above", "PgIntegrityRestoreTooSlow", {R"sh(ls -t "$DRILLS"/drill-*.json | head -n 1 | xargs cat)sh"}},
    {"pg_integrity_restore_drill_orphaned_rows", "", "PgIntegrityRestoredRowsOrphaned", {R"sh(ls -t "$DRILLS"/drill-*.json | head -n 1 | xargs cat)sh"}},
    {"pg_integrity_restore_drill_success", "", "PgIntegrityRestoreDrillFailed", {R"sh(ls -t "$DRILLS"/drill-*.json | head -n 1 | xargs cat)sh"}},
    {"pg_integrity_restore_drill_unexplained_rows", "", "PgIntegrityRestoredRowsDiffer", {R"sh(ls -t "$DRILLS"/drill-*.json | head -n 1 | xargs cat)sh"}},
    {"pg_integrity_sequence_behind_values", "", "PgIntegritySequenceBehind", {R"sh(psql <<SQL
SELECT max("$COLUMN") AS newest, pg_get_serial_sequence('"$SCHEMA"."$TABLE"', '$COLUMN') AS sequence FROM "$SCHEMA"."$TABLE";
SELECT schemaname, sequencename, last_value, increment_by FROM pg_sequences ORDER BY 1, 2;
SQL)sh"}},
    {"pg_integrity_sequence_used_ratio", "above", "PgIntegritySequenceNearlyUsed", {R"sh(psql <<SQL
SELECT schemaname, sequencename, data_type, last_value, max_value, round(100.0 * last_value / max_value, 1) AS percent
  FROM pg_sequences WHERE last_value IS NOT NULL AND max_value > 0 ORDER BY percent DESC LIMIT 10;
SELECT attname, atttypid::regtype, pg_get_serial_sequence('"$SCHEMA"."$TABLE"', attname)
  FROM pg_attribute WHERE attrelid = '"$SCHEMA"."$TABLE"'::regclass AND attname = '$COLUMN';
SQL)sh"}},
    {"pg_integrity_series_dropped", "", "PgIntegritySeriesDropped", {R"sh(curl -s "http://$INSTANCE/metrics" | grep -o '^pg_integrity_[a-z_]*' | sort | uniq -c | sort -rn | head -n 10)sh"}},
    {"pg_integrity_slot_lost", "", "PgIntegritySlotLost", {R"sh(psql <<SQL
SELECT slot_name, slot_type, active, wal_status, safe_wal_size FROM pg_replication_slots;
SHOW max_slot_wal_keep_size;
SQL)sh"}},
    {"pg_integrity_slot_retained_bytes", "above", "PgIntegritySlotRetainsWal", {R"sh(psql <<SQL
SELECT slot_name, slot_type, active, active_pid, restart_lsn, wal_status,
  pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS kept FROM pg_replication_slots ORDER BY restart_lsn;
SQL)sh"}},
    {"pg_integrity_standby_lag_seconds", "above", "PgIntegrityStandbyLag", {R"sh(psql <<SQL
SELECT application_name, state, sync_state, sent_lsn, flush_lsn, replay_lsn, replay_lag FROM pg_stat_replication;
SQL)sh"}},
    {"pg_integrity_subscription_filling_seconds", "above", "PgIntegritySubscriptionUnfilled", {R"sh(psql <<SQL
SELECT s.subname, r.srrelid::regclass, r.srsubstate FROM pg_subscription s
  JOIN pg_subscription_rel r ON r.srsubid = s.oid WHERE r.srsubstate NOT IN ('r', 's');
SQL)sh"}},
    {"pg_integrity_table_future_rows", "", "PgIntegrityFutureRows", {R"sh(psql <<SQL
SELECT now(), ctid, "$COLUMN", * FROM "$SCHEMA"."$TABLE" WHERE "$COLUMN" > now() ORDER BY "$COLUMN" DESC LIMIT 20;
SQL)sh"}},
    {"pg_integrity_table_last_entry_age_seconds", "above", "PgIntegrityTableStale", {R"sh(psql <<SQL
SELECT max("$COLUMN"), now() - max("$COLUMN") AS age FROM "$SCHEMA"."$TABLE" WHERE "$COLUMN" <= now();
SQL)sh"}},
    {"pg_integrity_table_rows", "below", "PgIntegrityTableRowsTooFew", {R"sh(psql <<SQL
SELECT count(*) FROM "$SCHEMA"."$TABLE";
SELECT n_live_tup, n_tup_ins, n_tup_del, last_vacuum, last_autovacuum FROM pg_stat_user_tables
 WHERE relid = '"$SCHEMA"."$TABLE"'::regclass;
SQL)sh"}},
    {"pg_integrity_table_rows_drop_ratio", "above", "PgIntegrityTableRowsDropped", {R"sh(psql <<SQL
SELECT count(*) FROM "$SCHEMA"."$TABLE";
SELECT n_live_tup, n_tup_ins, n_tup_del, last_vacuum, last_autovacuum FROM pg_stat_user_tables
 WHERE relid = '"$SCHEMA"."$TABLE"'::regclass;
SQL)sh"}},
    {"pg_integrity_unaudited_deletes", "", "PgIntegrityUnexpectedDeletions", {R"sh(psql <<SQL
SELECT tgname, tgenabled, tgfoid::regproc FROM pg_trigger
 WHERE tgrelid = '"$SCHEMA"."$TABLE"'::regclass AND NOT tgisinternal;
SELECT n_live_tup, n_tup_ins, n_tup_del FROM pg_stat_user_tables WHERE relid = '"$SCHEMA"."$TABLE"'::regclass;
SQL)sh"}},
    {"pg_integrity_unexpected_connections", "", "PgIntegrityConnectionAnomalies", {R"sh(psql <<SQL
SELECT pid, usename, client_addr, application_name, backend_start, state, left(query, 80)
  FROM pg_stat_activity WHERE backend_type = 'client backend' ORDER BY backend_start;
SQL)sh"}},
    {"pg_integrity_unexpected_superusers", "", "PgIntegrityUnexpectedSuperusers", {R"sh(psql <<SQL
SELECT r.rolname, r.rolsuper, r.rolcanlogin, s.rolname AS may_become FROM pg_roles r
  LEFT JOIN pg_roles s ON s.rolsuper AND NOT r.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER')
 WHERE r.rolsuper OR s.rolsuper ORDER BY 1;
SQL)sh"}},
    {"pg_integrity_unexpected_writers", "", "PgIntegrityUnexpectedWriters", {R"sh(psql <<SQL
SELECT rolname, rolsuper FROM pg_roles WHERE rolcanlogin
   AND has_table_privilege(rolname, '"$SCHEMA"."$TABLE"', 'INSERT, UPDATE, DELETE, TRUNCATE');
SELECT relowner::regrole, relacl FROM pg_class WHERE oid = '"$SCHEMA"."$TABLE"'::regclass;
SQL)sh"}},
    {"pg_integrity_unsafe_setting", "", "PgIntegrityUnsafeSetting", {R"sh(psql <<SQL
SELECT name, setting, source, sourcefile, sourceline FROM pg_settings WHERE name = '$SETTING';
SELECT setrole::regrole, datname, setconfig FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase;
SQL)sh"}},
    {"pg_integrity_up", "", "PgIntegrityDatabaseDown", {R"sh(psql -c 'SELECT now(), pg_is_in_recovery(), pg_postmaster_start_time()')sh", R"sh(curl -s "http://$INSTANCE/report.md" | grep -i 'could not\|failed' | head)sh"}},
    {"pg_integrity_wal_archive_age_seconds", "above", "PgIntegrityWalArchiveLate", {R"sh(psql <<SQL
SELECT last_archived_wal, now() - last_archived_time AS age, failed_count FROM pg_stat_archiver;
SELECT pg_walfile_name(pg_current_wal_lsn());
SHOW archive_timeout;
SQL)sh"}},
    {"pg_integrity_wal_archive_failing", "", "PgIntegrityWalArchiveFailing", {R"sh(psql <<SQL
SELECT last_archived_wal, last_archived_time, last_failed_wal, last_failed_time, failed_count FROM pg_stat_archiver;
SHOW archive_command;
SQL)sh"}},
    {"pg_integrity_wal_ready_files", "above", "PgIntegrityWalFilesWaiting", {R"sh(psql <<SQL
SELECT count(*) AS files, pg_size_pretty(sum(size)) FROM pg_ls_waldir();
SELECT archived_count, last_archived_time, failed_count, last_failed_time FROM pg_stat_archiver;
SQL)sh"}},
};
// clang-format on

}  // namespace

std::span<const Runbook> all_runbooks() {
  return kRunbooks;
}

}  // namespace pg_integrity
