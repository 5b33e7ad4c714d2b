"""The exporter of the month: it serves, moves to another address, and loses its volume."""
import json
import time

from served import Served
from throwaway import unprivileged
from watch import get

SERVER = """
[[server]]
name = "{name}"
dsn = "{dsn}"
databases = {databases}
max_load = {load}
"""
SHARE = 0.05  # the default of max_load
PATIENCE = 60  # seconds until Prometheus scrapes a new address


class Exporter:
    """Each database is a server of its own, as the schemas are of different people."""

    def __init__(self, program, work, servers, prometheus, databases, factor):
        self.program = program
        self.work = work
        self.servers = servers
        self.prometheus = prometheus
        self.databases = databases
        self.load = min(1, SHARE * factor)
        self.served = None
        self.home = None  # the folder with configuration, log and state
        self.homes = 0

    def table(self, name, database, user, databases):
        return SERVER.format(name=name, dsn=self.servers.dsn(database, user), databases=json.dumps(databases), load=self.load)

    def configure(self, *servers):
        path = self.home / "config.toml"
        path.write_text(f'state_dir = "{self.home}/state"\n' + "".join(servers))
        path.chmod(0o644)

    def new_home(self, state=None):
        """@param state is copied; without it the new home begins with an empty one"""
        self.homes += 1
        self.home = self.work / f"exporter{self.homes}"
        self.servers.execute("mkdir", self.home)
        if state:
            self.servers.execute("cp", "-r", state, self.home / "state")
        else:
            self.servers.execute("mkdir", self.home / "state")
        self.servers.execute("chmod", "777", self.home)
        self.configure(*(self.table(name, name, "pgintegrity", [name]) for name in self.databases))

    def grant(self):
        """Makes the exporter's role, with the program's own script. Its limit is for one server, and these are many."""
        self.new_home()
        self.configure(self.table("all", self.databases[0], "postgres", self.databases))
        self.servers.psql(self.databases[0], self.servers.execute(self.program, "grants", "--config", self.home / "config.toml"))
        self.servers.psql("postgres", "ALTER ROLE pgintegrity CONNECTION LIMIT -1")

    def serve(self, port=None):
        self.served = Served(unprivileged, self.program, self.home, self.servers.environment, port)

    def start(self):
        self.new_home()
        self.serve()
        self.prometheus.target([self.served.port])

    def restart(self):
        """At the same address, with its state."""
        self.served.stop()
        self.serve(self.served.port)

    def replace(self, state):
        """A new one starts at another address, and the old one ends once Prometheus scrapes the new one.

        Prometheus takes up to ten seconds to act on a change of its targets, and these are not divided.
        """
        old = self.served
        self.new_home(state)
        self.serve()
        self.prometheus.target([old.port, self.served.port])
        self.wait_until_scraped()
        old.stop()
        self.prometheus.target([self.served.port])

    def move(self):
        """To another address, with its state."""
        self.replace(self.home / "state")

    def lose_volume(self):
        """A new pod, at another address and with an empty volume."""
        self.replace(None)

    def wait_until_scraped(self):
        until = time.monotonic() + PATIENCE
        seen = f'count(pg_integrity_up{{instance="127.0.0.1:{self.served.port}"}} == 1) == {len(self.databases)}'
        while not self.prometheus.query(seen):
            if time.monotonic() > until:
                raise RuntimeError("Prometheus does not scrape the exporter")
            time.sleep(0.05)

    def report(self):
        return get(f"http://127.0.0.1:{self.served.port}/report.json")

    def stop(self):
        if self.served:
            self.served.stop()
