#!/usr/bin/env python3
"""Starts a world: databases, an exporter, and a Prometheus with the shipped rules. README.md names the worlds.

    tests/drawing/worlds.py PROGRAM WORLD COMMAND [ARGUMENT…]

Runs COMMAND once Prometheus has seen the world for long enough. The variables PROMETHEUS and REPORT have the addresses
of Prometheus and of the exporter's report page. Ends the world with COMMAND, and returns its exit code.
"""
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from world import PATIENCE, ROOT, SHOP, World, set_time  # noqa: E402  (beside this file; it names the folder of the next)
from throwaway import Server  # noqa: E402

DAY = 86400
# What a shop that takes a dump every night configures.
NIGHTLY = """
[[server.backups]]
name = "nightly"
directory = "{work}/dumps"
pattern = "*.dump"
every = "24h"
retention = "7d"
settle = "0s"
[server.drills]
directory = "{work}/drills"
recovery_time_objective = "1h"
"""
PGBACKREST = """
[global]
repo1-path={work}/repository
log-path={work}/scratch
lock-path={work}/scratch
spool-path={work}/scratch
[shop]
pg1-path={work}/data
pg1-socket-path={work}/socket
pg1-user=postgres
"""


class Demo(World):
    """The database, the API and the configuration of deploy/demo."""

    name = "demo"
    database = "tovplay"
    calm = False

    def fill(self):
        self.throwaway.psql((ROOT / "deploy/demo/database.sql").read_text())

    def configuration(self):
        self.write("api.py", (ROOT / "deploy/demo/api.py").read_text())
        self.throwaway.psql((ROOT / "deploy/grants.sql").read_text())
        self.throwaway.environment.update(
            PGHOST=f"{self.work}/socket", PGUSER="pgintegrity", PGDATABASE=self.database)
        self.run(["python3", self.work / "api.py"], "api.port")
        until = time.monotonic() + PATIENCE
        while not (port := (self.work / "api.port").read_text().strip()):
            if time.monotonic() > until:
                sys.exit("error: the demo's API does not start")
            time.sleep(0.1)
        text = (ROOT / "deploy/demo/exporter.toml").read_text()
        return f'state_dir = "{self.work}/state"\n' + text.replace("127.0.0.1:7777", "127.0.0.1:" + port)


class Shop(World):
    """A healthy shop that takes a dump every night, with a drill on record."""

    name = "shop"

    def configuration(self):
        return self.head() + NIGHTLY.format(work=self.work)

    def finish(self):
        newest = self.work / "dumps/shop-0.dump"
        self.drill("--record", "--dump", newest)
        for days in range(1, 9):
            older = self.work / f"dumps/shop-{days}.dump"
            self.throwaway.execute(["cp", newest, older])
            set_time(older, time.time() - DAY * days)
        ended = self.drill("--work-dir", self.work / "scratch")
        if ended.returncode != 0:
            sys.exit("error: the shop's drill fails: " + ended.stderr)


class Broken(World):
    """200 tables with long names, most of what can be wrong, and a backup that is a week old."""

    name = "broken"
    calm = False

    def fill(self):
        tables = "".join(
            f"CREATE TABLE customer_relationship_history_{i:03} (id int PRIMARY KEY, customer_id bigint,"
            f" CONSTRAINT customer_relationship_history_{i:03}_customer_id_fkey FOREIGN KEY (customer_id)"
            f" REFERENCES customers NOT VALID);"
            f"INSERT INTO customer_relationship_history_{i:03} SELECT i, i FROM generate_series(1, 20) i;"
            for i in range(1, 197))
        self.throwaway.psql(
            SHOP + tables + "SET session_replication_role = replica; DELETE FROM customers WHERE id < 9;"
            "SELECT setval('orders_id_seq', 7);"
            "CREATE TABLE deleted (table_name text, at timestamptz)")

    def configuration(self):
        old = self.work / "dumps/shop.dump"
        self.throwaway.execute(["pg_dump", "-Fc", "-f", old, "-d", self.throwaway.dsn("postgres")])
        set_time(old, time.time() - 7.5 * DAY)
        return self.head() + 'expect = { tables = 205, objects = ["table public.invoices"] }\n' \
            "allow = { writers = [], superusers = [], users = [] }\n" + NIGHTLY.format(work=self.work) + """
[[server.collectors.row_counts.limits]]
table = "customers"
min_rows = 4000
[[server.collectors.freshness.tables]]
table = "customers"
column = "created_at"
max_age = "1m"
[[server.collectors.audit_triggers.audited]]
tables = ["public.customers", "public.orders"]
function = "public.log_delete"
log = { table = "deleted", about = "table_name" }
[[server.collectors.api_sync.endpoints]]
name = "storefront"
url = "http://127.0.0.1:9/api/customers"
tables = ["customers"]
"""


