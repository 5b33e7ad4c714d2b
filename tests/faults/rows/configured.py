"""Configurations that are wrong, odd or hostile, and signals."""
import os
import signal
import socket
import subprocess
import time

import measured
from served import free_port
from table import demand, elsewhere, eventually, row
from throwaway import unprivileged
from world import KEY, ROWS

GOOD = '[[server]]\nname = "a"\ndsn = "host=/nowhere dbname=x user=x"\n'


def check(world, path, seconds=20):
    return subprocess.run(
        unprivileged([str(world.program), "config", "check", "--config", str(path)]),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        env=world.environment,
        cwd=world.work,
        check=False,
    )


@row(
    86,
    "every mistake of a configuration at once",
    "I1",
    also=(
        "Config.EveryBadFileIsRefusedWithItsExactLines",
        "Toml.AnUnknownKeyIsSaidWithTheNearestKnownOne",
        "CommandLine.EveryFaultOfAConfigurationIsALine",
    ),
)
def mistakes(run):
    world = run.world(started=False)
    path = world.work / "bad.toml"
    path.write_text(
        'listn = ":1"\n[[server]]\nname = 5\ndsn = "host=x dbname=y"\nmax_load = 7\nexclude = ["public.["]\n'
        '[server.collectors.orphans]\ninterval = "soon"\ndeadline = "-3s"\n[server.colectors.wal]\n'
    )
    ended = check(world, path)
    lines = [line for line in ended.stderr.splitlines() if "bad.toml:" in line]
    demand(ended.returncode == 3, f"it ended with {ended.returncode}")
    demand(len(lines) >= 6, f"{len(lines)} of seven mistakes are told: {ended.stderr}")
    demand("listen" in ended.stderr and "collectors" in ended.stderr, "the nearest keys are not named")
    return f"{len(lines)} lines with their places, exit 3"


@row(
    87,
    "configurations that are no text",
    "I1 I4",
    also=("Config.WhatIsNoFileIsRefusedBeforeItIsParsed", "Config.HostileNestingIsSurvived"),
)
def no_text(run):
    world = run.world(started=False)
    folder = world.work / "odd"
    folder.mkdir()
    odd = {
        "empty": b"",
        "NUL": b"\0" * 100,
        "utf16": GOOD.encode("utf-16"),
        "latin1": "# é\n".encode("latin-1") + GOOD.encode(),
        "bomb": b"a" + b".a" * 200000 + b" = 1\n",
        "deep": b"x = " + b"[" * 50000,
        "tables": b"[a" + b".b" * 20000 + b"]\n",
        "cr": GOOD.replace("\n", "\r").encode(),
        "random": os.urandom(20000),
        "quote": b'listen = "' + b"x" * 7000,
    }
    for name, text in odd.items():
        (folder / name).write_bytes(text)
    (folder / "directory").mkdir()
    os.mkfifo(folder / "fifo")
    os.truncate(os.open(folder / "huge", os.O_CREAT | os.O_WRONLY), 1 << 30)
    seen = {name: check(world, folder / name) for name in (*odd, "directory", "fifo", "huge")}
    seen["device"] = check(world, "/dev/zero")
    seen["loop"] = check(world, "/proc/self/mem")
    wrong = [
        f"{name} {ended.returncode}"
        for name, ended in seen.items()
        if ended.returncode != 3 or not ended.stderr.strip()
    ]
    demand(not wrong, f"not refused with 3 and a line: {', '.join(wrong)}")
    good = {"bom": b"\xef\xbb\xbf" + GOOD.encode(), "crlf": GOOD.replace("\n", "\r\n").encode()}
    for name, text in good.items():
        (folder / name).write_bytes(text)
        demand(check(world, folder / name).returncode == 0, f"{name} is refused")
    return f"{len(seen)} are refused with a line, a byte order mark and CRLF are taken"


@row(
    75,
    "the port is in use, the address is nobody's",
    "I1",
    also=(
        "BadInput.APortInUseIsSaidInOneLine",
        "Http.AnAddressThatIsNotOursIsOneClearLine",
        "Door.SystemdHandsOverItsSockets",
        "Http.OneServerListensOnSeveralAddresses",
    ),
)
def ports(run):
    world = run.world(started=False)
    world.configure(dsn="host=/nowhere dbname=x user=x")
    taken = socket.create_server(("127.0.0.1", 0))
    run.callback(taken.close)
    busy, free = taken.getsockname()[1], free_port()

    def ended(*listen):
        words = [word for address in listen for word in ("--web.listen-address", address)]
        return subprocess.run(
            unprivileged([str(world.program), "--config", str(world.work / "config.toml"), *words]),
            text=True,
            capture_output=True,
            timeout=20,
            env=world.environment,
            check=False,
        )

    for listen, named in (
        ((f"127.0.0.1:{busy}",), str(busy)),
        ((f"127.0.0.1:{free}", f"127.0.0.1:{busy}"), str(busy)),
        (("192.0.2.1:9999",), "192.0.2.1"),
    ):
        end = ended(*listen)
        errors = [line for line in end.stderr.splitlines() if "cannot listen" in line]
        demand(
            end.returncode == 1 and len(errors) == 1 and named in errors[0],
            f"{listen}: {end.returncode}, {end.stderr[-300:]}",
        )
    with socket.socket() as again:
        again.bind(("127.0.0.1", free))
    exporter = world.serve(arguments=["--web.listen-address", f"[::1]:{free}"])
    with socket.create_connection(("::1", free), timeout=5) as wire:
        wire.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n")
        demand(b" 200 " in wire.recv(4096), "it does not answer on ::1")
    demand(exporter.lives(), "it ended")
    return "exit 1 with one line that names the address, none of two listens if one cannot, IPv6 answers"


