"""Rows, keys, tables, storage, files, and queries of one's own."""
from audit import AUDITED
from panels import FACT, SERVER, Folded, dashboard, graph, series
from queries import (
    INTEGRITY, OVERVIEW, alarm, answer, breach, counted, findings, judged, least, moment, worst, wrong)
from tables import column, table

ROWS = ["table", "schema", "database", "server"]
KEY = ["constraint", *ROWS]
ENTRIES = ["table", "column", "schema", "database", "server"]
KEYS = {"constraint": 370}


def found():
    return findings(
        [("orphaned rows", counted("orphaned_rows")),
         ("duplicate rows", counted("duplicate_rows")),
         ("conflicting rows", counted("conflicting_rows")),
         ("rows that break a constraint", counted("constraint_broken_rows")),
         ("foreign keys that are not enforced", counted("foreign_key_enforced", below=1)),
         ("tables with too few rows", "sum by (instance, server, database) (%s < bool %s)" % (
             series("table_rows"), series("table_rows_min"))),
         ("tables without new entries", "sum by (instance, server, database) (%s > bool %s)" % (
             series("table_last_entry_age_seconds"), series("table_last_entry_max_age_seconds"))),
         ("rows from the future", counted("table_future_rows")),
         ("pinned objects that are missing", "sum by (instance, server, database) (clamp_min(%s - %s, 0))" % (
             series("inventory_min"), series("inventory"))),
         ("objects that are gone or off", counted("inventory_lost")),
         ("values that a sequence is behind", counted("sequence_behind_values")),
         ("invalid indexes", counted("invalid_indexes")),
         ("corrupt indexes", counted("index_corrupt")),
         ("corrupt tables", counted("heap_corrupt")),
         ("collations of another version", counted("collation_mismatch")),
         ("media rows that are not as expected", counted("media_unexpected_rows")),
         ("pages that failed their checksum", "sum by (instance, server, database) (clamp_min(%s - %s, 0))" % (
             series("checksum_failures"), series("checksum_failures_acknowledged"))),
         *AUDITED])


def keys():
    info = series("foreign_key_info")
    on = "on (instance, server, database, schema, table, constraint)"

    def fact(name, sort=False):
        return column(name, "max by ($labels) (%s * %s group_left (referenced_schema, referenced_table) %s)" % (
            series("foreign_key_" + name), on, info), mappings=FACT, sort=sort)

    return [
        (8, [(24, table(
            "Foreign keys, the worst first",
            "Orphans are counted, whatever the catalog says. Not enforced: wrong rows are let in.", KEY,
            [wrong("orphaned rows", "orphaned_rows", sort=True), breach("enforced", "foreign_key_enforced")],
            "No key was looked at", report=["orphans", "schema", "table", "constraint"], names=KEYS))]),
        (8, [(24, table(
            "Unique keys, the worst first", "Surplus rows: those beyond the first of each value of the key.",
            ["key", *ROWS], [wrong("surplus rows", "duplicate_rows", sort=True)],
            "No key was looked at", report=["duplicates", "schema", "table", "key"], names={"key": 370}))]),
        Folded("Facts about keys, and other constraints"),
        (8, [(24, table(
            "What foreign keys refer to",
            "Without an index, deletes of parents scan the whole child. Not validated: the catalog does not say that"
            " old rows were checked.", ["constraint", "table", "referenced_table", "referenced_schema", "database", "server"],
            [fact("validated", sort=True), fact("indexed")], "No key was looked at", names=KEYS, hidden=["referenced_schema"]))]),
        (8, [(24, table(
            "Other constraints, the worst first",
            "Rows that conflict under an exclusion constraint or a key WITHOUT OVERLAPS, and rows that break a CHECK or"
            " NOT NULL constraint that is NOT VALID or NOT ENFORCED.", KEY,
            [wrong("conflicting rows", "conflicting_rows", sort=True), wrong("broken rows", "constraint_broken_rows")]
            + [column(name, worst("constraint_" + name), mappings=FACT) for name in ("validated", "enforced", "compared")],
            "There is no such constraint", report=["constraints", "schema", "table", "constraint"]))]),
    ]


def tables():
    return [
        (9, [(24, table(
            "Rows of tables", "Counted exactly, or estimated above the size gate, and how many there must be.", ROWS,
            [*judged("table_rows", "table_rows_min", "locale", at_least=True, name="rows"),
             column("estimated rows", worst("table_rows_estimate"))],
            "No table was counted", report=["row_counts", "schema", "table"]))]),
        Folded("More about tables"),
        (8, [(24, table(
            "Rows that vanished", "The share that vanished within the window, and what may. The reference is the highest"
            " number of rows within it.", ROWS,
            [*judged("table_rows_drop_ratio", "table_rows_drop_ratio_max", "percentunit", name="dropped"),
             column("reference rows", worst("table_rows_drop_reference")),
             column("since", moment("table_rows_drop_reference_timestamp_seconds"), "dateTimeAsIso")],
            "No table is to keep its rows", report=["row_counts", "schema", "table"]))]),
        (8, [(24, table(
            "Objects that there must be",
            "Pinned by `expect`: at least so many. Learned: lost are those that are gone or switched off.",
            ["type", "database", "server"],
            [*judged("inventory", "inventory_min", "locale", at_least=True, name="objects"),
             wrong("lost objects", "inventory_lost")],
            "Nothing was counted"))]),
        (8, [(24, table(
            "Entries, the oldest first",
            "Time since the newest row, and its objective where one is configured. No entries today may be normal; rows"
            " from the future never are.", ENTRIES,
            [column("age", "max by ($labels) (time() - %s)" % series("table_last_entry_timestamp_seconds"), "s", sort=True),
             column("at most", worst("table_last_entry_max_age_seconds"), "s"),
             column("last entry", moment("table_last_entry_timestamp_seconds"), "dateTimeAsIso"),
             column("rows today", worst("table_rows_created_today")),
             wrong("future rows", "table_future_rows"),
             column("undated rows", worst("table_undated_rows"))],
            "No table has a time that is watched", report=["freshness", "schema", "table", "column"]))]),
        (8, [(24, graph("Rows over time", "Each table's rows as counted; deletions are steps downwards.",
                        [("max by (server, database, schema, table) (%s)" % series("table_rows"),
                          "{{server}} {{database}} {{schema}}.{{table}}")], "No table was counted"))]),
    ]


