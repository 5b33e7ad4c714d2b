"""Backups of every kind, their proofs, restore drills, and the log on its way out."""
from panels import (
    BAD, GOOD, NEUTRAL, NOTHING, SERVER, ZERO, Folded, dashboard, graph, series, steps, timeline, words)
from queries import (
    OVERVIEW, PROMISES, RECOVERY, STATE, alarm, answer, breach, judged, kept, least, moment, promises, worst, wrong)
from tables import column, table

KIND = ["source", "kind", "server"]
NO_BACKUP = "No backup is configured"
NO_DRILL = "No drill is on record"

# How far a backup was proved.
LADDER = words({
    level: (text, NEUTRAL) for level, text in enumerate(
        ("on record", "plausible", "contents read", "decoded", "restored", "compared"))})


def backups():
    return table(
        "Backups by kind, the worst first",
        "A manual backup never stands in for a scheduled one: each kind has its own line.", KIND,
        [*judged("backup_age_seconds", "backup_max_age_seconds", "s", SERVER, name="age"),
         wrong("missed runs", "backup_missed_runs", SERVER),
         column("proof", least("backup_proof_level", SERVER), mappings=LADDER, thresholds=steps((NOTHING, None))),
         column("size", worst("backup_last_size_bytes", SERVER), "bytes"),
         column("newest", moment("backup_last_success_timestamp_seconds", SERVER), "dateTimeAsIso")],
        NO_BACKUP, report=["backups", "source", "kind"], names={"kind": 110})


def at_least(name, value, limit, sort=False):
    """The state of a share that must be reached."""
    return column(name, kept(value, limit, SERVER, at_least=True), sort=sort, **STATE)


def proofs():
    return [
        Folded("What backups hold, and where they are"),
        (7, [
            (24, table(
                "Proof of the newest backup",
                "How far the newest backup that counts was proved, and what is asked for. Damaged: files that a proof"
                " disproved. Without log: base backups that lack WAL. They never count.", KIND,
                [column("state", kept("backup_proof_level", "backup_proof_level_min", SERVER, at_least=True), sort=True, **STATE),
                 column("level", least("backup_proof_level", SERVER), mappings=LADDER, thresholds=steps((NOTHING, None))),
                 column("asked for", worst("backup_proof_level_min", SERVER), mappings=LADDER,
                        thresholds=steps((NOTHING, None))),
                 column("newest looked into", worst("backup_proven_age_seconds", SERVER), "s"),
                 wrong("damaged backups", "backup_proof_failed", SERVER),
                 wrong("backups without log", "backup_wal_missing", SERVER)],
                "No backup is known", report=["backups", "source", "kind"])),
        ]),
        (7, [
            (24, table(
                "Backups read to their end, or restored", "When that was last done, by the exporter or by a drill. Read so far: of"
                " the backup that the exporter reads now.", KIND,
                [breach("read or restored lately", "backup_proved", SERVER, sort=True),
                 column("last read or restored", worst("backup_proof_age_seconds", SERVER), "s"),
                 column("it may be", worst("backup_proof_max_age_seconds", SERVER), "s"),
                 column("read so far", worst("backup_reading_ratio", SERVER), "percentunit")],
                "Nothing says where backups are", report=["proofs", "source", "kind"])),
        ]),
        (7, [
            (24, table(
                "Size, places and room", "Size of the newest to those before it; places that hold one; room for the next.",
                KIND,
                [at_least("size is", "backup_size_ratio", "backup_size_ratio_min", sort=True),
                 column("size to median", worst("backup_size_ratio", SERVER), "percentunit"),
                 at_least("copies are", "backup_locations", "backup_locations_min"),
                 column("places", worst("backup_locations", SERVER)),
                 at_least("room is", "backup_room_ratio", "backup_room_ratio_min"),
                 column("room to largest", worst("backup_room_ratio", SERVER), "percentunit")],
                NO_BACKUP, report=["backups", "source", "kind"])),
        ]),
        (7, [
            (24, table(
                "Sources", "How far back each goes, the age of its list, and rows of a history that nobody has declared.",
                ["source", "server"],
                [*judged("backup_retention_seconds", "backup_retention_min_seconds", "s", SERVER, at_least=True,
                         name="reaches back"),
                 column("oldest", moment("backup_oldest_timestamp_seconds", SERVER), "dateTimeAsIso"),
                 column("list's age", worst("backup_catalogue_age_seconds", SERVER), "s"),
                 column("list at most", worst("backup_catalogue_max_age_seconds", SERVER), "s"),
                 column("unknown rows", worst("backup_unrecognised_rows", SERVER))],
                NO_BACKUP, report=["backups", "source"])),
        ]),
        (7, [
            (12, table(
                "Backups on record", "By kind and status; a failed one proves nothing.",
                ["source", "kind", "status", "server"],
                [column("backups", worst("backups", SERVER), sort=True)], NO_BACKUP)),
            (12, table(
                "Where the time comes from",
                "Table, header and name are what somebody wrote; mtime is the file system's.",
                ["source", "kind", "time_source", "server"],
                [column("backups", worst("backup_info", SERVER))], "No backup is known")),
        ]),
    ]


