"""The server is down, restarts, recovers, or is another one than it was."""
import os
import signal
import time

from proxy import Proxy
from table import demand, elsewhere, eventually, row
from world import KEY, ROWS

SLOW = """[[server.collectors.query_latency.queries]]
name = "slow"
sql = "SELECT pg_sleep(2)"
"""


@row(1, "down at the start", "I1 I10", also=("Outage.AServerThatIsDownAtTheStartIsReachedAsSoonAsItIsThere",))
def down_at_the_start(run):
    world = run.world()
    world.configure()
    world.server.stop()
    exporter = world.serve()
    exporter.ready()
    demand(exporter.value_of("pg_integrity_up") == "0", "pg_integrity_up is not 0")
    demand(exporter.failed("row_counts", "connect"), "no failure is counted as connect")
    demand(exporter.value_of(ROWS) is None, "rows are shown that nobody counted")
    world.server.start()
    exporter.wait_for("pg_integrity_up", 1)
    taken = exporter.wait_for(ROWS, 5)
    return f"pg_integrity_up 0 and connect; good again {taken:.1f} s after it came up"


def restarts(run, mode):
    world = run.world()
    exporter = world.watched(SLOW)
    eventually(
        lambda: "PgSleep" in world.psql("SELECT wait_event FROM pg_stat_activity WHERE usename = 'pgintegrity'"),
        text="a statement that runs",
        pause=0.02,
    )
    world.server.stop(mode=mode)
    exporter.wait_for("pg_integrity_up", 0)
    demand(exporter.value_of(ROWS) == "5", "the rows of a minute ago are gone")
    world.server.start()
    began = time.monotonic()
    exporter.wait_for("pg_integrity_up", 1)
    exporter.wait_for('pg_integrity_collector_success{collector="row_counts"}', 1)
    demand(exporter.lives(), "it ended")
    return f"its process lives, and is back after {time.monotonic() - began:.1f} s"


@row(2, "fast restart during a statement", "I1 I5 I10")
def fast_restart(run):
    return restarts(run, "fast")


@row(103, "immediate restart during a statement", "I1 I5 I10")
def immediate_restart(run):
    return restarts(run, "immediate")


@row(17, "crash recovery after kill -9 of a backend", "I10")
def crash_recovery(run):
    world = run.world()
    exporter = world.watched()
    for _ in range(3):
        victim, _ = eventually(world.server.backends, text="a session")
        os.kill(victim[0], signal.SIGKILL)
        eventually(lambda: victim[0] not in world.server.backends(), text="the end of the backend")
        taken = exporter.passes("server", 2)
    demand(exporter.value_of(KEY) == "0" and exporter.value_of(ROWS) == "5", "evidence was lost")
    return f"three crashes; the last time it was back after {taken:.1f} s"


@row(16, "a server that is too old", "I8", also=("campaigns/majors",))
def too_old(run):
    """No such server is packaged any more, so a proxy changes the number. The campaign majors has newer ones."""
    world = run.world(tcp=True)
    proxy = run.enter_context(Proxy(world.server.port))
    number = world.psql("SHOW server_version_num").strip().encode()
    proxy.replace(number, b"11" + number[2:])
    world.configure(dsn=world.address(port=proxy.port, more="sslmode=disable"))
    exporter = world.serve()
    eventually(lambda: "is too old. HINT: 12 or newer is needed" in exporter.said(), 20, "a line that says so")
    demand(exporter.value_of("pg_integrity_up") == "0", "pg_integrity_up is not 0")
    time.sleep(4)
    lines = exporter.said().count("is too old")
    demand(lines == 1, f"{lines} lines say so")
    return "one line says what is needed"


elsewhere(
    104,
    "another cluster at the same address",
    "I7",
    "Outage.AnotherClusterAtTheSamePlaceDoesNotInheritEvidence",
    "EvidenceOf.AnotherClusterOrTimelineStartsAnew",
)
elsewhere(
    105,
    "violations last through an outage, values of the present expire",
    "I7",
    "Outage.AViolationSticksWhileTheServerIsDownAndClearsWhenItIsRepaired",
    "Outage.CurrentValuesExpireWhilePastEventsStayAndTheirAgesGrow",
    "Outage.EvidenceIsBackAfterARestartWithItsOldTimes",
)
