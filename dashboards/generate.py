#!/usr/bin/env python3
"""Writes the dashboards beside this file. No threshold is in here. Panels show values against the objectives that
the exporter exports from its configuration.

    dashboards/generate.py
"""
import json
import pathlib

from panels import (
    ALARM, COLLECTOR, DATABASE, FACT, FLOOR_SHARE, NEUTRAL, ONE, PLAIN, SERVER, SHARE, VERDICT, VERDICT_STEPS, YES,
    ZERO, column, dashboard, graph, series, stat, steps, table, timeline, words)

OVERVIEW, INTEGRITY, RECOVERY = "pg-integrity-overview", "pg-integrity-integrity", "pg-integrity-recovery"
AUDIT, SYNC, HEALTH = "pg-integrity-audit", "pg-integrity-sync", "pg-integrity-exporter"

# The address of the runbooks. The dashboard has a field for another one.
RUNBOOKS = "https://git.example/pg_integrity_exporter/blob/main/alerts/runbooks"

NOBODY = "UNKNOWN: no exporter answers"
NONE = "none known"

# How far a backup was proved.
LADDER = words({
    level: ("%d %s" % (level, text), NEUTRAL) for level, text in enumerate(
        ("on record", "plausible", "contents read", "decoded", "restored", "compared"))})


def worst(metric, scope=DATABASE, more=""):
    """The value of each row of a table, and the greatest one where instances disagree."""
    return "max by ($labels) (%s)" % series(metric, scope, more)


def least(metric, scope=DATABASE, more=""):
    return "min by ($labels) (%s)" % series(metric, scope, more)


def of_objective(value, objective, scope=DATABASE):
    return "max by ($labels) (%s / %s)" % (series(value, scope), series(objective, scope))


def verdict(question=None):
    """2 is violated, 1 unproven, 0 proven. A database that was watched within the day and is no longer on the page
    is unproven."""
    only = 'question="%s"' % question if question else ""

    def state(name):
        return series("verdict", DATABASE, ", ".join(filter(None, [only, 'state="%s"' % name])))

    return (
        "2 * %s or %s or last_over_time(%s[1d]) * 0 + 1 unless %s"
        % (state("violated"), state("unproven"), state("proven"), state("proven")))


def total(metric, scope=DATABASE, more=""):
    return "sum(%s)" % series(metric, scope, more)


def differing(metric, scope=DATABASE):
    """The number of series that are not 0."""
    return "sum(%s != bool 0)" % series(metric, scope)


def zero_stat(title, description, expression, to=None):
    return stat(title, description, expression, "not watched", thresholds=ZERO, to=to)


def answer(title, question, description, to):
    return stat(title, description, "max(%s)" % verdict(question), NOBODY,
                thresholds=VERDICT_STEPS, mappings=VERDICT, to=to)


def overview():
    alerts = table(
        "Alerts, the most severe first",
        "What is firing, by its rule. The runbook is linked from the name.",
        ["alertname", "server", "database"],
        [column("severity", 'max by ($labels) (2 * ALERTS{alertname=~"PgIntegrity.+", alertstate="firing",'
                            ' severity="critical", instance=~"$instance|", server=~"$server|"}'
                            ' or ALERTS{alertname=~"PgIntegrity.+", alertstate="firing", severity="warning",'
                            ' instance=~"$instance|", server=~"$server|"})',
                thresholds=VERDICT_STEPS, mappings=words({1: ("warning", "#F0E442"), 2: ("critical", "#D55E00")}),
                worst="high")],
        "Nothing is firing, or no rules are loaded: PgIntegrityWatchdog tells")
    alerts["fieldConfig"]["overrides"].append({
        "matcher": {"id": "byName", "options": "alertname"},
        "properties": [{"id": "links", "value": [{
            "title": "Runbook", "targetBlank": True, "url": "${runbooks}/${__data.fields.alertname}.md"}]}]})
    return dashboard(
        OVERVIEW, "pg_integrity / Validation overview",
        "Is the data intact? Could we get it back? When was each of these last proved?",
        [
            (5, [
                (5, answer("Is the data intact?", "intact",
                           "The worst answer of all databases chosen above. Violated: the last look that succeeded"
                           " broke an expectation. Unproven: nobody could look, or too long ago.", INTEGRITY)),
                (5, answer("Could we get it back?", "recoverable",
                           "The worst answer of all databases chosen above: backups of every kind, their age, missed"
                           " runs, retention, proofs; the recovery point; restore drills.", RECOVERY)),
                (5, answer("Does it answer as promised?", "service",
                           "The worst answer of all databases chosen above: endpoints, queries, copies.", SYNC)),
                (5, stat("When was that last proved?",
                         "How long ago the most overdue collector ended its last full pass."
                         " Whether that is too long says the panel beside it.",
                         "max(time() - %s)" % series("collector_last_success_timestamp_seconds", COLLECTOR),
                         "NEVER: no look was completed", unit="s", to=HEALTH)),
                (4, stat("Is a proof overdue?",
                         "Collectors that have not completed a look within three intervals; the deadline is"
                         " exported.",
                         "max(time() > bool %s)" % series("collector_deadline_timestamp_seconds", COLLECTOR),
                         NOBODY, thresholds=ZERO, mappings=words({0: ("IN TIME", "#009E73"), 1: ("OVERDUE", "#D55E00")}),
                         to=HEALTH)),
            ]),
            "What is wrong, and where",
            (9, [
                (12, table(
                    "Answers by database, the worst first",
                    "One line for each database and question. A database that vanished within the day is unproven.",
                    ["server", "database", "question"],
                    [column("answer", "max by ($labels) (%s)" % verdict(), thresholds=VERDICT_STEPS,
                            mappings=VERDICT, worst="high"),
                     column("reachable", "max by ($labels) (%s * 0 + on (instance, server, database) group_left %s)"
                            % (series("verdict", DATABASE, 'state="proven"'), series("up")),
                            thresholds=ONE, mappings=YES)],
                    NOBODY, to=INTEGRITY)),
                (12, alerts),
            ]),
            (9, [
                (12, table(
                    "Collectors with violated objects, the worst first",
                    "Violated objects stay until somebody has looked again and found them repaired.",
                    ["server", "database", "collector"],
                    [column("violated", worst("objects", COLLECTOR, 'state="violated"') + " > 0",
                            thresholds=ZERO, worst="high")],
                    "Nothing is violated, if the answers above are there", to=INTEGRITY)),
                (12, table(
                    "What could not be proved, and why",
                    "Causes by reason, each once. One without a collector stops several. Not configured and pending page nobody.",
                    ["server", "database", "collector", "reason"],
                    [column("unproven", worst("unproven_objects", COLLECTOR), thresholds=VERDICT_STEPS,
                            worst="high")],
                    "Nothing is unproven, if the answers above are there", to=HEALTH)),
            ]),
            "Over time",
            (8, [
                (24, timeline("Answers", "The three answers of each database, as they were.",
                              "max by (server, database, question) (%s)" % verdict(),
                              "{{server}} {{database}} {{question}}", NOBODY, VERDICT, VERDICT_STEPS)),
            ]),
            (8, [
                (24, graph("Judged objects by state",
                           "What the answers rest on. A line that drops without a deployment is a finding of its"
                           " own: something is no longer looked at.",
                           [("sum by (state) (%s)" % series("objects", COLLECTOR), "{{state}}")], NOBODY)),
            ]),
        ],
        [{"type": "textbox", "name": "runbooks", "label": "Runbooks", "hide": 0, "skipUrlSync": False,
          "query": RUNBOOKS, "options": [], "current": {"text": RUNBOOKS, "value": RUNBOOKS}}])


