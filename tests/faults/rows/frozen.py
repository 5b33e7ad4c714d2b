"""Processes of the server that stand still, and networks that swallow everything."""
import os
import signal
import time

from network import Namespace
from proxy import Proxy
from table import demand, elsewhere, eventually, row
from world import FAST, KEY, ROWS, SUCCESS

IMPATIENT = tuple(f'collectors.{name}.deadline = "1s"' for name in FAST)


def freeze(pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


@row(3, "postmaster frozen", "I2 I3 I10", also=("FrozenServer.ItsPostmasterIsWaitedForInVainAndThenReachedAgain",))
def frozen_postmaster(run):
    world = run.world()
    exporter = world.watched(*IMPATIENT)
    postmaster = world.server.postmaster()
    backends = world.server.backends()
    os.kill(postmaster, signal.SIGSTOP)
    for pid in backends:
        os.kill(pid, signal.SIGTERM)
    exporter.wait_for("pg_integrity_up", 0)
    fast = exporter.page_is_fast()
    waiting = float(exporter.value_of('pg_integrity_exporter_sessions{state="connecting"}') or 0)
    demand(waiting <= 2, f"{waiting} sessions are being opened")
    # No backend is there while the postmaster cannot start any: they are counted after it goes on.
    os.kill(postmaster, signal.SIGCONT)
    most = world.most_sessions(3)
    demand(most <= 2, f"{most} sessions when it went on")
    taken = exporter.wait_for("pg_integrity_up", 1)
    return f"{fast}; at most {most} sessions afterwards, back after {taken:.1f} s"


@row(
    4,
    "backends frozen during statements",
    "I2 I3 I10",
    also=(
        "FrozenServer.ItsBackendsCostTwoSessionsAtMostAndThePageStaysUp",
        "FrozenServer.BesideItsBackendsRestartsAddOneSessionAtMost",
    ),
)
def frozen_backends(run):
    world = run.world()
    exporter = world.watched(*IMPATIENT)
    frozen, most = set(), 0
    until = time.monotonic() + 12
    while time.monotonic() < until:
        now = world.server.backends()
        most = max(most, len(now))
        freeze(now)
        frozen.update(now)
        time.sleep(0.02)
    demand(most <= 2, f"{most} sessions at once")
    lost = sum(
        float(exporter.value_of(f'pg_integrity_exporter_sessions{{state="{state}"}}') or 0)
        for state in ("abandoned", "connecting")
    )
    demand(lost == 2, f"{lost} sessions are counted as lost")
    fast = exporter.page_is_fast()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    taken = exporter.wait_for(SUCCESS, 1)
    exporter.wait_for('pg_integrity_exporter_sessions{state="abandoned"}', 0)
    return f"at most {most} sessions, {len(frozen)} frozen; {fast}; good again after {taken:.1f} s"


def in_a_namespace(run, **more):
    space = run.enter_context(Namespace())
    world = run.world(tcp=True, listen=space.there, prefix=space.prefix, started=False)
    world.settings = "tcp_user_timeout = 0\n"
    with_hba = world.server.initialise

    def initialise():
        with_hba()
        with (world.server.data / "pg_hba.conf").open("a") as hba:
            hba.write(f"host all all {space.here}/32 trust\n")

    world.server.initialise = initialise
    world.prepare()
    exporter = world.watched(*IMPATIENT, dsn=world.address(more="sslmode=disable"), **more)
    return space, world, exporter


@row(5, "black hole under established sessions", "I2 I3 I10", root=True)
def black_hole(run):
    space, world, exporter = in_a_namespace(run)
    most = 0
    for seconds in (5, 25):
        space.cut()
        began = time.monotonic()
        exporter.wait_for("pg_integrity_up", 0, 20)
        noticed = time.monotonic() - began
        fast = exporter.page_is_fast()
        most = max(most, world.most_sessions(seconds - (time.monotonic() - began)))
        space.mend()
        began = time.monotonic()
        exporter.wait_for(SUCCESS, 1, 90)
        taken = time.monotonic() - began
        most = max(most, world.most_sessions(5))
    demand(noticed < 10, f"it was noticed after {noticed:.0f} s")
    demand(most <= 2, f"{most} sessions on the server")
    return f"noticed after {noticed:.1f} s; {fast}; at most {most} sessions; good again {taken:.1f} s after 25 s without a network"


@row(6, "black hole while connecting", "I2 I3 I10", root=True)
def black_hole_connecting(run):
    space, world, exporter = in_a_namespace(run)
    space.cut()
    for pid in world.server.backends():
        os.kill(pid, signal.SIGTERM)
    exporter.wait_for("pg_integrity_up", 0)
    fast = exporter.page_is_fast()
    waiting = float(exporter.value_of('pg_integrity_exporter_sessions{state="connecting"}') or 0)
    demand(waiting <= 2, f"{waiting} sessions are being opened")
    taken = exporter.ends()
    exporter = world.serve()
    exporter.wait_for("pg_integrity_up", 0)
    eventually(lambda: exporter.failed("server", "timeout"), 20, "the server's collector fails as timeout")
    space.mend()
    back = exporter.wait_for(SUCCESS, 1, 60)
    return f"{fast}; ended meanwhile in {taken:.1f} s; started in it, and good {back:.1f} s after its end"


@row(106, "black hole at the exporter's end", "I3", root=True)
def black_hole_at_the_end(run):
    _, world, exporter = run_and_cut(run)
    exporter.process.kill()
    exporter.process.wait()
    demand(world.server.backends() != [], "no session remained, so that nothing is shown")
    _, taken = eventually(lambda: not world.server.backends(), 75, "the end of the sessions on the server", 0.5)
    return f"the server had closed its sessions {taken:.0f} s later"


def run_and_cut(run):
    space, world, exporter = in_a_namespace(run)
    eventually(world.server.backends, text="sessions")
    space.cut()
    return space, world, exporter


def behind_a_proxy(run):
    world = run.world(tcp=True)
    proxy = run.enter_context(Proxy(world.server.port))
    exporter = world.watched(*IMPATIENT, dsn=world.address(port=proxy.port, more="sslmode=disable"))
    return proxy, world, exporter


@row(7, "reset in the middle of a result", "I1 I5 I10")
def reset_in_a_result(run):
    proxy, _, exporter = behind_a_proxy(run)
    for after in (0, 1, 5, 40, 200, 1000):
        proxy.reset_after(after)
        eventually(lambda: proxy.resets > 0, 45, "a connection that was reset", 0.02)
        demand(exporter.value_of(ROWS) == "5" and exporter.value_of(KEY) == "0", "half a result was published")
    proxy.let_pass()
    taken = exporter.wait_for(SUCCESS, 1)
    demand(exporter.lives() and exporter.value_of(ROWS) == "5", "it did not recover")
    return f"nothing half is shown after resets at six places; good again after {taken:.1f} s"


@row(9, "a server that answers a byte at a time", "I2 I3")
def drips(run):
    proxy, world, exporter = behind_a_proxy(run)
    proxy.drip(0.2)
    # The deadline is that of the whole statement, so a pass must fail although each byte comes in time.
    _, taken = eventually(lambda: exporter.failed("row_counts", "timeout"), 30, "row_counts fails as timeout")
    fast = exporter.page_is_fast()
    most = world.most_sessions(5)
    demand(most <= 2, f"{most} sessions")
    proxy.let_pass()
    back = exporter.wait_for(SUCCESS, 1, 60)
    return f"timeout after {taken:.1f} s; {fast}; at most {most} sessions; good again after {back:.1f} s"


elsewhere(
    107,
    "backends that hang while they start",
    "I3",
    "FrozenServer.BackendsThatHangWhileTheyStartDoNotPileUp",
    "Pool.ASessionThatHangsBeforeItKnowsWhoAnswersKeepsItsSlot",
)
elsewhere(
    108,
    "the exporter's end beside frozen processes",
    "I1",
    "FrozenServer.TheExporterEndsAllTheSame",
    "SamplerOf.StopDoesNotWaitForAFrozenBackend",
)
