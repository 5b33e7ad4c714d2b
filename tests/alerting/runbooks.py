#!/usr/bin/env python3
"""Runs every command and every query of every runbook, on a machine with an invented shop.

    tests/alerting/runbooks.py PROGRAM [NAME...]   all runbooks, or those with one of these words in their names

A block `sh` runs in sessions that only read. A block `sh repairs` runs in a copy of the shop of its runbook's own.
Blocks `promql` are asked of Prometheus. A program that ends with a failure is a failure of the runbook, and so is a
program that is not on the list in runbook_world.py, a variable that is not set, or a list that lacks the planted row.
It prints one line a failure. The last line has the totals.
"""
import os
import re
import subprocess
import sys
import textwrap

sys.dont_write_bytecode = True
import runbook_world  # noqa: E402  (beside this file)
from runbook_world import ROOT, World  # noqa: E402

BLOCK = re.compile(r"^( *)```(\S+)(.*)\n((?:.*\n)*?)\1```$", re.M)
READING = "-c default_transaction_read_only=on -c statement_timeout=30s"
PATIENCE = 120  # seconds for one block

# Labels and names of one runbook that differ from the usual ones. The object to accept must be one that is wrong, and one
# that no other runbook accepts.
OWN = {
    "PgIntegrityAuditLogTooFewRows": {"LOG": "deletions"},
    "PgIntegrityBackupWalMissing": {"BACKUP": "{work}/base/1", "BACKUPS": "{work}/base"},
    "PgIntegrityCollectorGone": {"COLLECTOR": "custom"},
    "PgIntegrityConflictingRows": {"TABLE": "bookings", "CONSTRAINT": "one at a time", "ROW": "{conflict}"},
    "PgIntegrityConstraintBroken": {"CONSTRAINT": "some at least", "OBJECT": "constraints/Shop.Order lines.some at least"},
    "PgIntegrityDuplicateRows": {"TABLE": "customers", "KEY": "customers_email_key", "ROW": "{duplicate}"},
    "PgIntegrityFileCount": {"DIRECTORY": "{work}/backups", "PATTERN": "*.dump"},
    "PgIntegrityForeignKeyNotEnforced": {"CONSTRAINT": "of a customer"},
    "PgIntegrityForeignKeyViolations": {"CONSTRAINT": "of a customer", "ROW": "{orphan}"},
    "PgIntegrityFutureRows": {"COLUMN": "placed_at"},
    "PgIntegrityIndexCorrupt": {"TABLE": "customers", "INDEX": "customers_pkey"},
    "PgIntegrityInvalidIndexes": {"INDEX": '"Shop"."customers by day"'},
    "PgIntegrityInventoryShrunk": {"OBJECT": "inventory/table Shop.leaflets"},
    "PgIntegrityMediaUnexpected": {"COLUMN": "picture"},
    "PgIntegrityObjectsLost": {"OBJECT": "inventory/table Shop.posters"},
    "PgIntegrityRedObjectsGone": {"OBJECT": "orphans/Shop.Order lines.of a customer"},
    "PgIntegritySeriesMissing": {"FAMILY": "pg_integrity_up"},
    "PgIntegrityTableRowsDropped": {"OBJECT": "server/fsync"},
    "PgIntegrityTableStale": {"COLUMN": "placed_at"},
    "PgIntegrityUnexpectedDeletions": {"OBJECT": "duplicates/Shop.customers.customers_email_key"},
    "PgIntegrityUnproven": {"OBJECT": "constraints/Shop.bookings.one at a time"},
    "PgIntegrityUnsafeSetting": {"SETTING": "full_page_writes"},
}
# Runbooks whose repairs are alternatives. Each begins with a copy of the shop of its own.
ALTERNATIVES = {"PgIntegrityInvalidIndexes"}
# What people do before a command that repairs, in the runbook's own copy of the shop.
SLOT = "SELECT pg_create_physical_replication_slot('standby') WHERE NOT EXISTS (SELECT FROM pg_replication_slots)"
BY_HAND = {
    "PgIntegrityCollationMismatch": "DELETE FROM \"Shop\".customers WHERE ctid = '{duplicate}'",
    "PgIntegritySlotLost": SLOT,
    "PgIntegritySlotRetainsWal": SLOT,
    "PgIntegrityConstraintBroken": 'UPDATE "Shop"."Order lines" SET quantity = 1 WHERE quantity <= 0',
}
# What the first command of a runbook must show of the shop.
SHOWS = {
    "PgIntegrityAuditTriggerDisabled": r"note it \| D ",
    "PgIntegrityBackupOverdue": r"newest\.dump",
    "PgIntegrityBackupTooSmall": r"newest\.dump",
    "PgIntegrityBackupWalMissing": r"WAL-Ranges",
    "PgIntegrityConflictingRows": r"12:00:00",
    "PgIntegrityConstraintBroken": r"\| +-5 \|",
    "PgIntegrityCustomQueryRows": r"email IS NULL",
    "PgIntegrityDuplicateRows": r"c1@shop\.example \| +2 ",
    "PgIntegrityFileCount": r"newest\.dump",
    "PgIntegrityForeignKeyNotEnforced": r"RI_ConstraintTrigger",
    "PgIntegrityForeignKeyViolations": r"7777",
    "PgIntegrityFutureRows": r"\(1 row\)",
    "PgIntegrityInvalidIndexes": r"customers by day",
    "PgIntegrityInventoryShrunk": r"Order lines.*note it",
    "PgIntegrityMediaUnexpected": r"data:image/png",
    "PgIntegrityObjectsLost": r"Order lines.*note it",
    "PgIntegrityReplicaRowDifference": r"2005(?s:.*)2005",
    "PgIntegritySeriesMissing": r"^[1-9]\d*$",
    "PgIntegrityTableRowsTooFew": r"2005",
    "PgIntegrityUnexpectedSuperusers": r"clerk",
    "PgIntegrityUnexpectedWriters": r"clerk",
    "PgIntegrityUnsafeSetting": r"full_page_writes \| off",
}


