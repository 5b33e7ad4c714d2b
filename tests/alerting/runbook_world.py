"""The machine on which tests/alerting/runbooks.py tries the commands: a PostgreSQL with an invented shop, its backups,
the exporter, Prometheus and Alertmanager. Nothing of it is the demo's."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/support"))
from served import Served, free_port  # noqa: E402
from throwaway import Throwaway, unprivileged  # noqa: E402

PATIENCE = 90  # seconds
SETTINGS = """
wal_level = logical
fsync = off
full_page_writes = off
archive_mode = on
archive_command = 'cp %p {archive}/%f'
"""
# Programs that run as they are, and the exit codes beside 0 with which each may end. 141: nobody read the rest.
PROGRAMS = {
    "amtool": (), "cat": (), "createdb": (), "curl": (), "cut": (141,), "date": (), "df": (), "diff": (1,), "find": (),
    "grep": (1, 141), "head": (), "ls": (141,), "pg_dump": (), "pg_isready": (), "pg_restore": (141,),
    "pg_verifybackup": (), "psql": (), "sort": (141,), "tail": (), "uniq": (141,), "xargs": (),
}
# Programs that ask the machine, or a repository that is not here. Each is replaced by one that knows these arguments.
ASKING = {
    "aws": ("s3", "ls", "s3://shop/dumps/"),
    "crontab": ("-l",), "dmesg": ("-T",),
    "journalctl": ("-k", "-u", "-n", "--since", "pg_integrity_exporter", "pg_integrity_proof", "pg_integrity_drill", "postgresql*"),
    "pgbackrest": ("info", "--output=json"),
    "systemctl": ("status", "start", "kill", "list-timers", "--all", "--signal=HUP", "pg_integrity_exporter", "postgresql"),
}
# A `drill` or a `check` also ends with 1 and 2. 3 would mean that a command is wrong.
PROGRAM_CODES = (1, 2)

RUNS = """#!/bin/bash
# {name}, whose exit code is noted.
{before}{real} {more}"$@"
code=$?
case " 0 {codes} " in *" $code "*) ;; *) echo "{name} ended with $code" >>"$FAILURES" ;; esac
exit $code
"""
ASKS = """#!/bin/bash
# {name} on a machine that has nothing to say.
for word in "$@"; do
  case $word in
    {known} | -[0-9]* | [0-9]*) ;;
    *) echo "{name} does not know $word" >>"$FAILURES" ;;
  esac
done
"""
CONFIG = """
state_dir = "{work}/state"
[[server]]
name = "main"
dsn = "{dsn}"
max_load = 1.0
recovery_point_objective = "10m"
[[server.backups]]
name = "dumps"
directory = "{work}/backups"
pattern = "*.dump"
every = "24h"
size_ratio_min = 0.9
usable = 1
settle = "1s"
[server.drills]
directory = "{work}/drills"
[server.collectors.inventory]
interval = "1s"
learn_after = "1s"
[[server.collectors.audit_logs.logs]]
name = "deletions"
schema = "Shop"
table = "deletions"
time = "gone at"
[[server.collectors.custom.queries]]
name = "unpaid"
sql = 'SELECT id FROM "Shop".customers WHERE email IS NULL'
max_rows = 0
[[server.collectors.api_sync.endpoints]]
name = "door"
url = "{url}"
"""
SCRAPE = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: ['{rules}/*.rules.yml']
alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['127.0.0.1:{alertmanager}'] }}] }}] }}
scrape_configs:
  - {{ job_name: pg_integrity_exporter, static_configs: [{{ targets: ['127.0.0.1:{exporter}'] }}] }}
"""


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    sys.exit("error: never seen: " + (what if isinstance(what, str) else what()))