def drills():
    return [
        Folded("Restore drills"),
        (7, [
            (24, table(
                "Drills by kind, the worst first",
                "Ages and times are those of the newest success: a failed drill makes none of them younger.", KIND,
                [*judged("restore_drill_age_seconds", "restore_drill_max_age_seconds", "s", SERVER, name="age"),
                 breach("succeeded", "restore_drill_success", SERVER),
                 column("took", worst("restore_drill_duration_seconds", SERVER), "s"),
                 column("may take", worst("restore_drill_objective_seconds", SERVER), "s"),
                 column("newest success", moment("restore_drill_last_success_timestamp_seconds", SERVER), "dateTimeAsIso"),
                 column("of a backup of", moment("restore_drill_backup_timestamp_seconds", SERVER), "dateTimeAsIso")],
                NO_DRILL, report=["restore_drill", "source", "kind"])),
        ]),
        (8, [
            (12, table(
                "Restored tables, the worst first",
                "Of the newest drill: rows that are missing, too many or others, and rows whose parent is missing.",
                ["table", "schema", "source", "kind", "server"],
                [wrong("other rows", "restore_drill_unexplained_rows", SERVER, sort=True),
                 wrong("orphaned rows", "restore_drill_orphaned_rows", SERVER)],
                "No drill has compared a table", report=["restore_drill", "source", "kind", "schema", "table"],
                hidden=["source", "kind", "server"])),
            (12, graph("Recovery time by phase",
                       "Of the newest drill. To compare and to check comes after the copy could be used.",
                       [("max by (server, source, kind, phase) (%s)"
                         % series("restore_drill_phase_duration_seconds", SERVER),
                         "{{server}} {{source}} {{kind}}: {{phase}}"),
                        ("max by (server, source, kind) (%s)" % series("restore_drill_objective_seconds", SERVER),
                         "{{server}} {{source}} {{kind}}: at most")],
                       NO_DRILL, unit="s")),
        ]),
    ]


def log():
    return [
        Folded("The write-ahead log on its way out"),
        (6, [
            (24, table(
                "Archivers, the worst first", "Of servers that archive: whether it works, and what waits for it.",
                ["server"],
                [*judged("wal_archive_age_seconds", "wal_archive_max_age_seconds", "s", SERVER, name="newest segment's age"),
                 alarm("fails", "wal_archive_failing", SERVER),
                 column("failures", worst("wal_archive_failures", SERVER)),
                 column("waiting files", worst("wal_ready_files", SERVER)),
                 column("most files", worst("wal_ready_files_max", SERVER))],
                "No server archives", report=["wal"])),
        ]),
        (7, [
            (12, table(
                "Standbys, the worst first", "As the server sees them.", ["standby", "server"],
                [*judged("standby_lag_seconds", "standby_lag_max_seconds", "s", SERVER, name="behind"),
                 column("to replay", worst("standby_lag_bytes", SERVER), "bytes")],
                "No standby is connected", report=["wal", "standby"])),
            (12, table(
                "Replication slots, the worst first", "What the server keeps for them fills its disk.",
                ["slot", "server"],
                [*judged("slot_retained_bytes", "slot_retained_max_bytes", "bytes", SERVER, name="kept"),
                 alarm("lost", "slot_lost", SERVER)],
                "There is no slot", report=["wal", "slot"])),
        ]),
        (7, [
            (24, graph("Files that wait for the archiver", "And how many may.",
                       [("max by (server) (%s)" % series("wal_ready_files", SERVER), "{{server}}"),
                        ("max by (server) (%s)" % series("wal_ready_files_max", SERVER), "{{server}}: at most")],
                       "No server archives, or its role may not list what waits")),
        ]),
    ]


def over_time():
    source = "{{server}} {{source}} {{kind}}"
    return [
        Folded("Over time"),
        (7, [(24, graph("Recovery point",
                        "How much would be lost; each backup, or archived segment, brings the line down.",
                        [("max by (server) (%s)" % series("recovery_point_age_seconds", SERVER), "{{server}}"),
                         ("max by (server) (%s)" % series("recovery_point_objective_seconds", SERVER),
                          "{{server}}: at most")],
                        "Nothing is known to be recoverable", unit="s"))]),
        (7, [
            (24, timeline(
                "Backups in time, by kind",
                "Late: older than schedule and grace. Kinds without a schedule are not judged, and not here.",
                "max by (server, source, kind) (%s > bool %s)" % (
                    series("backup_age_seconds", SERVER), series("backup_max_age_seconds", SERVER)),
                source, "No backup with a schedule is known",
                words({0: ("IN TIME", GOOD), 1: ("OVERDUE", BAD)}), ZERO)),
        ]),
        (7, [
            (24, timeline(
                "Proof level over time", "Of the newest backup that counts; a new one begins anew.",
                "min by (server, source, kind) (%s)" % series("backup_proof_level", SERVER),
                source, "No backup is known", LADDER, steps((NEUTRAL, None)))),
        ]),
        (8, [
            (12, graph("Age by kind", "Each backup brings the line down to 0; a second line is the objective.",
                       [("max by (server, source, kind) (%s)" % series("backup_age_seconds", SERVER), source),
                        ("max by (server, source, kind) (%s)" % series("backup_max_age_seconds", SERVER),
                         source + ": at most")],
                       "No backup is known", unit="s")),
            (12, graph("Size by kind", "A size that halves is a question: what is no longer in it?",
                       [("max by (server, source, kind) (%s)" % series("backup_last_size_bytes", SERVER), source)],
                       "No size is known: rows of a history have none", unit="bytes")),
        ]),
    ]


def recovery():
    return dashboard(
        RECOVERY, "pg_integrity / Backup and recovery",
        "Could we get it back? Backups of every kind, the recovery point and restore drills against their objectives.",
        [
            (6, [(6, answer("Could we get it back?", "recoverable",
                            "The worst answer of all databases chosen above.", OVERVIEW)),
                 (18, promises(PROMISES, "What was promised, the worst first",
                               "Each objective of time beside its value. Unproven: there is an objective and no value."
                               " An objective that is not configured is not here.",
                               "No objective is configured, or nothing was looked at"))]),
            (7, [(24, backups())]),
            *proofs(), *drills(), *log(), *over_time(),
        ])
