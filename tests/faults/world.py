"""A server with data, the role that the exporter's own script makes, and exporters that watch it."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import measured
from served import Served, free_port
from table import demand, eventually
from throwaway import Difference, Server, Throwaway, hand_over, unprivileged

FAST = ("server", "row_counts", "orphans", "query_latency", "connections")
PAGE = 50  # milliseconds that a scrape may take
HEADROOM = 64  # MiB that the process may use
DATA = """
CREATE TABLE parent (id int PRIMARY KEY, at timestamptz DEFAULT now());
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent, note text);
INSERT INTO parent SELECT generate_series(1, 5);
INSERT INTO child SELECT g, g, 'a note' FROM generate_series(1, 5) g;
"""
KEY = 'pg_integrity_orphaned_rows{constraint="child_parent_id_fkey"}'
ROWS = 'pg_integrity_table_rows{table="child"}'
SUCCESS = 'pg_integrity_collector_success{collector="row_counts"}'
template_lock = threading.Lock()
template = []


def cluster_template():
    """A cluster that others are copied from, which is faster than to make each. remove_template() ends it."""
    with template_lock:
        if not template:
            folder = pathlib.Path(tempfile.mkdtemp(prefix="pg_integrity_test.", dir="/tmp"))
            hand_over(folder)
            Server(folder, "").initialise()
            template.append(folder)
        return template[0] / "data"


def remove_template():
    for folder in template:
        shutil.rmtree(folder, ignore_errors=True)


class CopiedServer(Server):
    def initialise(self):
        subprocess.run(["cp", "-a", cluster_template(), self.data], check=True)

    def postmaster(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def backends(self, user="pgintegrity"):
        """Processes of a user's sessions, those that are only starting and those that stand still included."""
        return [
            pid for pid in measured.children(self.postmaster()) if measured.title(pid).startswith(f"postgres: {user} ")
        ]


class Exporter(Served):
    """The program as it serves, in a folder with config.toml, exporter.log and state/."""

    def __init__(self, world, folder, prefix, arguments):
        super().__init__(unprivileged, world.program, folder, world.environment, prefix=prefix, arguments=arguments)
        self.pid = self.process.pid
        self.folder = folder

    def said(self):
        return (self.folder / "exporter.log").read_text(errors="replace")

    def lives(self):
        return self.process.poll() is None

    def is_up(self):
        return self.fetch("/-/healthy") == "healthy\n"

    def ready(self, seconds=60):
        eventually(lambda: self.fetch("/-/ready") != "" or not self.lives(), seconds, "ready")
        demand(self.lives(), f"the exporter ended with {self.process.poll()}")

    def wait_for(self, series, value, seconds=40):
        """@return after how many seconds"""
        return eventually(
            lambda: self.value_of(series) == (None if value is None else str(value)),
            seconds,
            f"{series} is {value}, but {self.value_of(series)}",
        )[1]

    def failed(self, collector, reason):
        """Whether the newest failure of the collector has this reason, as its counter says."""
        found = self.value_of(f'pg_integrity_collector_failures_total{{collector="{collector}",reason="{reason}"}}')
        return float(found or 0) > 0

    def passes(self, collector, number=1, seconds=45.0):
        """Waits until so many more passes have succeeded. @return after how many seconds"""
        series = f'pg_integrity_collector_runs_total{{collector="{collector}",outcome="success"}}'

        def made():
            return float(self.value_of(series) or 0)
        wanted = made() + number
        return eventually(lambda: made() >= wanted, seconds, f"{number} more passes of {collector} succeed")[1]

    def unproven(self, reason):
        """The series of what is unproven for this reason."""
        return [
            line
            for line in self.page().splitlines()
            if line.startswith("pg_integrity_unproven_objects")
            and f'reason="{reason}"' in line
            and not line.endswith(" 0")
        ]

    def page_is_fast(self):
        taken = measured.median_scrape(self.port)
        demand(taken < PAGE, f"the median of 20 scrapes took {taken:.0f} ms")
        return f"scrapes in {taken:.1f} ms"

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def ends(self, seconds=5.0):
        """@return how many seconds the end took, after SIGTERM"""
        self.process.send_signal(signal.SIGTERM)
        _, taken = eventually(lambda: not self.lives(), seconds, "its end after SIGTERM")
        demand(self.process.poll() == 0, f"it ended with {self.process.poll()}")
        return taken