def integrity():
    key = ["server", "database", "schema", "table", "constraint"]
    rows = ["server", "database", "schema", "table"]
    entries = rows + ["column"]
    return dashboard(
        INTEGRITY, "pg_integrity / Integrity", "Rows, keys, tables, storage, files, and queries of your own.",
        [
            (4, [
                (4, answer("Is the data intact?", "intact", "The worst answer of all databases chosen above.",
                           OVERVIEW)),
                (4, zero_stat("Orphaned rows", "Rows whose foreign key refers to no existing row.",
                              total("orphaned_rows"))),
                (4, zero_stat("Duplicate rows", "Surplus rows of unique keys, counted without trusting the index.",
                              total("duplicate_rows"))),
                (4, zero_stat("Missing objects", "Pinned objects that are missing, and learned ones that are gone or off.",
                              "(sum(clamp_min(%s - %s, 0)) or vector(0)) + sum(%s)" % (
                                  series("inventory_min"), series("inventory"), series("inventory_lost")))),
                (4, zero_stat("Failed checksums", "Pages that failed their checksum beyond those acknowledged.",
                              "sum(clamp_min(%s - %s, 0)) or sum(%s)" % (
                                  series("checksum_failures"), series("checksum_failures_acknowledged"),
                                  series("checksum_failures")))),
                (4, zero_stat("Corrupt or invalid indexes",
                              "B-tree indexes that amcheck finds corrupt, and indexes that are not valid.",
                              "sum(%s or %s)" % (series("index_corrupt"), series("invalid_indexes")))),
            ]),
            "Keys",
            (10, [
                (12, table(
                    "Foreign keys, the worst first",
                    "Orphans are counted, whatever the catalog says. Not enforced: wrong rows are let in. Without"
                    " an index, deletes of parents scan the whole child.",
                    key + ["referenced_schema", "referenced_table"],
                    [column("orphans", "max by ($labels) (%s * on (instance, server, database, schema, table,"
                            " constraint) group_left (referenced_schema, referenced_table) %s)"
                            % (series("orphaned_rows"), series("foreign_key_info")), thresholds=ZERO, worst="high")]
                    + [column(name, "max by ($labels) (%s * on (instance, server, database, schema, table,"
                              " constraint) group_left (referenced_schema, referenced_table) %s)"
                              % (series("foreign_key_" + name), series("foreign_key_info")),
                              thresholds=ONE if mapping is YES else PLAIN, mappings=mapping)
                       for name, mapping in (("enforced", YES), ("validated", FACT), ("indexed", FACT))],
                    "No key was looked at", report=["orphans", "schema", "table", "constraint"])),
                (12, table(
                    "Unique keys, the worst first", "Surplus rows: those beyond the first of each value of the key.",
                    rows + ["key"],
                    [column("duplicates", worst("duplicate_rows"), thresholds=ZERO, worst="high")],
                    "No key was looked at", report=["duplicates", "schema", "table", "key"])),
            ]),
            (8, [
                (24, table(
                    "Other constraints, the worst first",
                    "Rows that conflict under an exclusion constraint or a key WITHOUT OVERLAPS, and rows that break a"
                    " CHECK or NOT NULL constraint that is NOT VALID or NOT ENFORCED.",
                    key,
                    [column("conflicting", worst("conflicting_rows"), thresholds=ZERO, worst="high"),
                     column("broken", worst("constraint_broken_rows"), thresholds=ZERO)]
                    + [column(name, worst("constraint_" + name), mappings=FACT)
                       for name in ("validated", "enforced", "compared")],
                    "There is no such constraint", report=["constraints", "schema", "table", "constraint"])),
            ]),
            "Tables",
            (10, [
                (14, table(
                    "Rows, the worst first",
                    "Counted exactly, or estimated above the size gate. The share of the limit is what is there of"
                    " what must be; the drop is the share that vanished within the window, of what may.",
                    rows,
                    [column("of the limit", "min by ($labels) (%s / %s)" % (
                        series("table_rows"), series("table_rows_min")), "percentunit", FLOOR_SHARE, worst="low"),
                     column("rows", worst("table_rows")), column("at least", worst("table_rows_min")),
                     column("estimate", worst("table_rows_estimate")),
                     column("dropped", worst("table_rows_drop_ratio"), "percentunit"),
                     column("may drop", worst("table_rows_drop_ratio_max"), "percentunit"),
                     column("of", worst("table_rows_drop_reference")),
                     column("since", "1000 * max by ($labels) (%s)"
                            % series("table_rows_drop_reference_timestamp_seconds"), "dateTimeAsIso")],
                    "No table was counted", report=["row_counts", "schema", "table"])),
                (10, table(
                    "There must be, and there is",
                    "Pinned by `expect`: at least so many. Learned: lost are those that are gone or switched off.",
                    ["server", "database", "type"],
                    [column("of the limit", "min by ($labels) (%s / (%s > 0))" % (
                        series("inventory"), series("inventory_min")), "percentunit", FLOOR_SHARE, worst="low"),
                     column("there are", worst("inventory")), column("at least", worst("inventory_min")),
                     column("lost", worst("inventory_lost"), thresholds=ZERO)],
                    "Nothing was counted")),
            ]),
            (9, [
                (24, table(
                    "Entries, the oldest first",
                    "Time since the newest row, and of its objective where one is configured. No entries today may"
                    " be normal; rows from the future never are.",
                    entries,
                    [column("of its objective", of_objective(
                        "table_last_entry_age_seconds", "table_last_entry_max_age_seconds"), "percentunit", SHARE),
                     column("last entry", "1000 * max by ($labels) (%s)"
                            % series("table_last_entry_timestamp_seconds"), "dateTimeAsIso"),
                     column("age", "max by ($labels) (time() - %s)"
                            % series("table_last_entry_timestamp_seconds"), "s", worst="high"),
                     column("today", worst("table_rows_created_today")),
                     column("from the future", worst("table_future_rows"), thresholds=ZERO),
                     column("undated", worst("table_undated_rows"))],
                    "No table has a time that is watched", report=["freshness", "schema", "table", "column"])),
            ]),
            (8, [
                (24, graph("Rows over time", "Each table's rows as counted; deletions are steps downwards.",
                           [("max by (server, database, schema, table) (%s)" % series("table_rows"),
                             "{{server}} {{database}} {{schema}}.{{table}}")], "No table was counted")),
            ]),
            "Storage",
            (8, [
                (12, table(
                    "Sequences behind their column, the worst first",
                    "Next values that the column has reached already: the next inserts fail.", entries,
                    [column("behind", worst("sequence_behind_values"), thresholds=ZERO, worst="high")],
                    "No sequence belongs to a column", report=["storage", "schema", "table", "column"])),
                (12, table(
                    "What damage would show by",
                    "Checksums off, or amcheck not usable: damage goes unnoticed. Unlogged tables are empty after a"
                    " crash. Objects that went before the exporter's memory began are not missed.",
                    ["server", "database"],
                    [column("checksums", least("checksums_enabled"), mappings=FACT, worst="low"),
                     column("amcheck", least("amcheck_usable"), mappings=FACT),
                     column("unlogged tables", worst("unlogged_tables")),
                     column("remembered since", "1000 * max by ($labels) (%s)"
                            % series("memory_since_timestamp_seconds"), "dateTimeAsIso")],
                    "Storage was not looked at")),
            ]),
            (8, [
                (8, table(
                    "Invalid indexes", "Not valid and not being built: they answer nothing.",
                    ["server", "database", "schema"],
                    [column("invalid", worst("invalid_indexes"), thresholds=ZERO, worst="high")],
                    "Indexes were not looked at", report=["storage", "schema"])),
                (8, table(
                    "Corrupt indexes", "As amcheck finds them, one at a time.",
                    ["server", "database", "schema", "table", "index"],
                    [column("corrupt", worst("index_corrupt"), thresholds=ZERO, mappings=ALARM, worst="high")],
                    "amcheck checked no index", report=["amcheck", "schema", "table", "index"])),
                (8, table(
                    "Collations", "Of another version than their indexes were built by: order, and so keys, may be"
                    " wrong.",
                    ["server", "database", "schema", "collation"],
                    [column("mismatch", worst("collation_mismatch"), thresholds=ZERO, mappings=ALARM,
                            worst="high")],
                    "No collation has a version", report=["storage", "schema", "collation"])),
            ]),
            (8, [
                (12, table(
                    "Checksums", "Pages that failed, those that are known, and when the last one did.",
                    ["server", "database", "pages"],
                    [column("failed", worst("checksum_failures"), worst="high"),
                     column("acknowledged", worst("checksum_failures_acknowledged")),
                     column("last failure", "1000 * max by ($labels) (%s)"
                            % series("checksum_last_failure_timestamp_seconds"), "dateTimeAsIso")],
                    "Checksums are off, or were not looked at", report=["storage", "pages"])),
                (12, table(
                    "Media, the worst first", "Rows whose value is not what the configuration says.", entries,
                    [column("unexpected", worst("media_unexpected_rows"), thresholds=ZERO, worst="high"),
                     column("size", worst("media_bytes"), "bytes")],
                    "No column is configured", report=["media", "schema", "table", "column"])),
            ]),
            "Files and queries of your own",
            (8, [
                (12, table(
                    "Files", "Regular files that match, and how many there may be.",
                    ["server", "path", "pattern"],
                    [column("files", worst("file_count", SERVER), worst="high"),
                     column("at least", worst("file_count_min", SERVER)),
                     column("at most", worst("file_count_max", SERVER)),
                     column("size", worst("file_bytes", SERVER), "bytes")],
                    "No directory is configured")),
                (12, table(
                    "Queries of your own", "Rows that each returned, and how many it may.",
                    ["server", "database", "query"],
                    [column("rows", worst("custom_query_rows"), worst="high"),
                     column("at least", worst("custom_query_rows_min")),
                     column("at most", worst("custom_query_rows_max"))],
                    "No query is configured", report=["custom", "query"])),
            ]),
        ])


