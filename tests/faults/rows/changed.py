"""Somebody locks, alters, drops or hides what is being checked."""
import contextlib
import os
import signal
import subprocess
import time

from table import demand, elsewhere, eventually, row
from throwaway import unprivileged
from world import DATA, KEY, ROWS, SUCCESS

OTHER = 'pg_integrity_table_rows{table="parent"}'


class Client:
    """A psql that stays. Statements are sent, and not waited for."""

    def __init__(self, world):
        self.psql = subprocess.Popen(
            unprivileged(["psql", "-X", "-q", "-At", "-d", world.dsn("postgres")]),
            text=True,
            bufsize=1,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=world.environment,
        )

    def __enter__(self):
        return self

    def send(self, text):
        self.psql.stdin.write(text + "\n")
        self.psql.stdin.flush()

    def ask(self, text):
        """@return the line that it prints"""
        self.send(text)
        return self.psql.stdout.readline().strip()

    def __exit__(self, *_):
        self.psql.kill()
        with contextlib.suppress(OSError):
            self.psql.communicate()


def waiting_for_a_lock(world):
    """For how many seconds a session of ours has been waiting for one."""
    return float(world.psql(
        "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - waitstart)), 0) FROM pg_locks "
        "JOIN pg_stat_activity USING (pid) WHERE usename = 'pgintegrity' AND NOT granted"))


@row(18, "one table is locked exclusively", "I5 I10")
def locked_table(run):
    world = run.world()
    exporter = world.watched(
        'collectors.row_counts.full_check_interval = "0s"', 'collectors.orphans.full_check_interval = "0s"'
    )
    client = run.enter_context(Client(world))
    client.ask("BEGIN; LOCK TABLE child IN ACCESS EXCLUSIVE MODE; SELECT 1;")
    world.psql("INSERT INTO parent VALUES (6)")
    on_time = exporter.wait_for(OTHER, 6, 10)
    waits = [waiting_for_a_lock(world) for _ in range(150)]
    demand(0 < max(waits) < 0.45, f"it waited {max(waits):.2f} s for a lock")
    # What was seen a moment ago is still true for a while. A check that has nothing recorded tells the lock at once.
    said = world.check_afresh()
    demand('"lock"' in said and "child" in said, "check does not tell the lock")
    client.send("ROLLBACK; BEGIN; INSERT INTO child VALUES (6, 6); COMMIT;")
    back = exporter.wait_for(ROWS, 6, 10)
    return (
        f"the other table was counted after {on_time:.1f} s, waits of {max(waits):.2f} s at most, check tells the lock; "
        f"counted anew {back:.1f} s after its end"
    )


@row(19, "queued in front of somebody's DDL", "I9")
def behind_ddl(run):
    world = run.world()
    world.watched('collectors.row_counts.full_check_interval = "0s"', 'collectors.orphans.full_check_interval = "0s"')
    reader, altering = (run.enter_context(Client(world)) for _ in range(2))
    reader.ask("BEGIN; SELECT count(*) FROM child;")
    altering.send("ALTER TABLE child ADD COLUMN more int; SELECT 'altered';")
    longest, until = 0.0, time.monotonic() + 8
    while time.monotonic() < until:
        longest = max(longest, waiting_for_a_lock(world))
    began = time.monotonic()
    reader.send("COMMIT;")
    demand(altering.psql.stdout.readline().strip() == "altered", "the ALTER TABLE failed")
    waited = time.monotonic() - began
    demand(longest < 0.45, f"it waited {longest:.2f} s for a lock")
    demand(waited < 0.45, f"the ALTER TABLE waited {waited:.2f} s for us")
    return f"our longest wait {longest:.2f} s; the ALTER TABLE went on {waited:.2f} s after its turn had come"


@row(20, "a table is dropped and made anew", "I5 I7 I8")
def dropped_table(run):
    world = run.world()
    exporter = world.watched()
    world.psql("DROP TABLE child")
    gone = exporter.wait_for(ROWS, None, 90)
    time.sleep(3)
    lines = len([line for line in exporter.said().splitlines() if "child" in line])
    demand(lines <= 4, f"{lines} lines about the table")
    demand(exporter.value_of(OTHER) == "5", "the other table is gone, too")
    world.psql(
        "CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent); INSERT INTO child VALUES (1, 1)"
    )
    back = exporter.wait_for(ROWS, 1, 90)
    return f"withdrawn after {gone:.0f} s with {lines} lines in the log; the new one is seen after {back:.0f} s"


@row(22, "the column of a configured check is dropped", "I5 I8")
def dropped_column(run):
    world = run.world(
        data=DATA + "CREATE TABLE visit (id int PRIMARY KEY, seen timestamptz); INSERT INTO visit VALUES (1, now());"
    )
    exporter = world.watched(
        "[[server.collectors.freshness.tables]]",
        'table = "visit"',
        'column = "seen"',
        'max_age = "1h"',
        fast=("server", "row_counts", "orphans", "freshness"),
    )
    last = 'pg_integrity_table_last_entry_timestamp_seconds{table="visit",column="seen"}'
    eventually(lambda: exporter.value_of(last), 30, "the last entry of visit")
    world.psql("ALTER TABLE visit DROP COLUMN seen")
    eventually(lambda: exporter.unproven("missing"), 90, "an object that is unproven(missing)")
    report = exporter.fetch("/report.json")
    demand("seen" in report, "the report does not name the column")
    demand(exporter.value_of(SUCCESS) == "1" and exporter.value_of(ROWS) == "5", "other collectors suffer")
    world.psql("ALTER TABLE visit ADD COLUMN seen timestamptz DEFAULT now()")
    back = eventually(lambda: not exporter.unproven("missing"), 90, "it is proven again")[1]
    return f"unproven(missing) alone, named in the report; good again after {back:.0f} s"