class World:
    """@param objects those that must be wrong, by their names in the report, before a command is tried"""

    def __init__(self, program, objects):
        self.program = program
        self.objects = objects
        self.data = Throwaway("shop")
        self.work = self.data.work
        self.children = []
        self.values = {}
        for name in ("backups", "drills", "state", "archive", "bin", "base"):
            (self.work / name).mkdir()

    def begin(self):
        self.data.own_everything()
        self.data.start_server(SETTINGS.format(archive=self.work / "archive"))
        self.data.psql("CREATE DATABASE shop; CREATE ROLE clerk LOGIN SUPERUSER", "postgres")
        self.data.psql((ROOT / "tests/alerting/shop.sql").read_text(encoding="utf-8"))
        for name in ("pristine", "copy"):
            self.data.psql(f"CREATE DATABASE {name} TEMPLATE shop", "postgres")
        self.data.psql("SELECT pg_create_physical_replication_slot('standby')")
        self.write_commands()
        self.take_backups()
        self.serve()
        self.fill_in()

    def write_commands(self):
        """A folder for PATH in which each program notes if it fails, and no other program is."""
        path = os.environ["PATH"]
        folder = self.work / "bin"
        (folder / "bash").symlink_to(shutil.which("bash"))
        for name, codes in PROGRAMS.items():
            real = shutil.which(name, path=f"{self.data.bin}:{path}")
            if real is None:
                sys.exit(f"error: {name} is not installed")
            before = 'PGOPTIONS="${PGOPTIONS-} $READING" ' if name == "psql" else ""
            more = {"psql": "-X -v ON_ERROR_STOP=1 -P pager=off ", "curl": "-f "}.get(name, "")
            self.write_command(name, RUNS.format(
                name=name, real=real, before=before, more=more, codes=" ".join(map(str, codes))))
        codes = " ".join(map(str, PROGRAM_CODES))
        self.write_command("pg_integrity_exporter", RUNS.format(
            name="pg_integrity_exporter", real=shlex.quote(str(self.program)), before=f"PATH={shlex.quote(path)} ",
            more="", codes=codes))
        for name, known in ASKING.items():
            self.write_command(name, ASKS.format(name=name, known=" | ".join(shlex.quote(word) for word in known)))

    def write_command(self, name, text):
        path = self.work / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def take_backups(self):
        """Three dumps without compression, a smaller newest one, and a base backup."""
        for number in range(3):
            self.data.execute(["pg_dump", "-Fc", "-Z0", "-f", self.work / f"backups/{number}.dump", "-d",
                               self.data.dsn("postgres")])
            time.sleep(1)  # their headers have seconds
        self.write_config()
        self.data.execute([self.program, "drill", "--config", self.work / "config.toml", "--record", "--dump",
                           self.work / "backups/newest.dump"])
        self.data.execute([self.data.bin / "pg_basebackup", "-D", self.work / "base/1", "-d",
                           self.data.dsn("postgres", "postgres"), "--checkpoint=fast", "--no-sync"])
        self.data.execute([self.program, "drill", "--config", self.work / "config.toml"], must=False)

    def write_config(self):
        self.exporter_port = free_port()
        (self.work / "config.toml").write_text(CONFIG.format(
            work=self.work, dsn=self.data.dsn("postgres"), url=f"http://127.0.0.1:{self.exporter_port}/-/healthy"))

    def child(self, command):
        log = (self.work / "children.log").open("a")
        self.children.append(subprocess.Popen(
            unprivileged([str(word) for word in command]), cwd=self.work, env=self.data.environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.children[-1]

    def serve(self):
        self.exporter = Served(unprivileged, self.program, self.work, self.data.environment, self.exporter_port)
        prometheus, alertmanager = free_port(), free_port()
        # The repository may be closed to the account of these processes.
        alerts = self.work / "alerts"
        shutil.copytree(ROOT / "alerts", alerts, ignore=shutil.ignore_patterns("runbooks", "tests", "__pycache__"))
        (self.work / "prometheus.yml").write_text(SCRAPE.format(
            rules=alerts, alertmanager=alertmanager, exporter=self.exporter_port))
        self.child(["prometheus", f"--config.file={self.work}/prometheus.yml",
                    f"--storage.tsdb.path={self.work}/scratch/tsdb", f"--web.listen-address=127.0.0.1:{prometheus}"])
        self.child(["prometheus-alertmanager", f"--config.file={self.work}/alerts/alertmanager.yml",
                    f"--storage.path={self.work}/scratch/alertmanager", "--cluster.listen-address=",
                    f"--web.listen-address=127.0.0.1:{alertmanager}"])
        self.values.update(PROMETHEUS=f"http://127.0.0.1:{prometheus}", ALERTMANAGER=f"http://127.0.0.1:{alertmanager}")

        passes = set()

        def inventory_has_learned():
            passes.update(one["last_complete_pass"] for one in self.collectors() if one["collector"] == "inventory")
            return len(passes - {None}) > 2

        until(inventory_has_learned, "three passes of the inventory")
        self.data.psql('DROP TABLE "Shop".leaflets, "Shop".posters, "Shop".stickers')
        until(lambda: self.objects <= self.wrong(), lambda: "%s among %s" % (self.objects - self.wrong(), self.wrong()))
        self.wait_for_evidence_on_disk()

    def wait_for_evidence_on_disk(self):
        """What `accept` reads. The exporter saves it every 10 seconds."""
        asked = time.time()
        until(lambda: any(path.stat().st_mtime > asked for path in (self.work / "state").iterdir() if path.is_file()),
              "the evidence on disk")

    def collectors(self):
        """Each collector of each database, in the report."""
        if not self.exporter.fetch("/-/healthy"):
            return []
        return [one for server in self.exporter.report()["servers"] for database in server["databases"]
                for one in database["collectors"]]

    def wrong(self):
        """What the report calls neither proven nor observed, and what its inventory misses."""
        objects = [one for collector in self.collectors() for one in collector["objects"]
                   if one["state"] not in ("proven", "observed")]
        lost = re.findall(r"(table \S+) is gone since", "\n".join(text for one in objects for text in one["evidence"]))
        return {one["object"] for one in objects} | {"inventory/" + name for name in lost}

    def ask(self, query):
        """What is wrong with the query, as Prometheus says."""
        address = self.values["PROMETHEUS"] + "/api/v1/query?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(address, timeout=10):
                return ""
        except urllib.error.HTTPError as error:
            return json.loads(error.read()).get("error", "refused")

    def words(self):
        """Names that a runbook may use: keys, collectors, labels, and what PostgreSQL itself has."""
        catalogue = json.loads(subprocess.check_output([self.program, "catalogue", "--format", "json"]))
        found = set(re.findall(r'"key": "(\w+)"', json.dumps(catalogue["configuration"])))
        found |= {path.name for path in self.data.bin.iterdir()}
        found |= {one["name"] for one in catalogue["collectors"]} | set(PROGRAMS) | set(ASKING)
        found |= {name for one in catalogue["metrics"] for name in [one["name"], *one["labels"]]}
        found |= set(self.data.psql(
            "SELECT name FROM pg_settings UNION SELECT proname FROM pg_proc UNION SELECT relname FROM pg_class UNION "
            "SELECT attname FROM pg_attribute WHERE attrelid < 16384").split())
        return found

    def fill_in(self):
        def one(query):
            return self.data.psql(query, "pristine").strip()

        self.rows = {
            "orphan": one('SELECT ctid FROM "Shop"."Order lines" WHERE customer_id = 7777'),
            "duplicate": one('SELECT max(ctid) FROM "Shop".customers WHERE email || \'\' = \'c1@shop.example\''),
            "conflict": one('SELECT max(ctid) FROM "Shop".bookings')}
        self.values.update(
            CONFIG=f"{self.work}/config.toml", INSTANCE=f"127.0.0.1:{self.exporter_port}",
            SERVER="main", SCHEMA="Shop", TABLE="Order lines", COLUMN="id", SOURCE="dumps", KIND="dump",
            BUCKET="s3://shop/dumps", BACKUPS=f"{self.work}/backups", BACKUP=f"{self.work}/backups/newest.dump",
            BEFORE=f"{self.work}/backups/2.dump",
            CATALOGUE=f"{self.work}/config.toml", HISTORY='"Shop".saves', HISTORY_TIME="begun at",
            WAL_ARCHIVE=f"{self.work}/archive", WAL=f"{self.work}/data/pg_wal", DRILLS=f"{self.work}/drills",
            COPY=self.data.dsn("postgres", "copy"), LOG_TABLE='"Shop".deletions', LOG_TIME="gone at",
            STATUS_TABLE='"Shop".shields', VERIFIED_AT="checked at",
            URL=f"http://127.0.0.1:{self.exporter_port}/-/healthy", ROLE="clerk", TRIGGER="note it", SLOT="standby",
            SEQUENCE='"Shop"."Order lines_id_seq"', ROW=self.rows["orphan"])

    def end(self):
        for child in self.children:
            child.terminate()
            child.wait(timeout=PATIENCE)
        if hasattr(self, "exporter"):
            self.exporter.stop()
        self.data.clean_up()