def storage():
    return [
        Folded("Storage"),
        (6, [
            (24, table(
                "Sequences behind their column", "Next values that the column has reached already: the next inserts"
                " fail.", ENTRIES, [wrong("values", "sequence_behind_values", sort=True)],
                "No sequence belongs to a column", report=["storage", "schema", "table", "column"])),
        ]),
        (6, [
            (24, table(
                "Sequences that end", "Share of the values that a sequence can give, and its column can hold.", ENTRIES,
                [column("used", worst("sequence_used_ratio"), "percentunit", sort=True)],
                "No sequence belongs to a column", report=["sequence_use", "schema", "table", "column"])),
        ]),
        (7, [
            (12, table(
                "What damage would show by",
                "Checksums off, or amcheck not usable: damage goes unnoticed. Unlogged tables are empty after a"
                " crash.", ["database", "server"],
                [column("checksums", least("checksums_enabled"), mappings=FACT),
                 column("amcheck", least("amcheck_usable"), mappings=FACT),
                 column("unlogged tables", worst("unlogged_tables"), sort=True)],
                "Storage was not looked at")),
            (12, table(
                "Memory", "Objects that went before the exporter's memory began are not missed.", ["database", "server"],
                [column("remembered since", moment("memory_since_timestamp_seconds"), "dateTimeAsIso"),
                 column("newest loss", moment("inventory_newest_loss_timestamp_seconds"), "dateTimeAsIso", sort=True)],
                "Nothing is remembered")),
        ]),
        (7, [
            (12, table(
                "Invalid indexes", "Not valid and not being built: they answer nothing.", ["schema", "database", "server"],
                [wrong("indexes", "invalid_indexes", sort=True)], "Indexes were not looked at",
                report=["storage", "schema"], names={"schema": 120})),
            (12, table(
                "Collations", "Of another version than their indexes were built by: order, and so keys, may be wrong.",
                ["collation", "schema", "database", "server"], [alarm("mismatch", "collation_mismatch", sort=True)],
                "No collation has a version", report=["storage", "schema", "collation"])),
        ]),
        (7, [
            (24, table(
                "Corrupt indexes", "As amcheck finds them, one at a time.", ["index", *ROWS],
                [alarm("corrupt", "index_corrupt", sort=True)],
                "amcheck checked no index", report=["amcheck", "schema", "table", "index"], names={"index": 370})),
        ]),
        (7, [
            (24, table(
                "Checksums", "Pages that failed, those that are known, and when the last one did.",
                ["pages", "database", "server"],
                [*judged("checksum_failures", "checksum_failures_acknowledged", "locale", name="failed pages"),
                 column("last failure", moment("checksum_last_failure_timestamp_seconds"), "dateTimeAsIso")],
                "Checksums are off, or were not looked at", report=["storage", "pages"])),
        ]),
    ]


def own():
    return [
        Folded("Media, files, and queries of your own"),
        (7, [(24, table(
            "Media, the worst first", "Rows whose value is not what the configuration says.", ENTRIES,
            [wrong("unexpected rows", "media_unexpected_rows", sort=True), column("size", worst("media_bytes"), "bytes")],
            "No column is configured", report=["media", "schema", "table", "column"]))]),
        (7, [
            (24, table(
                "Files", "Regular files that match, and how many there may be.", ["path", "pattern", "server"],
                [column("files", worst("file_count", SERVER), sort=True),
                 column("least files", worst("file_count_min", SERVER)),
                 column("most files", worst("file_count_max", SERVER)),
                 column("size", worst("file_bytes", SERVER), "bytes")],
                "No directory is configured")),
        ]),
        (7, [
            (24, table(
                "Queries of your own", "Rows that each returned, and how many it may.", ["query", "database", "server"],
                [column("rows", worst("custom_query_rows"), sort=True),
                 column("least rows", worst("custom_query_rows_min")),
                 column("most rows", worst("custom_query_rows_max"))],
                "No query is configured", report=["custom", "query"])),
        ]),
    ]


def integrity():
    return dashboard(
        INTEGRITY, "pg_integrity / Integrity", "Rows, keys, tables, storage, files, and queries of your own.",
        [(6, [(6, answer("Is the data intact?", "intact", "The worst answer of all databases chosen above.", OVERVIEW)),
              (18, found())]),
         "Tables", *tables()[:1], "Keys", *keys()[:2], *tables()[1:], *keys()[2:], *storage(), *own()])
