"""A world that dashboards are drawn from: a database in a throwaway server, an exporter, and a Prometheus."""
import os
import pathlib
import subprocess
import sys
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from served import Served, free_port  # noqa: E402
from throwaway import Throwaway, hand_over, unprivileged  # noqa: E402

SEEN = 45  # seconds that Prometheus scrapes a world before it is drawn: lines need a length
PATIENCE = 180  # seconds until a world is as it should be
PROMETHEUS = """
global:
  scrape_interval: 1s
  evaluation_interval: 1s
  external_labels: {{ pg_integrity_runbooks: 'https://runbooks.example' }}
rule_files: ['{work}/rules/*.rules.yml']
scrape_configs:
  - job_name: pg_integrity_exporter
    static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]
"""
HEAD = """
state_dir = "{work}/state"
[[server]]
name = "{name}"
dsn = "{dsn}"
max_load = 1
"""
SHOP = """
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sku text NOT NULL UNIQUE);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customers, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE order_items (order_id bigint NOT NULL REFERENCES orders, product_id bigint NOT NULL REFERENCES products,
  quantity int NOT NULL, PRIMARY KEY (order_id, product_id));
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON order_items (product_id);
INSERT INTO customers (email) SELECT 'c' || i || '@example.com' FROM generate_series(1, 4000) i;
INSERT INTO products (sku) SELECT 'sku-' || i FROM generate_series(1, 300) i;
INSERT INTO orders (customer_id, created_at)
  SELECT 1 + i % 4000, now() - i * interval '1 minute' FROM generate_series(1, 12000) i;
INSERT INTO order_items SELECT 1 + i % 12000, 1 + i % 300, 1 FROM generate_series(1, 12000) i;
ANALYZE;
"""


def set_time(dump, moment):
    """Writes when it was taken into the header of a dump in custom format, and makes its file as old.

    After the text PGDMP, three bytes of the format's version and three of sizes come the compression (five bytes, one
    from version 1.15 on) and seven numbers of five bytes: a sign and the value, of the local time.
    """
    data = bytearray(dump.read_bytes())
    at = 11 + (1 if tuple(data[5:7]) >= (1, 15) else 5)
    local = time.localtime(moment)
    for value in (local.tm_sec, local.tm_min, local.tm_hour, local.tm_mday, local.tm_mon - 1, local.tm_year - 1900, 0):
        data[at:at + 5] = b"\0" + value.to_bytes(4, "little")
        at += 5
    dump.write_bytes(data)
    os.utime(dump, (moment, moment))


class World:
    """A database of its own in a throwaway server. @param program the exporter"""

    name = ""
    database = "shop"
    settings = ""
    calm = True  # nothing but the watchdog fires

    def __init__(self, program):
        self.program = program
        self.throwaway = Throwaway(self.database)
        self.work = self.throwaway.work
        self.children = []

    def make(self):
        for folder in ("state", "dumps", "drills", "rules", "prometheus"):
            (self.work / folder).mkdir()
        self.throwaway.own_everything()
        self.throwaway.start_server(self.settings)
        self.throwaway.psql(f"CREATE DATABASE {self.database}", "postgres")
        self.fill()
        self.configuration_text = self.configuration()
        self.write("config.toml", self.configuration_text)
        # The role does not exist yet, so the superuser asks which rights it needs.
        self.write("superuser.toml", self.configuration_text.replace("user=pgintegrity", "user=postgres"))
        self.throwaway.psql(self.throwaway.execute(
            [self.program, "grants", "--config", self.work / "superuser.toml"], PGUSER="postgres").stdout)
        self.finish()

    def write(self, name, text):
        (self.work / name).write_text(text, encoding="utf-8")
        (self.work / name).chmod(0o644)

    def head(self):
        return HEAD.format(work=self.work, name=self.name, dsn=self.throwaway.dsn("pgintegrity"))

    def fill(self):
        self.throwaway.psql(SHOP)

    def configuration(self):
        return self.head()

    def finish(self):
        """After the role has its rights."""

    def drill(self, *words):
        return self.throwaway.execute(
            [self.program, "drill", "--config", self.work / "superuser.toml", *words], must=False)

    def start(self):
        self.exporter = Served(unprivileged, self.program, self.work, self.throwaway.environment)
        self.write("prometheus.yml", PROMETHEUS.format(work=self.work, port=self.exporter.port))
        subprocess.run([ROOT / "deploy/hurried_alerts.sh", self.work / "rules"], check=True)
        hand_over(self.work / "rules")
        self.port = free_port()
        self.run(["prometheus", f"--config.file={self.work}/prometheus.yml", "--web.cors.origin=.*",
                  f"--storage.tsdb.path={self.work}/prometheus", f"--web.listen-address=127.0.0.1:{self.port}",
                  "--log.level=warn"], "prometheus.log")

    def run(self, command, log):
        with (self.work / log).open("w") as file:
            self.children.append(subprocess.Popen(
                unprivileged(command), cwd=self.work, env=self.throwaway.environment, stdin=subprocess.DEVNULL,
                stdout=file, stderr=file))

    def query(self, expression):
        address = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return b'"result":[]' not in answer.read()
        except OSError:
            return False

    def wait(self):
        """Until every collector has passed, the alerts fire, and lines have a length."""
        until = time.monotonic() + PATIENCE
        ready = ["count(pg_integrity_collector_last_success_timestamp_seconds)",
                 'ALERTS{alertname="PgIntegrityWatchdog", alertstate="firing"}']
        if not self.calm:
            ready.append('ALERTS{severity="critical", alertstate="firing"}')
        while not (self.exporter.fetch("/-/ready") and all(self.query(one) for one in ready)):
            if time.monotonic() > until:
                sys.exit(f"error: the world {self.name} is not ready; see {self.work}")
            time.sleep(0.5)
        time.sleep(SEEN)
        if self.calm and self.query('ALERTS{alertname!="PgIntegrityWatchdog", alertstate="firing"}'):
            sys.exit(f"error: an alert fires in the world {self.name}, which is healthy")

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
            child.wait()
        if hasattr(self, "exporter"):
            self.exporter.stop()
        self.throwaway.clean_up()