def recovery():
    kind = ["server", "source", "kind"]
    return dashboard(
        RECOVERY, "pg_integrity / Backup and recovery",
        "Could we get it back? Backups of every kind, the recovery point and restore drills against their objectives.",
        [
            (4, [
                (6, answer("Could we get it back?", "recoverable",
                           "The worst answer of all databases chosen above.", OVERVIEW)),
                (6, stat("Age of the newest backup, of its objective",
                         "The worst kind that has an objective: 100 % is schedule plus grace. Without any backup"
                         " there is no age.",
                         "max(%s / %s)" % (series("backup_age_seconds", SERVER),
                                           series("backup_max_age_seconds", SERVER)),
                         "NO AGE: no backup with an objective is known", unit="percentunit", thresholds=SHARE)),
                (6, zero_stat("Missed runs", "Scheduled runs since the newest success that left no backup.",
                              total("backup_missed_runs", SERVER))),
                (6, stat("Oldest backup, of its retention",
                         "How far back one can go, as a share of what is promised: less than 100 % while the"
                         " history is younger, or because copies went too early.",
                         "min(%s / %s)" % (series("backup_retention_seconds", SERVER),
                                           series("backup_retention_min_seconds", SERVER)),
                         "NOT KNOWN: no retention is configured, or no backup is known", unit="percentunit",
                         thresholds=FLOOR_SHARE)),
            ]),
            (4, [
                (6, stat("Recovery point, of its objective",
                         "What would be lost if a server were lost now: the age of the newest provably recoverable"
                         " point. The worst server that has an objective.",
                         "max(%s / %s)" % (series("recovery_point_age_seconds", SERVER),
                                           series("recovery_point_objective_seconds", SERVER)),
                         "NOT KNOWN: no objective is configured, or nothing is recoverable", unit="percentunit",
                         thresholds=SHARE)),
                (6, stat("Recovery time, of its objective",
                         "How long the newest successful drill took until the copy could be used. The worst kind that"
                         " has an objective.",
                         "max(%s / %s)" % (series("restore_drill_duration_seconds", SERVER),
                                           series("restore_drill_objective_seconds", SERVER)),
                         "NOT KNOWN: no objective is configured, or no drill has succeeded", unit="percentunit",
                         thresholds=SHARE)),
                (6, stat("Newest successful drill, of what it may be old",
                         "The kind that waits longest. A backup that was never restored is a hope.",
                         "max(%s / %s)" % (series("restore_drill_age_seconds", SERVER),
                                           series("restore_drill_max_age_seconds", SERVER)),
                         "NEVER: no drill is on record", unit="percentunit", thresholds=SHARE)),
                (6, zero_stat("Damaged backups", "That are there and that a proof found damaged.",
                              total("backup_proof_failed", SERVER))),
            ]),
            (9, [
                (14, table(
                    "Backups by kind, the worst first",
                    "A manual backup never stands in for a scheduled one: each kind has its own line.", kind,
                    [column("of its objective", of_objective(
                        "backup_age_seconds", "backup_max_age_seconds", SERVER), "percentunit", SHARE, worst="high"),
                     column("age", worst("backup_age_seconds", SERVER), "s"),
                     column("at most", worst("backup_max_age_seconds", SERVER), "s"),
                     column("newest", "1000 * max by ($labels) (%s)"
                            % series("backup_last_success_timestamp_seconds", SERVER), "dateTimeAsIso"),
                     column("missed", worst("backup_missed_runs", SERVER), thresholds=ZERO),
                     column("size", worst("backup_last_size_bytes", SERVER), "bytes"),
                     column("of its least size", "min by ($labels) (%s / %s)" % (
                         series("backup_size_ratio", SERVER), series("backup_size_ratio_min", SERVER)),
                         "percentunit", FLOOR_SHARE),
                     column("places, of those asked for", "min by ($labels) (%s / %s)" % (
                         series("backup_locations", SERVER), series("backup_locations_min", SERVER)),
                         "percentunit", FLOOR_SHARE),
                     column("room for the next, of that asked for", "min by ($labels) (%s / %s)" % (
                         series("backup_room_ratio", SERVER), series("backup_room_ratio_min", SERVER)),
                         "percentunit", FLOOR_SHARE)],
                    "No backup is configured", report=["backups", "source", "kind"])),
                (10, table(
                    "Sources", "How far back each goes, and rows of a history that nobody has declared.",
                    ["server", "source"],
                    [column("of its retention", "min by ($labels) (%s / %s)" % (
                        series("backup_retention_seconds", SERVER),
                        series("backup_retention_min_seconds", SERVER)), "percentunit", FLOOR_SHARE, worst="low"),
                     column("reaches back", worst("backup_retention_seconds", SERVER), "s"),
                     column("at least", worst("backup_retention_min_seconds", SERVER), "s"),
                     column("oldest", "1000 * min by ($labels) (%s)"
                            % series("backup_oldest_timestamp_seconds", SERVER), "dateTimeAsIso"),
                     column("unrecognised", worst("backup_unrecognised_rows", SERVER)),
                     column("age of its list, of its objective", of_objective(
                         "backup_catalogue_age_seconds", "backup_catalogue_max_age_seconds", SERVER),
                         "percentunit", SHARE)],
                    "No backup is configured", report=["backups", "source"])),
            ]),
            "Proofs",
            (8, [
                (12, table(
                    "Proof of the newest backup, the least first",
                    "How far the newest backup that counts was proved, and what is asked for. Damaged: files that a"
                    " proof disproved; without their log: base backups that lack WAL. They never count.", kind,
                    [column("as asked", "min by ($labels) (%s >= bool %s)" % (
                        series("backup_proof_level", SERVER), series("backup_proof_level_min", SERVER)),
                        thresholds=ONE, mappings=YES),
                     column("level", least("backup_proof_level", SERVER), mappings=LADDER, worst="low"),
                     column("asked for", worst("backup_proof_level_min", SERVER), mappings=LADDER),
                     column("newest looked into", worst("backup_proven_age_seconds", SERVER), "s"),
                     column("damaged", worst("backup_proof_failed", SERVER), thresholds=ZERO),
                     column("without their log", worst("backup_wal_missing", SERVER), thresholds=ZERO)],
                    "No backup is known", report=["backups", "source", "kind"])),
                (12, timeline(
                    "Proof level over time", "Of the newest backup that counts; a new one begins anew.",
                    "min by (server, source, kind) (%s)" % series("backup_proof_level", SERVER),
                    "{{server}} {{source}} {{kind}}", "No backup is known", LADDER, PLAIN)),
            ]),
            "Restore drills",
            (8, [
                (14, table(
                    "Drills by kind, the worst first",
                    "Ages and times are those of the newest success: a failed drill makes none of them younger.", kind,
                    [column("of its objective", of_objective(
                        "restore_drill_age_seconds", "restore_drill_max_age_seconds", SERVER), "percentunit", SHARE,
                        worst="high"),
                     column("succeeded", least("restore_drill_success", SERVER), thresholds=ONE, mappings=YES),
                     column("newest success", "1000 * max by ($labels) (%s)"
                            % series("restore_drill_last_success_timestamp_seconds", SERVER), "dateTimeAsIso"),
                     column("of a backup of", "1000 * max by ($labels) (%s)"
                            % series("restore_drill_backup_timestamp_seconds", SERVER), "dateTimeAsIso"),
                     column("recovery time", worst("restore_drill_duration_seconds", SERVER), "s"),
                     column("at most", worst("restore_drill_objective_seconds", SERVER), "s")],
                    "No drill is on record", report=["restore_drill", "source", "kind"])),
                (10, table(
                    "Restored tables, the worst first",
                    "Of the newest drill: rows that are missing, too many or others, and rows whose parent is missing.",
                    kind + ["schema", "table"],
                    [column("unexplained", worst("restore_drill_unexplained_rows", SERVER), thresholds=ZERO,
                            worst="high"),
                     column("orphaned", worst("restore_drill_orphaned_rows", SERVER), thresholds=ZERO)],
                    "No drill has compared a table", report=["restore_drill", "source", "kind", "schema", "table"])),
            ]),
            (8, [
                (12, graph("Recovery point",
                           "How much would be lost; each backup, or archived segment, brings the line down.",
                           [("max by (server) (%s)" % series("recovery_point_age_seconds", SERVER), "{{server}}"),
                            ("max by (server) (%s)" % series("recovery_point_objective_seconds", SERVER),
                             "{{server}}: at most")],
                           "Nothing is known to be recoverable", unit="s")),
                (12, graph("Recovery time by phase",
                           "Of the newest drill. To compare and to check comes after the copy could be used.",
                           [("max by (server, source, kind, phase) (%s)"
                             % series("restore_drill_phase_duration_seconds", SERVER),
                             "{{server}} {{source}} {{kind}}: {{phase}}"),
                            ("max by (server, source, kind) (%s)" % series("restore_drill_objective_seconds", SERVER),
                             "{{server}} {{source}} {{kind}}: at most")],
                           "No drill is on record", unit="s")),
            ]),
            "The write-ahead log on its way out",
            (8, [
                (12, table(
                    "Archivers, the worst first", "Of servers that archive: whether it works, and what waits for it.",
                    ["server"],
                    [column("fails", worst("wal_archive_failing", SERVER), thresholds=ZERO, mappings=ALARM,
                            worst="high"),
                     column("failures", worst("wal_archive_failures", SERVER)),
                     column("archived before", worst("wal_archive_age_seconds", SERVER), "s"),
                     column("of its objective", of_objective(
                         "wal_archive_age_seconds", "wal_archive_max_age_seconds", SERVER), "percentunit", SHARE),
                     column("waiting", worst("wal_ready_files", SERVER)),
                     column("of what may wait", of_objective(
                         "wal_ready_files", "wal_ready_files_max", SERVER), "percentunit", SHARE)],
                    "No server archives", report=["wal"])),
                (6, table(
                    "Standbys, the worst first", "As the server sees them.", ["server", "standby"],
                    [column("of its objective", of_objective(
                        "standby_lag_seconds", "standby_lag_max_seconds", SERVER), "percentunit", SHARE, worst="high"),
                     column("behind", worst("standby_lag_seconds", SERVER), "s"),
                     column("to replay", worst("standby_lag_bytes", SERVER), "bytes")],
                    "No standby is connected", report=["wal", "standby"])),
                (6, table(
                    "Replication slots, the worst first", "What the server keeps for them fills its disk.",
                    ["server", "slot"],
                    [column("of its objective", of_objective(
                        "slot_retained_bytes", "slot_retained_max_bytes", SERVER), "percentunit", SHARE,
                        worst="high"),
                     column("kept", worst("slot_retained_bytes", SERVER), "bytes"),
                     column("lost", worst("slot_lost", SERVER), thresholds=ZERO, mappings=ALARM)],
                    "There is no slot", report=["wal", "slot"])),
            ]),
            (8, [
                (24, graph("Segments that wait for the archiver", "And how many may.",
                           [("max by (server) (%s)" % series("wal_ready_files", SERVER), "{{server}}"),
                            ("max by (server) (%s)" % series("wal_ready_files_max", SERVER), "{{server}}: at most")],
                           "No server archives, or its role may not list what waits")),
            ]),
            "Over time",
            (8, [
                (24, timeline(
                    "Backups in time, by kind",
                    "Late: older than schedule and grace. Kinds without a schedule are not judged, and not here.",
                    "max by (server, source, kind) (%s > bool %s)" % (
                        series("backup_age_seconds", SERVER), series("backup_max_age_seconds", SERVER)),
                    "{{server}} {{source}} {{kind}}", "No backup with a schedule is known",
                    words({0: ("in time", "#009E73"), 1: ("LATE", "#D55E00")}), ZERO)),
            ]),
            (8, [
                (12, graph("Age by kind, of its objective",
                           "Each backup brings the line down to 0; the dashed line is the objective.",
                           [("max by (server, source, kind) (%s / %s)" % (
                               series("backup_age_seconds", SERVER), series("backup_max_age_seconds", SERVER)),
                             "{{server}} {{source}} {{kind}}")],
                           "No backup with a schedule is known", unit="percentunit",
                           thresholds=steps((NEUTRAL, None), ("#D55E00", 1)))),
                (12, graph("Size by kind", "A size that halves is a question: what is no longer in it?",
                           [("max by (server, source, kind) (%s)" % series("backup_last_size_bytes", SERVER),
                             "{{server}} {{source}} {{kind}}")],
                           "No size is known: rows of a history have none", unit="bytes")),
            ]),
            "What is on record",
            (8, [
                (14, table(
                    "Backups by status", "On record, by kind and status; a failed one proves nothing.",
                    kind + ["status"],
                    [column("backups", worst("backups", SERVER), worst="high")], "No backup is configured")),
                (10, table(
                    "Where the time comes from", "Table, header and name are what somebody wrote; mtime is the"
                    " file system's.",
                    kind + ["time_source"],
                    [column("in use", worst("backup_info", SERVER), mappings=FACT)], NONE)),
            ]),
        ])