def blocks_of(text):
    """Language, the rest of the info string, and the text of each block."""
    for indent, language, info, body in BLOCK.findall(text):
        yield language, info.strip(), textwrap.dedent(body) if indent else body


# Words in code marks that the world does not know: values, reasons, keys of Prometheus, and names of PostgreSQL 18.
OTHER_WORDS = set(
    "bigint connect ddl edac false http https instance integer job lock lost mce missing none on permission pg_wal pod r "
    "stream true metric_relabel_configs scrape_configs gin_index_check idle_replication_slot_timeout".split())


def words_of(text):
    """The names in code marks in the sentences of a runbook."""
    prose = re.sub(r"^ *```.*\n(?:.*\n)*?^ *```$", "", text, flags=re.M)
    for code in re.findall(r"`([^`]+)`", prose):
        yield from re.findall(r"(?<![-\w./\"$])[a-z][a-z0-9]*(?:_[a-z0-9]+)*(?![-\w./])", code)


def wrong_objects():
    """What the exporter must have found in the shop before a command is tried."""
    return {own["OBJECT"] for own in OWN.values() if "OBJECT" in own} | {"backups/dumps.dump"}


class Trial:
    """The runbooks in one world."""

    def __init__(self, world):
        self.world = world
        self.failures = []
        self.counts = {"sh": 0, "repairs": 0, "promql": 0}
        self.done = set()
        self.shown = {}
        self.words = set()

    def values(self, name):
        known = {"work": self.world.work, **self.world.rows}
        own = {key: value.format(**known) for key, value in OWN.get(name, {}).items()}
        return {**self.world.values, **own}

    def run(self, body, database, reading, values):
        """Runs one block. @return what it printed, and its faults"""
        noted = self.world.work / "failures"
        noted.write_text("", encoding="utf-8")
        noted.chmod(0o666)
        environment = {
            **self.world.data.environment, **values, "FAILURES": str(noted),
            "READING": READING if reading else "", "PGHOST": f"{self.world.work}/socket", "PGUSER": "postgres",
            "PGDATABASE": database, "DATABASE": database}
        programs = self.world.work / "bin"
        ended = subprocess.run(
            runbook_world.unprivileged(["env", f"PATH={programs}", str(programs / "bash"), "-u", "-c", body]),
            env=environment, cwd=self.world.work / "scratch", capture_output=True, text=True, errors="replace",
            timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
        faults = noted.read_text(encoding="utf-8").splitlines()
        faults += [line for line in ended.stderr.splitlines()
                   if re.search(r"command not found|unbound variable|syntax error|unexpected", line)]
        if faults:
            faults += ended.stderr.strip().splitlines()[:3]
        return ended.stdout, faults

    def try_block(self, name, body, repairs):
        values = self.values(name)
        used = (body, tuple(sorted((key, value) for key, value in values.items() if "$" + key in body)))
        if not repairs and used in self.shown:
            return self.shown[used]
        self.counts["repairs" if repairs else "sh"] += 1
        if "$PID" in body:
            values["PID"] = self.a_session()
        if "accept --changes" in body:
            self.world.wait_for_evidence_on_disk()
        database = self.own_copy(name) if repairs else "shop"
        shown, faults = self.run(body, database, not repairs, values)
        self.shown[used] = shown
        if faults:
            self.failures.append("%s: %s: %s" % (name, body.strip().splitlines()[0], "; ".join(faults)))
        return shown

    def own_copy(self, name):
        """The copy of the shop for the repairs of a runbook, as people have prepared it."""
        database = "of_" + name.lower()
        data = self.world.data
        if name in ALTERNATIVES:
            data.psql(f"DROP DATABASE IF EXISTS {database}", "postgres")
            self.done.discard(database)
        if database not in self.done:
            self.done.add(database)
            data.psql(f"CREATE DATABASE {database} TEMPLATE pristine", "postgres")
        if name in BY_HAND:
            data.psql(BY_HAND[name].format(**self.world.rows), database)
        return database

    def a_session(self):
        """A session that may be ended."""
        data = self.world.data
        self.world.child(["psql", "-X", "-q", "-d", data.dsn("postgres"), "-c", "SELECT pg_sleep(600)"])
        query = "SELECT max(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
        runbook_world.until(lambda: data.psql(query).strip(), "a session that sleeps")
        return data.psql(query).strip()

    def try_query(self, name, line):
        query = line.split("#")[0].strip()
        if not query or query in self.done:
            return
        self.done.add(query)
        self.counts["promql"] += 1
        said = self.world.ask(query)
        if said:
            self.failures.append("%s: %s: %s" % (name, query, said))

    def try_runbook(self, name, text):
        for word in sorted(set(words_of(text)) - self.words - OTHER_WORDS):
            self.failures.append("%s: there is nothing that is called `%s`" % (name, word))
        first = None
        for language, info, body in blocks_of(text):
            if language == "sh" and info in ("", "repairs"):
                shown = self.try_block(name, body, info == "repairs")
                first = shown if first is None else first
            elif language == "promql" and not info:
                for line in body.splitlines():
                    self.try_query(name, line)
            else:
                self.failures.append("%s: a block of another kind: %s %s" % (name, language, info))
        if name in SHOWS and not re.search(SHOWS[name], first or "", re.M):
            self.failures.append("%s: the first command does not show %s, but:\n%s" % (name, SHOWS[name], first))


def main():
    words = sys.argv[2:]
    world = World(os.path.realpath(sys.argv[1]), wrong_objects())
    trial = Trial(world)
    tried = 0
    try:
        world.begin()
        trial.words = world.words()
        for path in sorted((ROOT / "alerts/runbooks").glob("PgIntegrity*.md")):
            if not words or any(word in path.stem for word in words):
                tried += 1
                trial.try_runbook(path.stem, path.read_text(encoding="utf-8"))
    finally:
        world.end()
    for failure in trial.failures:
        print("runbooks: " + failure, file=sys.stderr)
    print("%d runbooks: %d commands that read, %d that repair, %d queries, %d failures" % (
        tried, trial.counts["sh"], trial.counts["repairs"], trial.counts["promql"], len(trial.failures)))
    sys.exit(1 if trial.failures or not tried else 0)


if __name__ == "__main__":
    main()