@row(25, "rights are revoked and granted again", "I5 I7")
def revoked(run):
    world = run.world()
    exporter = world.watched(
        'collectors.row_counts.full_check_interval = "0s"', 'collectors.orphans.full_check_interval = "0s"'
    )
    world.psql("REVOKE ALL ON child FROM pgintegrity, PUBLIC; REVOKE pg_read_all_data FROM pgintegrity")
    eventually(lambda: exporter.unproven("permission"), 60, "an object that is unproven(permission)")
    gone = eventually(lambda: exporter.value_of(ROWS) is None, 60, "the rows are withdrawn", 0.02)[1]
    demand(exporter.value_of(KEY) != "0", "the orphans are still said to be none")
    world.grant()
    back = eventually(
        lambda: exporter.value_of(ROWS) == "5" and exporter.value_of(KEY) == "0", 90, "all is shown again"
    )[1]
    return f"unproven(permission), withdrawn {gone:.1f} s later and never 0; good again after {back:.1f} s"


@row(34, "a foreign table whose server never answers", "I2 I5")
def foreign_table(run):
    import socket

    listener = socket.create_server(("127.0.0.1", 0))
    run.callback(listener.close)
    listener.settimeout(0.1)
    port = listener.getsockname()[1]
    world = run.world(data=DATA + f"""CREATE EXTENSION postgres_fdw;
        CREATE SERVER hole FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}');
        CREATE USER MAPPING FOR PUBLIC SERVER hole OPTIONS (user 'x', password 'y');
        CREATE FOREIGN TABLE far (id int, parent_id int) SERVER hole;
        CREATE TABLE parts (id int, n int) PARTITION BY RANGE (id);
        CREATE TABLE near PARTITION OF parts FOR VALUES FROM (0) TO (10);
        CREATE FOREIGN TABLE farther PARTITION OF parts FOR VALUES FROM (10) TO (20) SERVER hole;
        GRANT USAGE ON FOREIGN SERVER hole TO PUBLIC;""")
    exporter = world.watched()
    time.sleep(5)
    calls = 0
    try:
        listener.accept()
        calls += 1
    except socket.timeout:
        pass
    demand(calls == 0, "somebody called the foreign server")
    demand(exporter.value_of(SUCCESS) == "1", "row_counts does not succeed")
    return f"nobody calls it; {exporter.page_is_fast()}"


@row(
    35,
    "unlogged tables after a crash, temporary and other tables",
    "I7",
    also=(
        "SchemaOf.LeavesOutWhatIsNobodysOwnTable",
        "RowCounts.LeavesOutWhatIsNobodysTable",
        "Storage.UnloggedTablesAreNotWatchedOnAStandbyAndNamedOnce",
    ),
)
def unlogged(run):
    world = run.world(
        data=DATA + "CREATE UNLOGGED TABLE scratch (id int); INSERT INTO scratch SELECT generate_series(1, 7);"
    )
    exporter = world.watched("[[server.collectors.row_counts.limits]]", 'table = "scratch"', "min_rows = 5")
    exporter.wait_for('pg_integrity_table_rows{table="scratch"}', 7)
    os.kill(world.server.backends()[0], signal.SIGKILL)
    lost = exporter.wait_for('pg_integrity_table_rows{table="scratch"}', 0, 60)
    found = [line for line in exporter.said().splitlines() if "violated" in line and "scratch" in line]
    demand(found, "no violation is told")
    return f"7 rows become 0, a violation, {lost:.1f} s after the crash"


elsewhere(
    26,
    "a policy hides rows",
    "I7",
    "Filtered.RowsThatAPolicyHidesAreALimit",
    "Scans.RowLevelSecurityIsAnErrorNeverAFilteredCount",
    "Orphans.RowLevelSecurityIsUnprovenNeverZero",
    "HiddenTables.AreUnprovenByAllCollectorsAndNeverZero",
)
elsewhere(
    31,
    "operators, functions and search_path of others",
    "I9",
    "hostile/run",
    "GuardedRead.ATableWithForeignCodeInTheTablesPlaceIsRefused",
    "GuardedRead.AViewInTheTablesPlaceIsRefused",
    "Races.OurSessionCallsNothing",
)
elsewhere(
    113,
    "somebody locks a table for good",
    "I7",
    "Unchanged.ALockedTableIsLookedAtAgain",
    "Verdict.ALockTakesNothingFromAnObjectThatIsOnlyObserved",
    "CausesOf.ALockedTableIsOneWhateverItStops",
)