def audit():
    rows = ["server", "database", "schema", "table"]
    log = ["server", "database", "log"]
    protection = ["server", "database", "protection"]
    return dashboard(
        AUDIT, "pg_integrity / Audit and access", "What was deleted, who is connected, who may change what.",
        [
            (4, [
                (4, zero_stat("Unaudited deletes", "Rows that went without an entry in the audit log; a lower"
                              " bound.", "%s or 0 * %s" % (total("unaudited_deletes"), total("audited_rows")))),
                (4, zero_stat("Triggers missing", "Audit triggers that are missing, off, or not the expected one.",
                              "sum(%s < bool 1)" % series("audit_trigger_enabled"))),
                (4, zero_stat("Unexpected sessions", "Of users or from networks that are on no list.",
                              "%s or 0 * sum(%s)" % (
                                  total("unexpected_connections", SERVER), series("connections_max", SERVER)))),
                (4, zero_stat("Silent logs", "Connection logs without an entry since the newest session began.",
                              total("connection_log_silent", SERVER))),
                (4, zero_stat("Protections off", "Protections whose status table says that they are off.",
                              "sum(%s < bool 1)" % series("protection_enabled"))),
                (4, zero_stat("Unexpected rights", "Roles that may write and superusers on no list; the exporter's"
                              " own rights beyond reading.",
                              "sum(%s or %s or %s)" % (
                                  series("unexpected_superusers", SERVER), series("unexpected_writers"),
                                  series("own_excess_privileges")))),
            ]),
            "Deletions",
            (10, [
                (12, table(
                    "Audit triggers, the worst first", "Whether the audit function is called for every such event.",
                    rows + ["event"],
                    [column("audited", least("audit_trigger_enabled"), thresholds=ONE, mappings=YES, worst="low")],
                    "No audit is configured", report=["audit_triggers", "schema", "table", "event"])),
                (12, table(
                    "Deletes and entries, the worst first",
                    "Unaudited: rows that vanished between two looks beyond the entries written. The gap is by the"
                    " statistics, an upper bound that counts rolled-back deletes, too, and is not judged.", rows,
                    [column("unaudited", worst("unaudited_deletes"), thresholds=ZERO),
                     column("gap", worst("delete_audit_gap"), worst="high"),
                     column("rows", worst("audited_rows")), column("entries", worst("audited_entries"))],
                    "No audit is configured", report=["audit_triggers", "schema", "table"])),
            ]),
            (9, [
                (14, table(
                    "Logs, the worst first", "Entries within the window, and how many there may be.", log,
                    [column("recent", worst("audit_log_recent_rows"), worst="high"),
                     column("at least", worst("audit_log_recent_rows_min")),
                     column("at most", worst("audit_log_recent_rows_max")),
                     column("within", worst("audit_log_window_seconds"), "s"),
                     column("rows", worst("audit_log_rows")),
                     column("last entry", "1000 * max by ($labels) (%s)"
                            % series("audit_log_last_entry_timestamp_seconds"), "dateTimeAsIso")],
                    "No log is configured", report=["audit_logs", "log"])),
                (10, graph("Entries over time", "Rows of each log.",
                           [("max by (server, database, log) (%s)" % series("audit_log_rows"),
                             "{{server}} {{database}} {{log}}")], "No log is configured")),
            ]),
            "Access",
            (9, [
                (12, graph("Sessions by user", "Client sessions; hidden: our role may not see their state.",
                           [("sum by (server, user, state) (%s)" % series("connections", SERVER),
                             "{{server}} {{user}} {{state}}")], "Sessions were not looked at")),
                (12, table(
                    "Sessions by server", "Unexpected: of users or from networks on no list. Silent: the log has no"
                    " entry since the newest session began.",
                    ["server"],
                    [column("unexpected", worst("unexpected_connections", SERVER), thresholds=ZERO, worst="high"),
                     column("log silent", worst("connection_log_silent", SERVER), thresholds=ZERO, mappings=ALARM),
                     column("available", least("connections_available", SERVER)),
                     column("at most", worst("connections_max", SERVER))],
                    "Sessions were not looked at", report=["connections"])),
            ]),
            (8, [
                (8, table(
                    "Unexpected writers", "Roles that may log in, may change the table and are on no list.", rows,
                    [column("roles", worst("unexpected_writers"), thresholds=ZERO, worst="high")],
                    "No table has any, where a list is configured", report=["privileges", "schema", "table"])),
                (8, table(
                    "Unexpected superusers", "Roles outside the list that are superusers or may become one.",
                    ["server"],
                    [column("roles", worst("unexpected_superusers", SERVER), thresholds=ZERO, worst="high")],
                    "No list is configured", report=["superusers"])),
                (8, table(
                    "The exporter's own rights", "Kinds of privileges beyond reading, of those allowed.",
                    ["server", "database"],
                    [column("beyond reading", worst("own_excess_privileges"), worst="high"),
                     column("at most", worst("own_excess_privileges_max"))],
                    "Privileges were not looked at", report=["privileges"])),
            ]),
            "Protection",
            (8, [
                (16, table(
                    "Protections, the worst first", "What a protection says of itself, and when it last verified"
                    " that.", protection,
                    [column("of its objective", of_objective(
                        "protection_age_seconds", "protection_max_age_seconds"), "percentunit", SHARE, worst="high"),
                     column("enabled", least("protection_enabled"), thresholds=ONE, mappings=YES),
                     column("verified before", worst("protection_age_seconds"), "s"),
                     column("at most", worst("protection_max_age_seconds"), "s"),
                     column("verified at", "1000 * max by ($labels) (%s)"
                            % series("protection_last_verification_timestamp_seconds"), "dateTimeAsIso")],
                    "No protection is configured", report=["protection", "protection"])),
                (8, table(
                    "Versions", "Which version each protection calls itself.", protection + ["version"],
                    [column("in use", worst("protection_info"), mappings=FACT)], "No protection is configured")),
            ]),
        ])


