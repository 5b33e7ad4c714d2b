"""The faults of the soak. Each begins, lasts for a moment, and ends.

A fault is a generator. It begins, yields while it lasts, and ends. It yields how many more seconds the exporter may
take afterwards.
"""
import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

from rows.changed import Client
from table import eventually
from throwaway import unprivileged

FAULTS = {}
SUBJECTS = {}
LINE = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"


def fault(subject):
    """@param subject of two faults at the same time each has another one"""

    def register(function):
        FAULTS[function.__name__] = function
        SUBJECTS[function.__name__] = subject
        return function

    return register


@fault("the server")
def restart_fast(soak):
    soak.world.server.stop(mode="fast")
    yield 0
    soak.world.server.start()


@fault("the server")
def restart_immediate(soak):
    soak.world.server.stop()
    yield 0
    soak.world.server.start()


@fault("the server")
def crash_of_a_backend(soak):
    for pid in soak.world.server.backends()[:1]:
        soak.signal(pid, signal.SIGKILL)
    yield 0
    eventually(
        lambda: soak.world.execute(
            ["psql", "-X", "-q", "-d", soak.world.dsn("postgres"), "-c", "SELECT 1"], must=False
        ).returncode
        == 0,
        text="the end of the recovery",
    )


@fault("the server")
def sessions_are_terminated(soak):
    for pid in soak.world.server.backends():
        soak.signal(pid, signal.SIGTERM)
    yield 0


def freeze(soak, pids):
    for pid in pids:
        soak.signal(pid, signal.SIGSTOP)


def thaw(soak, pids):
    for pid in pids:
        soak.signal(pid, signal.SIGCONT)


@fault("the server")
def frozen_backend(soak):
    frozen = soak.world.server.backends()[:1]
    freeze(soak, frozen)
    yield 1
    thaw(soak, frozen)


@fault("the server")
def frozen_backends(soak):
    frozen = soak.world.server.backends()
    freeze(soak, frozen)
    yield 1
    thaw(soak, frozen)


@fault("the server")
def frozen_postmaster(soak):
    frozen = [soak.world.server.postmaster()]
    freeze(soak, frozen)
    for pid in soak.world.server.backends():
        soak.signal(pid, signal.SIGTERM)
    yield 1
    thaw(soak, frozen)


@fault("the exporter")
def frozen_exporter(soak):
    soak.exporter.process.send_signal(signal.SIGSTOP)
    yield 0
    soak.exporter.process.send_signal(signal.SIGCONT)


@fault("the server")
def locked_table(soak):
    with Client(soak.world) as client:
        client.send("BEGIN; LOCK TABLE child, parent IN ACCESS EXCLUSIVE MODE;")
        yield 0
        client.ask("ROLLBACK; SELECT 1;")


@fault("the server")
def altered_table(soak):
    soak.world.psql(
        "ALTER TABLE child ADD COLUMN IF NOT EXISTS more int; ALTER TABLE parent ALTER COLUMN id TYPE bigint"
    )
    yield 0
    soak.world.psql("ALTER TABLE child DROP COLUMN more; ALTER TABLE parent ALTER COLUMN id TYPE int")


@fault("the server")
def renamed_table(soak):
    soak.world.psql("ALTER TABLE child RENAME TO elsewhere")
    yield 61  # a schema is kept for a minute
    soak.world.psql("ALTER TABLE elsewhere RENAME TO child")


@fault("the server")
def revoked_rights(soak):
    soak.world.psql("REVOKE SELECT ON child FROM pgintegrity, PUBLIC; REVOKE pg_read_all_data FROM pgintegrity")
    yield 0
    soak.grant()


@fault("the server")
def no_slots(soak):
    taken = ["psql", "-X", "-q", "-d", soak.world.dsn("postgres"), "-c", "SELECT pg_sleep(60)"]
    clients = [subprocess.Popen(unprivileged(taken), env=soak.world.environment, stderr=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL) for _ in range(30)]
    for pid in soak.world.server.backends():
        soak.signal(pid, signal.SIGTERM)
    yield 1
    for client in clients:
        client.kill()
    for client in clients:
        client.wait()
    soak.end_of("postgres")


@fault("the state")
def full_state_directory(soak):
    filler = soak.state / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        for _ in range(1 << 14):  # 64 MiB, if it is no small file system
            file.write(b"x" * 4096)
    yield 0
    filler.unlink(missing_ok=True)


@fault("the state")
def read_only_state_directory(soak):
    soak.state.chmod(0o500)
    yield 0
    soak.state.chmod(0o755)


def with_configuration(soak, change):
    change()
    soak.exporter.reload()
    yield 0
    if soak.config.is_dir():
        soak.config.rmdir()
    soak.config.write_text(soak.good)
    soak.exporter.reload()


@fault("the configuration")
def reload_of_the_same(soak):
    return with_configuration(soak, lambda: None)


@fault("the configuration")
def reload_of_another(soak):
    return with_configuration(
        soak, lambda: soak.config.write_text(soak.good + '[server.collectors.wal]\ninterval = "2s"\n')
    )


@fault("the configuration")
def reload_of_a_bad_one(soak):
    return with_configuration(soak, lambda: soak.config.write_text("[[sever]]\nname = 7\n"))


@fault("the configuration")
def reload_of_none(soak):
    return with_configuration(soak, soak.config.unlink)


@fault("the configuration")
def reload_of_a_directory(soak):
    def replace():
        soak.config.unlink()
        soak.config.mkdir()

    return with_configuration(soak, replace)


@fault("the configuration")
def log_reader_that_stands_still(soak):
    soak.reading.clear()
    for _ in range(50):  # each writes a line into a pipe of 4 KiB
        soak.exporter.reload()
        time.sleep(0.01)
    yield 0
    soak.reading.set()


@fault("clients")
def dripping_clients(soak):
    wires = []
    with contextlib.suppress(OSError):
        for _ in range(40):
            wires.append(socket.create_connection(("127.0.0.1", soak.exporter.port), timeout=5))
            wires[-1].sendall(LINE + b"X: ")
    yield 0
    for wire in wires:
        with contextlib.suppress(OSError):
            wire.sendall(b"x")
        wire.close()


@fault("clients")
def clients_that_reset(soak):
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(
            ("127.0.0.1", soak.exporter.port), timeout=5
        ) as wire:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.sendall(LINE + b"\r\n")
    yield 0


@fault("the API")
def api_that_hangs(soak):
    good, soak.api.answer = soak.api.answer, lambda handler: soak.api.over.wait(5)
    yield 0
    soak.api.answer = good


@fault("the API")
def api_that_is_full_of_errors(soak):
    def answer(handler):
        handler.wfile.write(b"\0\xff not HTTP at all\r\n" * 1000)

    good, soak.api.answer = soak.api.answer, answer
    yield 0
    soak.api.answer = good


@fault("directories")
def vanished_directories(soak):
    for name in ("dumps", "tree"):
        (soak.world.work / name).rename(soak.world.work / f"{name}.away")
    yield 0
    for name in ("dumps", "tree"):
        (soak.world.work / f"{name}.away").rename(soak.world.work / name)


@fault("directories")
def dumps_come_and_go(soak):
    source = soak.world.work / "dumps/first.dump"
    for number in range(30):
        shutil.copy2(source, source.with_name(f"{number}.dump"))
    yield 0
    for number in range(30):
        os.unlink(source.with_name(f"{number}.dump"))
