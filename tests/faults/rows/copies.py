"""Standbys, promotions, servers that must not be written to, and clocks that are wrong."""
import subprocess
import time

from table import Skipped, demand, elsewhere, eventually, row
from throwaway import Server
from world import DATA, KEY, ROWS, SUCCESS

SLOW = """[[server.collectors.query_latency.queries]]
name = "slow"
sql = "SELECT count(*) FROM public.child, pg_catalog.pg_sleep(3)"
"""


def standby_of(run, world, settings):
    """A standby that streams from the world's server."""
    folder = world.work / "standby"
    for name in (folder, folder / "socket"):
        name.mkdir()
    world.own_everything()
    world.program.chmod(0o755)
    standby = Server(folder, "")
    world.execute(
        [
            "pg_basebackup",
            "-d",
            world.dsn("postgres"),
            "-D",
            standby.data,
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
        ]
    )
    with (standby.data / "postgresql.conf").open("a") as conf:
        conf.write(f"unix_socket_directories = '{folder}/socket'\nlisten_addresses = ''\n{settings}")
    standby.start()
    run.callback(standby.stop, must=False)
    return standby


@row(
    44,
    "a hot standby that cancels what is in the way of replay",
    "I7 I10",
    also=("RestoredCopy.AConflictWithReplayIsTriedAgain",),
)
def recovery_conflict(run):
    world = run.world()
    standby = standby_of(run, world, "max_standby_streaming_delay = 0\nhot_standby_feedback = off\n")
    exporter = world.watched(SLOW, dsn=standby.dsn("pgintegrity", "subject"))
    failed = 'pg_integrity_query_failures_total{query="slow",reason="conflict"}'

    def disturb():
        world.psql("UPDATE child SET note = note || '!'; DELETE FROM child WHERE id > 5")
        world.psql("VACUUM child")
        return float(exporter.value_of(failed) or 0) > 0

    _, taken = eventually(disturb, 60, "a query fails as conflict", 0.5)
    demand(exporter.value_of(ROWS) == "5" and exporter.value_of(KEY) == "0", "other values are gone")
    demand(exporter.value_of("pg_integrity_up") == "1", "the database is said to be down")
    back = exporter.wait_for(SUCCESS, 1)
    return f"conflict after {taken:.1f} s of vacuums, nothing else is lost, good again after {back:.1f} s"


@row(
    45,
    "a standby is promoted",
    "I7 I10",
    also=(
        "SamplerOf.APromotionIsNoticedThoughTheSessionsOutliveIt",
        "EvidenceOf.ASessionFromBeforeAPromotionDoesNotTakeItBack",
    ),
)
def promotion(run):
    world = run.world()
    standby = standby_of(run, world, "")
    exporter = world.watched(dsn=standby.dsn("pgintegrity", "subject"))
    role = [line for line in exporter.page().splitlines() if line.startswith("pg_integrity_server_info")]
    demand(role and "standby" in role[0], f"the page says {role}")
    world.server.stop()
    world.execute([standby.bin / "pg_ctl", "-D", standby.data, "-w", "-s", "promote"])
    seen = eventually(
        lambda: any(
            line.startswith("pg_integrity_server_info") and "primary" in line for line in exporter.page().splitlines()
        ),
        60,
        "the page says primary",
    )[1]
    world.execute(
        ["psql", "-X", "-q", "-d", standby.dsn("postgres", "subject"), "-c", "INSERT INTO child VALUES (6, 1)"]
    )
    counted = exporter.wait_for(ROWS, 6, 60)
    return f"told as primary after {seen:.1f} s, counted anew {counted:.1f} s later, without a restart"