def sync():
    endpoint = ["server", "database", "endpoint"]
    replica = ["server", "database", "replica"]
    query = ["server", "database", "query"]
    return dashboard(
        SYNC, "pg_integrity / Sync and latency",
        "Do endpoints, copies and queries answer as promised, and the same as the database?",
        [
            (4, [
                (6, answer("Does it answer as promised?", "service",
                           "The worst answer of all databases chosen above.", OVERVIEW)),
                (6, zero_stat("Endpoints that count otherwise", "Than the tables did, before and after.",
                              differing("api_row_difference"))),
                (6, zero_stat("Copies that differ", "Tables of copies that have other rows than the database.",
                              "sum(%s != bool 0) or sum(%s < bool 1)" % (
                                  series("replica_row_difference"), series("replica_content_matches")))),
                (6, stat("Slow answers, of what may be",
                         "The worst endpoint or query: slow ones among the last 20, as a share of the objective.",
                         "max(%s / %s or %s / %s)" % (
                             series("api_slow_ratio"), series("api_slow_ratio_max"),
                             series("query_slow_ratio"), series("query_slow_ratio_max")),
                         "NOT KNOWN: nothing has an objective", unit="percentunit", thresholds=SHARE)),
            ]),
            "Endpoints",
            (9, [
                (14, table(
                    "Endpoints, the worst first", "Whether it answers, how fast, and how it counts.", endpoint,
                    [column("slow, of what may be", of_objective("api_slow_ratio", "api_slow_ratio_max"),
                            "percentunit", SHARE),
                     column("answers", least("api_up"), thresholds=ONE, mappings=YES, worst="low"),
                     column("slow", worst("api_slow_ratio"), "percentunit"),
                     column("newest answer", worst("api_request_duration_seconds"), "s"),
                     column("slow from", worst("api_request_duration_max_seconds"), "s"),
                     column("counts", worst("api_rows")),
                     column("unconfirmed difference", worst("api_unconfirmed_row_difference"))],
                    "No endpoint is configured", report=["api_sync", "endpoint"])),
                (10, table(
                    "Counts, the worst first", "Rows by which an endpoint lies above, or below, the tables. No"
                    " table: several together.",
                    endpoint + ["schema", "table"],
                    [column("difference", worst("api_row_difference"), thresholds=ZERO, worst="high")],
                    "No count is configured", report=["api_sync", "endpoint"])),
            ]),
            (8, [
                (12, graph("Duration of answers", "The newest answer of each endpoint, and from when on it is slow.",
                           [("max by (server, database, endpoint) (%s)" % series("api_request_duration_seconds"),
                             "{{server}} {{database}} {{endpoint}}"),
                            ("max by (server, database, endpoint) (%s)" % series("api_request_duration_max_seconds"),
                             "{{server}} {{database}} {{endpoint}}: slow")],
                           "No endpoint is configured", unit="s")),
                (12, graph("Failed requests", "By reason; a second try that succeeds is no outage.",
                           [("sum by (server, database, endpoint, reason) (increase(%s[$__rate_interval]))"
                             % series("api_failures_total"), "{{server}} {{database}} {{endpoint}} {{reason}}")],
                           "No endpoint is configured")),
            ]),
            "Copies",
            (9, [
                (12, table(
                    "Copies, the worst first", "Whether it answers, and how far it is behind, of what it may.",
                    replica,
                    [column("lag, of its objective", of_objective(
                        "replica_lag_seconds", "replica_lag_max_seconds"), "percentunit", SHARE),
                     column("answers", least("replica_up"), thresholds=ONE, mappings=YES, worst="low"),
                     column("behind", worst("replica_lag_seconds"), "s"),
                     column("at most", worst("replica_lag_max_seconds"), "s")],
                    "No copy is configured", report=["replica_sync", "replica"])),
                (12, table(
                    "Tables of copies, the worst first", "Rows more, or less, than the database, that are not on"
                    " their way; whether their content is the same. Unconfirmed: the next look decides.",
                    replica + ["schema", "table"],
                    [column("same content", least("replica_content_matches"), thresholds=ONE, mappings=YES,
                            worst="low"),
                     column("difference", worst("replica_row_difference"), thresholds=ZERO),
                     column("unconfirmed", worst("replica_unconfirmed_row_difference"))],
                    "No copy is configured", report=["replica_sync", "replica", "schema", "table"])),
            ]),
            (7, [
                (12, table(
                    "Subscriptions, the worst first", "How long the first copy of their tables takes, of what it may.",
                    ["server", "database", "subscription"],
                    [column("of its objective", of_objective(
                        "subscription_filling_seconds", "subscription_filling_max_seconds"), "percentunit", SHARE,
                        worst="high"),
                     column("filling for", worst("subscription_filling_seconds"), "s"),
                     column("tables not filled", worst("subscription_unfilled_tables"))],
                    "No database subscribes", report=["subscriptions", "subscription"])),
                (12, table(
                    "Accepted until", "Damage and losses that somebody has accepted. The report says who, and why.",
                    ["server", "database", "object"],
                    [column("until", "1000 * max by ($labels) (%s)"
                            % series("accepted_until_timestamp_seconds"), "dateTimeAsIso")],
                    "Nothing is accepted")),
            ]),
            "Queries",
            (9, [
                (12, table(
                    "Queries, the worst first", "Slow runs among the last 20, of what may be.", query,
                    [column("slow, of what may be", of_objective("query_slow_ratio", "query_slow_ratio_max"),
                            "percentunit", SHARE, worst="high"),
                     column("slow", worst("query_slow_ratio"), "percentunit"),
                     column("newest run", worst("query_last_duration_seconds"), "s"),
                     column("slow from", worst("query_objective_seconds"), "s")],
                    "No query is configured", report=["query_latency", "query"])),
                (12, graph("Failed runs", "By reason.",
                           [("sum by (server, database, query, reason) (increase(%s[$__rate_interval]))"
                             % series("query_failures_total"), "{{server}} {{database}} {{query}} {{reason}}")],
                           "No query is configured")),
            ]),
            (8, [
                (24, graph("Duration of runs", "99 of 100 runs were faster; and from when on a run is slow.",
                           [("histogram_quantile(0.99, sum by (server, database, query, le) (rate(%s[$__rate_interval])))"
                             % series("query_duration_seconds_bucket"), "{{server}} {{database}} {{query}}: 99 %"),
                            ("max by (server, database, query) (%s)" % series("query_objective_seconds"),
                             "{{server}} {{database}} {{query}}: slow")],
                           "No query is configured", unit="s")),
            ]),
        ])


