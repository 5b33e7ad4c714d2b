"""PostgreSQL for the month: a primary, its standby, and a folder of sockets that leads to whichever is the primary."""
import gzip
import pathlib
import shutil
import subprocess
import time

from throwaway import postgres_bin, unprivileged

PATIENCE = 300  # seconds for one command
OWNER = "app"
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
wal_keep_size = 256MB
log_min_messages = fatal
"""


class Failed(Exception):
    """A command of the month's work failed, so that the month says nothing."""


class Servers:
    """Every command runs under the account of throwaway.unprivileged. `work` belongs to it."""

    def __init__(self, work, environment):
        self.work = work
        self.environment = environment
        self.bin = postgres_bin()
        self.current = work / "current"
        self.made = 0
        self.primary = None
        self.standby = None

    def execute(self, *command, text="", must=True):
        ended = subprocess.run(unprivileged([str(word) for word in command]), input=text, env=self.environment,
                               cwd=self.work, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
        if must and ended.returncode != 0:
            said = (ended.stderr or ended.stdout).strip().splitlines() or [""]
            raise Failed(f"{pathlib.Path(str(command[0])).name} ended with {ended.returncode}: {' / '.join(said[:3])}")
        return ended.stdout

    def dsn(self, database, user="postgres"):
        return f"host={self.current} user={user} dbname={database}"

    def psql(self, database, text, user="postgres", must=True, **variables):
        """Runs a script. It waits for locks, but for no longer than a minute, so that nothing hangs for ever."""
        named = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        return self.execute("psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *named, "-d", self.dsn(database, user),
                            text="SET lock_timeout = '1min';\n" + text, must=must)

    def control(self, folder, *words):
        self.execute(self.bin / "pg_ctl", "-D", folder / "data", "-w", "-s", "-l", folder / "log", *words)

    def new_folder(self):
        self.made += 1
        folder = self.work / f"server{self.made}"
        self.execute("mkdir", "-p", folder / "socket")
        return folder

    def lead_to(self, folder):
        new = self.work / "new"
        self.execute("ln", "-sfn", folder / "socket", new)
        self.execute("mv", "-T", new, self.current)
        self.primary = folder

    def start(self):
        folder = self.new_folder()
        self.execute(self.bin / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                     "--locale=C.UTF-8", "--no-sync")
        self.configure(folder)
        self.control(folder, "start")
        self.lead_to(folder)
        self.psql("postgres", f"CREATE ROLE {OWNER} LOGIN")

    def configure(self, folder):
        settings = (folder / "data/postgresql.conf").read_text().split("# the month\n")[0]
        self.execute("tee", folder / "data/postgresql.conf",
                     text=settings + "# the month\n" + SETTINGS.format(socket=folder / "socket"))

    def load(self, schema):
        """Makes the database of a SchemaFile."""
        self.psql("postgres", f"CREATE DATABASE {schema.name} OWNER {OWNER}")
        self.psql(schema.name, schema.superuser)
        for path in schema.unpacked:
            data = path.read_bytes()
            self.psql(schema.name, (gzip.decompress(data) if path.suffix == ".gz" else data).decode(), OWNER)
        self.psql(schema.name, schema.setup, OWNER, n=0, day=0)

    def add_standby(self):
        folder = self.new_folder()
        self.execute(self.bin / "pg_basebackup", "-d", self.dsn("postgres"), "-D", folder / "data", "-R", "-X", "stream",
                     "-c", "fast", "--no-sync")
        self.configure(folder)
        self.control(folder, "start")
        self.standby = folder

    def restart(self):
        """@return for how many seconds the server was away"""
        self.psql("postgres", "CHECKPOINT")
        began = time.monotonic()
        self.control(self.primary, "-m", "fast", "restart")
        return time.monotonic() - began

    def fail_over(self):
        """The primary dies, and its standby takes over under the same address.

        @return for how many seconds none was there
        """
        old = self.primary
        self.wait_for_standby()
        began = time.monotonic()
        self.control(old, "-m", "immediate", "stop")
        self.control(self.standby, "promote")
        self.lead_to(self.standby)
        away = time.monotonic() - began
        self.standby = None
        self.execute("rm", "-rf", old)
        return away

    def wait_for_standby(self):
        for _ in range(300):
            follows = "SELECT coalesce(bool_and(replay_lsn >= sent_lsn), false) FROM pg_stat_replication"
            if self.psql("postgres", follows).strip() == "t":
                return
            time.sleep(0.1)
        raise Failed("the standby does not follow")

    def stop(self):
        for folder in sorted(self.work.glob("server*")):
            self.execute(self.bin / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop", must=False)
        shutil.rmtree(self.work, ignore_errors=True)
