"""What was deleted, who is connected, who may change what."""
from panels import FACT, SERVER, Folded, dashboard, graph, series
from queries import AUDIT, OVERVIEW, alarm, answer, breach, counted, findings, judged, moment, worst, wrong
from tables import column, table

ROWS = ["table", "schema", "database", "server"]

# What is part of the answer to "Is the data intact?".
AUDITED = [
    ("rows deleted without an entry", counted("unaudited_deletes")),
    ("audit triggers that are missing or off", counted("audit_trigger_enabled", below=1)),
    ("unexpected sessions", counted("unexpected_connections", SERVER)),
    ("connection logs that are silent", counted("connection_log_silent", SERVER)),
    ("protections that are off", counted("protection_enabled", below=1)),
    ("protections that were not verified in time", "sum by (instance, server, database) (%s > bool %s)" % (
        series("protection_age_seconds"), series("protection_max_age_seconds"))),
    ("unexpected superusers", counted("unexpected_superusers", SERVER)),
    ("unexpected writers", counted("unexpected_writers")),
    ("rights of the exporter beyond those allowed", "sum by (instance, server, database) (%s > bool %s)" % (
        series("own_excess_privileges"), series("own_excess_privileges_max"))),
    ("settings that take back a promise", counted("unsafe_setting", SERVER)),
]


def audit():
    return dashboard(
        AUDIT, "pg_integrity / Audit and access", "What was deleted, who is connected, who may change what.",
        [
            (6, [(6, answer("Is the data intact?", "intact", "The worst answer of all databases chosen above.", OVERVIEW)),
                 (18, findings(AUDITED))]),
            (8, [
                (14, graph("Sessions by user", "Client sessions; hidden: our role may not see their state.",
                           [("sum by (server, user, state) (%s)" % series("connections", SERVER),
                             "{{server}} {{user}} {{state}}")], "Sessions were not looked at")),
                (10, table(
                    "Sessions by server", "Those that are still free, and how many the server takes.", ["server"],
                    [column("free sessions", worst("connections_available", SERVER)),
                     column("most sessions", worst("connections_max", SERVER), sort=True)],
                    "Sessions were not looked at", report=["connections"])),
            ]),
            Folded("Deletions"),
            (9, [(24, table(
                "Audit triggers, the worst first", "Whether the audit function is called for every such event.",
                ["table", "event", "schema", "database", "server"],
                [breach("audited", "audit_trigger_enabled", sort=True)],
                "No audit is configured", report=["audit_triggers", "schema", "table", "event"]))]),
            (9, [(24, table(
                "Deletes and entries, the worst first",
                "Unaudited: rows that vanished between two looks beyond the entries written. The gap is by the"
                " statistics, an upper bound that counts rolled-back deletes, too, and is not judged.", ROWS,
                [wrong("unaudited rows", "unaudited_deletes", sort=True), column("gap rows", worst("delete_audit_gap")),
                 column("rows", worst("audited_rows")), column("entries", worst("audited_entries"))],
                "No audit is configured", report=["audit_triggers", "schema", "table"]))]),
            Folded("Logs"),
            (8, [(24, table(
                "Logs, the worst first", "Entries within the window, and how many there may be.",
                ["log", "database", "server"],
                [column("recent entries", worst("audit_log_recent_rows"), sort=True),
                 column("least entries", worst("audit_log_recent_rows_min")),
                 column("most entries", worst("audit_log_recent_rows_max")),
                 column("within", worst("audit_log_window_seconds"), "s"),
                 column("all entries", worst("audit_log_rows")),
                 column("last entry", moment("audit_log_last_entry_timestamp_seconds"), "dateTimeAsIso")],
                "No log is configured", report=["audit_logs", "log"]))]),
            (8, [
                (14, graph("Entries over time", "Rows of each log.",
                           [("max by (server, database, log) (%s)" % series("audit_log_rows"),
                             "{{server}} {{database}} {{log}}")], "No log is configured")),
                (10, table(
                    "Connection logs", "Silent: the log has no entry since the newest session began.", ["server"],
                    [alarm("silent", "connection_log_silent", SERVER, sort=True),
                     wrong("unexpected sessions", "unexpected_connections", SERVER)],
                    "No log is configured", report=["connections"])),
            ]),
            Folded("Rights and protections"),
            (8, [
                (14, table(
                    "Unexpected writers", "Roles that may log in, may change the table and are on no list.", ROWS,
                    [wrong("roles", "unexpected_writers", sort=True)],
                    "No table has any, where a list is configured", report=["privileges", "schema", "table"])),
                (10, table(
                    "Unexpected superusers", "Roles outside the list that are superusers or may become one.",
                    ["server"], [wrong("roles", "unexpected_superusers", SERVER)],
                    "No list is configured", report=["superusers"])),
            ]),
            (8, [
                (14, table(
                    "The exporter's own rights", "Kinds of privileges beyond reading, and those allowed.",
                    ["database", "server"],
                    judged("own_excess_privileges", "own_excess_privileges_max", "locale", name="excess rights"),
                    "Privileges were not looked at", report=["privileges"])),
                (10, table(
                    "Unsafe settings", "Those that take back a promise of PostgreSQL.", ["setting", "server"],
                    [alarm("unsafe", "unsafe_setting", SERVER, sort=True)], "Settings were not looked at",
                    report=["server", "setting"])),
            ]),
            (8, [(24, table(
                "Protections, the worst first", "What a protection says of itself, and when it last verified that.",
                ["protection", "database", "server"],
                [*judged("protection_age_seconds", "protection_max_age_seconds", "s", name="verified before"),
                 breach("enabled", "protection_enabled"),
                 column("verified at", moment("protection_last_verification_timestamp_seconds"), "dateTimeAsIso")],
                "No protection is configured", report=["protection", "protection"]))]),
            (6, [(24, table(
                "Versions of protections", "Which version each protection calls itself.",
                ["protection", "version", "database", "server"],
                [column("in use", worst("protection_info"), mappings=FACT)], "No protection is configured"))]),
        ])
