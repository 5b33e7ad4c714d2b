"""Throwaway PostgreSQL servers for scripts, on a Unix socket, under the account postgres when they run as root.

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
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
autovacuum = off
"""


class Difference(Exception):
    """Something is not as it is expected."""


class CommandFailed(Difference):
    """A program did not do what it was started for."""


def postgres_bin():
    named = os.environ.get("PG_INTEGRITY_POSTGRES_BIN")
    if named:
        return pathlib.Path(named)
    found = [path for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    if not found:
        sys.exit("error: no PostgreSQL server is installed")
    return max(found, key=lambda path: int(path.parent.name))


def unprivileged(command):
    """Makes a command of root run as postgres: PostgreSQL refuses to run as root, and a dump has others' functions."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--", *command]


def clean_environment(**more):
    """Leaves out libpq's variables of the caller, so that they name no server here."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("PG") and name != "DATA_SOURCE_NAME"}
    return {**kept, "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"] + ":/usr/sbin", **more}


def hand_over(folder):
    """Gives a folder and all that is in it to the account that unprivileged() runs commands as."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)


def execute(command, folder, environment, text=None, must=True, prefix=()):
    """Runs a program to its end.

    @param prefix words that root runs the change of user with, such as those of a network namespace
    @throws CommandFailed with its first complaint, if it must succeed and does not
    """
    ended = subprocess.run(
        [*prefix, *unprivileged([str(word) for word in command])], input=text or "", env=environment, cwd=folder,
        capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    if must and ended.returncode != 0:
        said = (ended.stderr or ended.stdout).strip().splitlines() or [""]
        raise CommandFailed(f"{pathlib.Path(str(command[0])).name} ended with {ended.returncode}: {said[0]}")
    return ended


class Server:
    """A cluster in FOLDER/data with its socket in FOLDER/socket. Whoever makes it stops it.

    @param settings further lines of postgresql.conf
    """

    port = None  # of the server and its socket, if they are not PostgreSQL's own
    prefix = ()  # words before the command that starts the server

    def __init__(self, folder, settings):
        self.folder = folder
        self.settings = settings
        self.bin = postgres_bin()
        self.data = folder / "data"

    def dsn(self, user, database):
        port = f" port={self.port}" if self.port else ""
        return f"host={self.folder}/socket{port} user={user} dbname={database}"

    def make(self):
        """Makes the cluster and starts its server. The folder belongs to the server's account already."""
        self.initialise()
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(SETTINGS.format(socket=self.folder / "socket") + self.settings)
        self.start()

    def initialise(self):
        execute([self.bin / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync"], self.folder, clean_environment())

    def start(self):
        execute([self.bin / "pg_ctl", "-D", self.data, "-w", "-s", "-l", self.folder / "server.log", "start"],
                self.folder, clean_environment(), prefix=self.prefix)

    def stop(self, must=True, mode="immediate"):
        """Ends it, as a crash does by default."""
        execute([self.bin / "pg_ctl", "-D", self.data, "-m", mode, "-s", "stop"], self.folder,
                clean_environment(), must=must)


class Throwaway:
    """A folder under /tmp with a server. @param database that psql() and dsn() mean by default"""

    def __init__(self, database, **environment):
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="pg_integrity_test.", dir="/tmp"))
        self.database = database
        self.server = Server(self.work, "")
        self.environment = clean_environment(TMPDIR=str(self.work / "scratch"), **environment)
        for name in ("socket", "scratch"):
            (self.work / name).mkdir()

    @property
    def bin(self):
        return self.server.bin

    def own_everything(self):
        hand_over(self.work)

    def dsn(self, user, database=None):
        return self.server.dsn(user, database or self.database)

    def execute(self, command, text=None, must=True, **environment):
        return execute(command, self.work, {**self.environment, **environment}, text, must)

    def psql(self, text, database=None, user="postgres", **environment):
        command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(user, database)]
        return self.execute(command, text, **environment).stdout

    @property
    def server_log(self):
        return self.work / "server.log"

    def start_server(self, settings=""):
        self.server.settings = "max_connections = 40\n" + settings
        self.server.make()

    def clean_up(self):
        self.server.stop(must=False)
        shutil.rmtree(self.work, ignore_errors=True)