class Standby(World):
    """A primary that archives with pgBackRest, and its standby, which is compared."""

    name = "standby"
    settings = "wal_level = replica\narchive_mode = on\narchive_timeout = 60\n"

    def make(self):
        (self.work / "repository").mkdir()
        (self.work / "standby/socket").mkdir(parents=True)
        self.write("pgbackrest.conf", PGBACKREST.format(work=self.work))
        self.pgbackrest = ["pgbackrest", f"--config={self.work}/pgbackrest.conf", "--stanza=shop"]
        self.settings += f"archive_command = '{' '.join(self.pgbackrest)} archive-push %p'\n"
        self.standby = Server(self.work / "standby", "")
        super().make()

    def configuration(self):
        self.throwaway.execute([*self.pgbackrest, "stanza-create"])
        self.throwaway.execute([*self.pgbackrest, "--type=full", "--start-fast", "backup"])
        self.throwaway.execute([*self.pgbackrest, "--type=diff", "--start-fast", "backup"])
        self.throwaway.execute([
            self.throwaway.bin / "pg_basebackup", "-d", self.throwaway.dsn("postgres", "postgres") +
            " application_name=reporting", "-D", self.standby.data, "-R", "-C", "-S", "reporting", "-c", "fast", "--no-sync"])
        conf = self.standby.data / "postgresql.conf"
        conf.write_text(conf.read_text() + f"unix_socket_directories = '{self.work}/standby/socket'\narchive_mode = off\n")
        self.standby.start()
        info = self.throwaway.execute([*self.pgbackrest, "--output=json", "info"]).stdout
        self.write("info.json", info)
        return self.head() + f"""
recovery_point_objective = "10m"
[[server.backups]]
name = "repository"
pgbackrest = {{ file = "{self.work}/info.json", stanza = "shop" }}
continuous = true
[server.backups.kinds.full]
every = "7d"
[server.backups.kinds.diff]
every = "24h"
[[server.replicas]]
name = "reporting"
dsn = "{self.standby.dsn("pgintegrity", self.database)}"
max_lag = "1m"
[server.collectors.wal]
archive_max_age = "10m"
max_ready = 10
standbys = ["reporting"]
max_lag = "1m"
max_retained = "1GB"
"""

    def stop(self):
        self.standby.stop(must=False)
        super().stop()


WORLDS = {world.name: world for world in (Demo, Shop, Broken, Standby)}


def main():
    program, name, command = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:]
    if name not in WORLDS:
        sys.exit(f"error: there is no world {name}\nHINT: there are " + ", ".join(WORLDS))
    world = WORLDS[name](program)
    try:
        world.make()
        world.start()
        world.wait()
        addresses = {"PROMETHEUS": f"http://127.0.0.1:{world.port}", "REPORT": f"http://127.0.0.1:{world.exporter.port}/"}
        return subprocess.run(command, env={**os.environ, **addresses}, check=False).returncode
    finally:
        world.stop()


if __name__ == "__main__":
    sys.exit(main())