def health():
    collector = ["server", "database", "collector"]
    process = 'instance=~"$instance"'
    ours = " and on (job, instance) pg_integrity_build_info"
    return dashboard(
        HEALTH, "pg_integrity / Exporter health", "Does the exporter see everything, and at what cost?",
        [
            (4, [
                (4, stat("Does the exporter answer?", "The worst of the instances chosen above, within the day.",
                         "min(%s * 0 + 1 or last_over_time(%s[1d]) * 0 unless %s)" % (
                             ('pg_integrity_build_info{instance=~"$instance"}',) * 3),
                         NOBODY, thresholds=ONE, mappings=words({0: ("NO", "#D55E00"), 1: ("YES", "#009E73")}))),
                (4, stat("Are the databases reachable?", "The worst of those chosen above.",
                         "min(%s)" % series("up"), NOBODY, thresholds=ONE,
                         mappings=words({0: ("NO", "#D55E00"), 1: ("YES", "#009E73")}))),
                (4, zero_stat("Collectors failing", "Whose newest attempt failed.",
                              "sum(%s < bool 1)" % series("collector_success", COLLECTOR))),
                (4, zero_stat("Collectors overdue", "Without a complete pass for three intervals.",
                              "sum(time() > bool %s)" % series("collector_deadline_timestamp_seconds", COLLECTOR))),
                (4, zero_stat("Series left out", "Because the cap was reached; what is left out is still judged.",
                              total("series_dropped", COLLECTOR))),
                (4, stat("Configuration", "Whether the newest reload succeeded; else the one before is in force.",
                         'min(pg_integrity_config_last_reload_successful{instance=~"$instance"})', NOBODY,
                         thresholds=ONE, mappings=words({0: ("REFUSED", "#D55E00"), 1: ("IN FORCE", "#009E73")}))),
            ]),
            "Collectors",
            (12, [
                (24, table(
                    "Collectors, the latest first",
                    "Of the deadline: how much of the three intervals since the last complete pass is used up.",
                    collector,
                    [column("of the deadline",
                            "max by ($labels) ((time() - %s) / (%s - %s))" % (
                                series("collector_last_success_timestamp_seconds", COLLECTOR),
                                series("collector_deadline_timestamp_seconds", COLLECTOR),
                                series("collector_last_success_timestamp_seconds", COLLECTOR)),
                            "percentunit", SHARE, worst="high"),
                     column("succeeds", least("collector_success", COLLECTOR), thresholds=ONE, mappings=YES),
                     column("interval", worst("collector_interval_seconds", COLLECTOR), "s"),
                     column("pass took", worst("collector_duration_seconds", COLLECTOR), "s"),
                     column("last pass", "1000 * max by ($labels) (%s)"
                            % series("collector_last_success_timestamp_seconds", COLLECTOR), "dateTimeAsIso"),
                     column("left out", worst("series_dropped", COLLECTOR), thresholds=ZERO)],
                    NOBODY, report=["${__data.fields.collector}"])),
            ]),
            (8, [
                (12, graph("Attempts", "Of all collectors, by outcome.",
                           [("sum by (outcome) (rate(%s[$__rate_interval]))"
                             % series("collector_runs_total", COLLECTOR), "{{outcome}}")], NOBODY, unit="cps")),
                (12, graph("Failures by reason", "Connect and auth: the way to the server. Permission: our rights.",
                           [("sum by (server, collector, reason) (increase(%s[$__rate_interval]))"
                             % series("collector_failures_total", COLLECTOR), "{{server}} {{collector}} {{reason}}")],
                           "No attempt has failed since the exporter began")),
            ]),
            "What it costs the database",
            (8, [
                (12, graph("Share of a session's time", "How busy each collector keeps the server; max_load bounds"
                           " the sum.",
                           [("sum by (server, collector) (rate(%s[$__rate_interval]))"
                             % series("collector_database_seconds_total", COLLECTOR), "{{server}} {{collector}}")],
                           NOBODY, unit="percentunit")),
                (12, graph("Our sessions", "Open, connecting, and abandoned: cut off at a deadline, and not yet"
                           " closed by the server.",
                           [("max by (server, state) (%s)" % series("exporter_sessions", SERVER),
                             "{{server}} {{state}}")], NOBODY)),
            ]),
            (8, [
                (12, graph("Clock offset", "The server's clock minus the exporter's; ages are measured by one clock"
                           " each.",
                           [("max by (server) (%s)" % series("clock_offset_seconds", SERVER), "{{server}}")],
                           "No server has been reached", unit="s")),
                (12, table(
                    "Servers", "What they say of themselves.",
                    ["server", "version", "role", "system_identifier"],
                    [column("known", worst("server_info", SERVER), mappings=FACT)], "No server has been reached")),
            ]),
            "The process",
            (8, [
                (6, table("Builds", "Which build each instance is.", ["version", "revision"],
                          [column("instances", 'count by ($labels) (pg_integrity_build_info{instance=~"$instance"})')],
                          NOBODY)),
                (6, graph("Memory", "Resident memory of the process.",
                          [("process_resident_memory_bytes{%s}%s" % (process, ours), "{{instance}}")], NOBODY, unit="bytes")),
                (6, graph("CPU", "As a share of one core.",
                          [("rate(process_cpu_seconds_total{%s}[$__rate_interval])%s" % (process, ours), "{{instance}}")],
                          NOBODY, unit="percentunit")),
                (6, graph("HTTP connections", "That the exporter's server is busy with.",
                          [('pg_integrity_http_connections{instance=~"$instance"}', "{{instance}}")], NOBODY)),
            ]),
        ])


DASHBOARDS = (overview, integrity, recovery, audit, sync, health)


def main():
    directory = pathlib.Path(__file__).parent
    for make in DASHBOARDS:
        made = make()
        text = json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (directory / (made["uid"] + ".json")).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