@row(46, "a server that writes nothing: read-only, its disk full", "I9 I10", root=True)
def nothing_can_be_written(run):
    world = run.world(started=False)
    small = world.server.data
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "pgi", str(small)], check=False).returncode != 0:
        raise Skipped("nothing can be mounted here")
    run.callback(subprocess.run, ["umount", "-l", str(small)], check=False)
    world.own_everything()
    small.chmod(0o700)
    world.server.initialise = lambda: Server.initialise(world.server)
    world.settings = "max_wal_size = 64MB\nmin_wal_size = 32MB\ndefault_transaction_read_only = off\n"
    world.prepare()
    exporter = world.watched('collectors.row_counts.full_check_interval = "0s"')
    world.psql("ALTER SYSTEM SET default_transaction_read_only = on")
    world.psql("SELECT pg_reload_conf()")
    time.sleep(2)
    with open(small / "filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 65536):
                pass
        except OSError:
            pass
    exporter.passes("row_counts", 4, 30)
    demand(exporter.value_of(SUCCESS) == "1" and exporter.value_of(KEY) == "0", "the reads do not work")
    (small / "filler").unlink()
    return "every read works with default_transaction_read_only and without a byte of room"


@row(114, "a server that stops before its transaction numbers wrap around", "I9")
def wraparound(run):
    world = run.world("max_prepared_transactions = 2\n")
    # Vacuums that nobody can switch off would mend it within seconds. An old transaction keeps them from it.
    world.psql("BEGIN; INSERT INTO parent VALUES (8); PREPARE TRANSACTION 'old'")
    world.server.stop(mode="fast")
    oldest = int(
        dict(
            line.split(":", 1)
            for line in world.execute([world.bin / "pg_controldata", world.server.data]).stdout.splitlines()
        )["Latest checkpoint's oldestXID"]
    )
    stop = oldest + (1 << 31) - 2_000_000
    world.execute([world.bin / "pg_resetwal", "-f", "-x", stop, world.server.data])
    segment = world.server.data / "pg_xact" / f"{stop // (8192 * 4 * 32):04X}"
    world.execute(["dd", "if=/dev/zero", f"of={segment}", "bs=256k", "count=1"])
    world.server.start()
    refused = world.execute(
        ["psql", "-X", "-q", "-d", world.dsn("postgres"), "-c", "INSERT INTO child VALUES (9, 1)"], must=False
    )
    demand("wraparound" in refused.stderr, f"the server still writes: {refused.stderr[:200]}")
    exporter = world.watched()
    return f"it refuses every write, and {exporter.value_of(ROWS)} rows and 0 orphans are proven all the same"


@row(47, "no transaction of ours stays open", "I3 I9")
def short_transactions(run):
    world = run.world(data=DATA + "INSERT INTO child SELECT g, 1, repeat('x', 300) FROM generate_series(100, 60000) g;")
    world.configure('collectors.row_counts.full_check_interval = "0s"')
    exporter = world.serve()
    exporter.ready()
    longest = idle = 0.0
    until = time.monotonic() + 10
    while time.monotonic() < until:
        open_for, idle_for = (
            world.psql(
                "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0), "
                "coalesce(extract(epoch FROM max(clock_timestamp() - state_change) FILTER (WHERE state LIKE 'idle in%')), 0) "
                "FROM pg_stat_activity WHERE usename = 'pgintegrity'"
            )
            .strip()
            .split("|")
        )
        longest, idle = max(longest, float(open_for)), max(idle, float(idle_for))
    demand(longest < 3, f"a transaction was open for {longest:.1f} s")
    demand(idle < 1, f"a transaction was idle for {idle:.1f} s")
    return f"the longest transaction {longest:.2f} s, the longest pause in one {idle:.2f} s"


SHIFTED = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long shift(void) { const char* text = getenv("SHIFT"); return text ? atol(text) : 0; }
int clock_gettime(clockid_t id, struct timespec* at) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  if (id == CLOCK_REALTIME) at->tv_sec += shift();
  return result;
}
int gettimeofday(struct timeval* at, void* zone) {
  struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec; at->tv_usec = now.tv_nsec / 1000; return 0;
}
time_t time(time_t* at) { struct timespec now; clock_gettime(CLOCK_REALTIME, &now); if (at) *at = now.tv_sec; return now.tv_sec; }
"""


@row(
    48,
    "the server's clock is ahead or behind",
    "I7",
    also=(
        "Verdict.ASteppedWallClockChangesNoAge",
        "State.AgesDoNotShrinkWhenTheClockIsSetBack",
        "State.AfterTheClockWasSetBackOnlyWhatWasBrokenIsStillKnown",
        "Exposition.AnAgeIsNeverNegative",
    ),
)
def shifted_clock(run):
    world = run.world(
        data=DATA + "CREATE TABLE visit (id int, at timestamptz DEFAULT now()); INSERT INTO visit VALUES (1);"
    )
    world.server.stop(mode="fast")
    library = world.work / "shifted.so"
    made = subprocess.run(
        ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"],
        input=SHIFTED,
        text=True,
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        raise Skipped("there is no C compiler")
    library.chmod(0o755)
    seen = []
    for shift in (3600, -3600):
        world.server.prefix = ["env", f"LD_PRELOAD={library}", f"SHIFT={shift}"]
        world.server.start()
        exporter = world.watched(fast=("server", "row_counts", "orphans", "freshness"))
        offset = float(exporter.value_of("pg_integrity_clock_offset_seconds"))
        demand(abs(offset - shift) < 5, f"clock_offset_seconds is {offset:.0f}, not {shift}")
        ages = [
            line
            for line in exporter.page().splitlines()
            if "_age_seconds" in line.split(" ")[0] and float(line.split()[-1]) < 0
        ]
        demand(not ages, f"a negative age: {ages[:1]}")
        seen.append(f"{offset:+.0f} s")
        exporter.stop()
        world.server.stop(mode="fast")
    return f"told as {' and '.join(seen)}, no age is negative, everything else is proven"


@row(
    50,
    "times without a zone",
    "I7",
    also=(
        "Freshness.AColumnWithoutZoneIsReadInTheConfiguredOneOrNotAtAll",
        "ClockZones.AReadingThatOccursTwiceIsTheEarlier",
        "ClockZones.AReadingInAGapIsTheMomentOfTheJump",
    ),
)
def without_zone(run):
    world = run.world(data=DATA + """CREATE TABLE visit (id int, at timestamp);
        INSERT INTO visit VALUES (1, (now() AT TIME ZONE 'Asia/Tokyo') - interval '90 s');""")
    last = 'pg_integrity_table_last_entry_timestamp_seconds{table="visit"}'
    exporter = world.watched(
        "[[server.collectors.freshness.tables]]",
        'table = "visit"',
        'column = "at"',
        'zone = "Asia/Tokyo"',
        fast=("server", "row_counts", "orphans", "freshness"),
    )
    value, _ = eventually(lambda: exporter.value_of(last), 30, "the last entry")
    age = time.time() - float(value)
    demand(60 < age < 200, f"the last entry is {age:.0f} s old, not 90")
    return f"read in its zone: {age:.0f} s old"


elsewhere(
    51,
    "times as text or numbers",
    "I7",
    "BackupHistoryTable.ReadsZonesAndEnumsAndRefusesWhatHasNoTime",
    "AuditLogs.WhatDoesNotFitIsUnprovenAndHarmsNobodyElse",
    "Freshness.WhatDoesNotFitIsUnprovenAndHarmsNobodyElse",
)
elsewhere(
    52,
    "NaN, infinity and NULL from a query",
    "I7",
    "Custom.WhatIsNoNumberIsUnproven",
    "Row.WhatIsNoFiniteNumberIsAnErrorNeverAValue",
    "Custom.NullIsAnErrorUnlessItIsSaidToBeAbsent",
    "Scans.TheFutureAndInfinityAreNeitherRecentNorNewest",
)
