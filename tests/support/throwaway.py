"""A throwaway PostgreSQL on a socket in a folder of its own, and commands beside it.

The programs of PostgreSQL are the newest of Debian's, or those in the directory that PG_INTEGRITY_POSTGRES_BIN names.
"""
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 180  # seconds for one command
SERVER_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}/socket'
autovacuum = off
max_connections = 40
"""


class Difference(Exception):
    """Something is not as it is expected."""


def postgres_bin():
    named = os.environ.get("PG_INTEGRITY_POSTGRES_BIN")
    if named:
        return pathlib.Path(named)
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    if not found:
        sys.exit("error: no PostgreSQL server is installed")
    return max(found, key=lambda path: int(path.parent.name))


def unprivileged(command):
    """Makes a command of root run as postgres. PostgreSQL refuses to run as root, and a dump's functions are not ours."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


def clean_environment(**more):
    """Leaves out libpq's variables of the caller, so that they name no server here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "DATA_SOURCE_NAME"}
    return {**kept, "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"] + ":/usr/sbin", **more}


class Throwaway:
    """A folder under /tmp with a server. @param database that psql() and dsn() mean by default"""

    def __init__(self, database, **environment):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="pg_integrity_test.", dir="/tmp"))
        self.bin = postgres_bin()
        self.database = database
        self.environment = clean_environment(TMPDIR=str(self.work / "scratch"), **environment)
        for name in ("socket", "scratch"):
            (self.work / name).mkdir()

    def own_everything(self):
        self.work.chmod(0o755)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in [self.work, *self.work.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)

    def dsn(self, user, database=None):
        return f"host={self.work}/socket user={user} dbname={database or self.database}"

    def execute(self, command, text=None, must=True, **environment):
        ended = subprocess.run(
            unprivileged([str(word) for word in command]), input=text or "", env={**self.environment, **environment},
            cwd=self.work, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
        if must and ended.returncode != 0:
            said = (ended.stderr or ended.stdout).strip().splitlines() or [""]
            raise Difference(f"{pathlib.Path(str(command[0])).name} ended with {ended.returncode}: {said[0]}")
        return ended

    def psql(self, text, database=None, user="postgres", **environment):
        command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(user, database)]
        return self.execute(command, text, **environment).stdout

    @property
    def server_log(self):
        return self.work / "server.log"

    def start_server(self, settings=""):
        data = self.work / "data"
        self.execute([self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                      "--locale=C.UTF-8", "--no-sync"])
        with (data / "postgresql.conf").open("a") as file:
            file.write(SERVER_SETTINGS.format(folder=self.work) + settings)
        self.execute([self.bin / "pg_ctl", "-D", data, "-w", "-s", "-l", self.server_log, "start"])

    def clean_up(self):
        subprocess.run(unprivileged([str(self.bin / "pg_ctl"), "-D", str(self.work / "data"), "-m", "immediate", "stop"]),
                       capture_output=True, check=False)
        shutil.rmtree(self.work, ignore_errors=True)