class World(Throwaway):
    """@param tcp the server listens on 127.0.0.1 as well"""

    def __init__(self, program, settings="", tcp=False, data=DATA, prefix=(), listen="127.0.0.1"):
        super().__init__("subject")
        self.environment["HOME"] = str(self.work)  # libpq looks for certificates there
        self.server = CopiedServer(self.work, "")
        self.server.prefix = prefix
        self.program = self.work / "pg_integrity_exporter"
        self.settings, self.data, self.tcp, self.listen = settings, data, tcp, listen
        self.exporters = []
        try:  # on one file system a link will do
            self.program.hardlink_to(program)
        except OSError:
            shutil.copy2(program, self.program)
        self.own_everything()
        self.program.chmod(0o755)

    def own_everything(self):
        for name in ("state", "dumps"):
            (self.work / name).mkdir(exist_ok=True)
        hand_over(self.work)

    def folder(self, name):
        """A folder for one more exporter."""
        made = self.work / name
        (made / "state").mkdir(parents=True)
        hand_over(made)
        return made

    def prepare(self):
        more = ""
        if self.tcp:
            self.server.port = free_port()
            more += f"listen_addresses = '{self.listen}'\nport = {self.server.port}\n"
        self.start_server(more + self.settings)
        self.psql("CREATE DATABASE subject", "postgres")
        self.psql(self.data)
        self.grant()

    def grant(self, *more):
        self.configure(user="postgres", more=more)
        self.psql(self.execute([self.program, "grants", "--config", self.work / "config.toml"]).stdout)

    def address(self, user="pgintegrity", port=None, more=""):
        """Where the server listens for TCP."""
        return f"host={self.listen} port={port or self.server.port} user={user} dbname=subject {more}".strip()

    def configure(self, *tables, dsn=None, user="pgintegrity", top="", more=(), folder=None, fast=FAST, interval="1s"):
        """@param tables TOML of the server, after its keys; @param more keys of the server; @param top keys before it"""
        folder = folder or self.work
        lines = [f'state_dir = "{folder}/state"', top]
        lines += [f'defaults.collectors.{name}.interval = "{interval}"' for name in fast]
        lines += ["[[server]]", 'name = "subject"', f'dsn = "{dsn or self.dsn(user)}"', "max_load = 1", *more, *tables]
        path = folder / "config.toml"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o644)

    def check_afresh(self):
        """What `check` prints as JSON with today's configuration and nothing recorded."""
        fresh = self.folder(f"fresh{len(list(self.work.glob('fresh*')))}")
        text = (self.work / "config.toml").read_text().replace(f'"{self.work}/state"', f'"{fresh}/state"')
        (fresh / "config.toml").write_text(text)
        return self.execute(
            [self.program, "check", "--config", fresh / "config.toml", "--format", "json"], must=False
        ).stdout

    def serve(self, prefix=(), arguments=(), folder=None, wait=True):
        exporter = Exporter(self, folder or self.work, prefix, arguments)
        self.exporters.append(exporter)
        if wait:
            eventually(lambda: not exporter.lives() or exporter.is_up(), 30, "it answers")
            if not exporter.lives():
                raise Difference(f"it ended with {exporter.process.poll()}: {exporter.said()[-300:]}")
        return exporter

    def watched(self, *tables, prefix=(), arguments=(), **more):
        """An exporter that has seen everything once and found it good."""
        self.configure(*tables, **more)
        exporter = self.serve(prefix, arguments)
        exporter.ready()
        exporter.wait_for(ROWS, 5)
        exporter.wait_for(KEY, 0)
        return exporter

    def most_sessions(self, seconds, user="pgintegrity"):
        """The highest number of the user's sessions within that time."""
        most, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            most = max(most, len(self.server.backends(user)))
            time.sleep(0.02)
        return most

    def clean_up(self):
        for exporter in self.exporters:
            with contextlib.suppress(ProcessLookupError):
                exporter.process.send_signal(signal.SIGCONT)
            exporter.stop()
        with contextlib.suppress(OSError, ValueError):
            thaw(self.server)
        super().clean_up()


def thaw(server):
    """Lets every process of the server go on."""
    for pid in [server.postmaster(), *measured.children(server.postmaster())]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


class Run(contextlib.ExitStack):
    """One row: what it makes is ended with it."""

    def __init__(self, program, name):
        super().__init__()
        self.program, self.name = program, name
        self.worlds = []

    def world(self, *words, started=True, **more):
        world = World(self.program, *words, **more)
        self.callback(world.clean_up)
        self.worlds.append(world)
        if started:
            world.prepare()
        return world

    def last_words(self):
        """The newest lines of the exporters' logs, for a failure."""
        logs = {exporter.folder: exporter for world in self.worlds for exporter in world.exporters}
        lines = [line for exporter in logs.values() for line in exporter.said().splitlines()[-6:]]
        return "".join(f"\n    | {line[:300]}" for line in lines)