@row(
    89,
    "a hundred reloads, of bad files and of none",
    "I1 I3 I4",
    also=(
        "Signals.HangUpWithABadConfigurationChangesNothingButSaysSo",
        "Signals.HangUpPutsANewConfigurationIntoForceAndKeepsTheEvidence",
    ),
)
def reloads(run):
    world = run.world()
    exporter = world.watched()
    config = world.work / "config.toml"
    good = config.read_text()
    before = measured.threads(exporter.pid), measured.descriptors(exporter.pid)
    most = 0
    for number in range(100):
        if number % 10 == 3:
            config.unlink()
        elif number % 10 == 6:
            config.write_text("[[sever]]\n")
        else:
            config.write_text(good)
        exporter.reload()
        most = max(most, world.most_sessions(0.05))
    demand(exporter.lives(), "it ended")
    config.unlink()
    exporter.reload()
    exporter.wait_for("pg_integrity_config_last_reload_successful", 0)
    demand(exporter.value_of(ROWS) == "5", "the old configuration is not in force")
    config.write_text(good)
    exporter.reload()
    exporter.wait_for("pg_integrity_config_last_reload_successful", 1)
    exporter.wait_for('pg_integrity_collector_success{collector="row_counts"}', 1)
    demand(most <= 2, f"{most} sessions")
    # Threads that are reused stay, so a few may have come.
    after, _ = eventually(
        lambda: (
            (measured.threads(exporter.pid), measured.descriptors(exporter.pid))
            if measured.threads(exporter.pid) <= before[0] + 4 and measured.descriptors(exporter.pid) <= before[1] + 2
            else None
        ),
        30,
        f"threads and descriptors are about {before} again",
    )
    return f"at most {most} sessions; threads and descriptors {before} before and {after} after"


@row(
    91,
    "SIGTERM during a statement, and a second one",
    "I1 I3",
    also=(
        "Signals.TerminationCancelsARunningQueryAndEndsWithSuccess",
        "Signals.AProgramThatIsAskedEndsWithTheExporter",
        "Scripts.ASecondSignalDoesNotEndTheCleaningUp",
    ),
)
def terminated(run):
    world = run.world()
    slow = ("[[server.collectors.query_latency.queries]]", 'name = "slow"', 'sql = "SELECT pg_sleep(9)"')
    exporter = world.watched(*slow)
    asleep = "SELECT wait_event FROM pg_stat_activity WHERE usename = 'pgintegrity'"
    eventually(lambda: "PgSleep" in world.psql(asleep), text="a statement that runs")
    clients = [socket.create_connection(("127.0.0.1", exporter.port)) for _ in range(20)]
    taken = exporter.ends()
    for client in clients:
        client.close()
    gone = eventually(lambda: not world.server.backends(), 5, "the end of its backends")[1]
    exporter = world.serve()
    eventually(lambda: "PgSleep" in world.psql(asleep), text="a statement that runs")
    os.kill(world.server.postmaster(), signal.SIGSTOP)
    for pid in world.server.backends():
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    exporter.process.send_signal(signal.SIGTERM)
    exporter.process.send_signal(signal.SIGTERM)
    eventually(lambda: not exporter.lives(), 5, "its end after the second SIGTERM")
    second = time.monotonic() - began
    demand(exporter.process.poll() in (0, -signal.SIGTERM, 143), f"it ended with {exporter.process.poll()}")
    return f"ends in {taken:.1f} s, its backends {gone:.1f} s later; with a second SIGTERM beside a frozen server in {second:.1f} s"


elsewhere(115, "what is mounted in place of a file", "I1", "Door.WhatIsMountedInPlaceOfAFileEndsNothing")
elsewhere(116, "a log reader that stands still", "I1 I2", "Door.ALogReaderThatStandsStillStopsNothing")
elsewhere(
    117,
    "a state directory that another exporter has",
    "I1",
    "Door.AStateDirectoryHasOneOwner",
    "DirectoryLock.HasOneOwnerUntilThatLetsGo",
)


@row(118, "notices of a database that forge lines of the log", "I6 I8")
def forged(run):
    world = run.world()
    world.psql("ALTER DATABASE subject SET role = E'x\\nts=2026-01-01 level=error msg=\"forged\"\\n\\x1b[31m'")
    world.configure()
    exporter = world.serve()
    time.sleep(4)
    said = exporter.said()
    bad = [line for line in said.splitlines() if not line.startswith("ts=") or 'msg="forged"' in line or "\x1b" in line]
    demand(not bad, f"the log has {bad[:2]}")
    demand(exporter.value_of(KEY) == "0" and exporter.value_of(ROWS) == "5", "the database is not watched")
    return "one line at most, and nothing forged in it"
