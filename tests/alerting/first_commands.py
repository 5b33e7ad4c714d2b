#!/usr/bin/env python3
"""Plants defects in the databases of a server and in its backups, and looks at them as somebody on call does: does the
sentence say what is wrong, and does the first command beside it, pasted as it is, show it?

    tests/alerting/first_commands.py PROGRAM [TEXTS]   TEXTS gets what the report says of each defect

Tables, columns, constraints and a database have names that need quotes, and names that would be commands.
"""
import json
import pathlib
import re
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/support"))
from throwaway import Server, Throwaway, clean_environment, hand_over, unprivileged  # noqa: E402

HOME = 'it\'s "the" shop; $x'  # a database
TABLE = 'a"b; c'
COLUMN = "o'rder $(id) no"
KEY = "of `a` \"buyer\" 'here'"
IN_DSN = "'%s'" % HOME.replace("'", "\\'")
PATIENCE = 60  # seconds


def quoted(name):
    return '"%s"' % name.replace('"', '""')


SHOP = f"""
CREATE EXTENSION amcheck;
CREATE TABLE buyers (id integer PRIMARY KEY, email text);
CREATE TABLE {quoted(TABLE)} (id serial PRIMARY KEY, {quoted(COLUMN)} integer, spent integer);
INSERT INTO buyers SELECT n, 'b' || n FROM generate_series(1, 500) n;
INSERT INTO {quoted(TABLE)} ({quoted(COLUMN)}, spent) SELECT n, n FROM generate_series(1, 500) n;
"""
# An orphan: a key that was added after it.
ORPHAN = f"""
INSERT INTO {quoted(TABLE)} ({quoted(COLUMN)}, spent) VALUES (7777, 1);
ALTER TABLE {quoted(TABLE)} ADD CONSTRAINT {quoted(KEY)} FOREIGN KEY ({quoted(COLUMN)}) REFERENCES buyers NOT VALID;
"""
# A unique index that did not see a row.
DUPLICATE = """
CREATE TABLE "Mail; list" (address text CONSTRAINT "one ""each""; 'x'" UNIQUE);
INSERT INTO "Mail; list" VALUES ('x@y'), ('z@y');
UPDATE pg_index SET indisready = false WHERE indexrelid = '"one ""each""; ''x''"'::regclass;
INSERT INTO "Mail; list" VALUES ('x@y');
UPDATE pg_index SET indisready = true WHERE indexrelid = '"one ""each""; ''x''"'::regclass;
"""
TRIGGER = f"""
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
CREATE TRIGGER "no""te" AFTER DELETE ON {quoted(TABLE)} FOR EACH ROW EXECUTE FUNCTION note();
ALTER TABLE {quoted(TABLE)} DISABLE TRIGGER "no""te";
"""
SEQUENCE = f"""SELECT setval(pg_get_serial_sequence('{quoted(TABLE).replace("'", "''")}', 'id'), 2147000000)"""
INDEX = """CREATE TABLE words (word text); CREATE INDEX "by 'word'" ON words (word);
INSERT INTO words SELECT md5(n::text) FROM generate_series(1, 2000) n"""
WRITER = f"CREATE ROLE \"cl'erk\" LOGIN; GRANT DELETE ON {quoted(TABLE)} TO \"cl'erk\""
CONFIG = """
listen = "127.0.0.1:1"
state_dir = "@WORK@/state"
[[server]]
name = "main"
dsn = @DSN@
databases = [@HOME@, "gone", "unkeyed"]
max_load = 1.0
expect = { tables = 2, foreign_keys = 1 }
allow = { writers = ["nobody"], superusers = ["postgres"] }
[[server.backups]]
name = "nightly"
directory = "@WORK@/back ups"
pattern = "*.dump"
every = "1h"
usable = 1
settle = "0s"
[[server.backups]]
name = "weekly"
directory = "@WORK@/week's"
pattern = "*.dump"
every = "7d"
settle = "0s"
[server.drills]
directory = "@WORK@/drills"
[[server.replicas]]
name = "north"
dsn = @COPY@
max_lag = "1s"
[server.collectors.sequence_use]
max_used = 0.9
[[server.collectors.audit_triggers.audited]]
tables = [@TABLE@]
function = "public.note"
"""

# What is planted; what the sentence says; what the first command shows.
DEFECTS = [
    ("an orphan", r'^1 row of public\.a"b; c refers to no row', r"7777"),
    ("a duplicate",
     r"^1 surplus row of public\.Mail; list repeats a value of the unique key one \"each\"; 'x'\.", r"x@y +\| +2 "),
    ("a table that is gone", r"^Pinned tables: the database has 1, it must have at least 2\.", r"buyers"),
    ("a key that was dropped", r"^Pinned foreign_keys: the database has 0, it must have at least 1\.", r"buyers"),
    ("an audit trigger that is off", r'^Not every delete of public\.a"b; c is audited as expected\.', r'no"te +\| D '),
    ("a backup that is late",
     r"^The newest dump backup of nightly is \d+ d .*old, it may be \d+ h", r"\d:\d\d old one\.dump"),
    ("a backup that is damaged", r"^1 dump backup of weekly is there and damaged", r"failed_level"),
    ("an index that is corrupt", r"by 'word'", r"ERROR: .*by 'word'"),
    ("a standby that is behind", r"^The copy north is .* behind, it may be 1 s behind", r"\| t *\| .*\| t$"),
    ("a sequence near its end", r'^The sequence of public\.a"b; c\.id has used 99\.9', r"integer +\| +2147000000"),
    ("a role that may write", r'^1 role may change or own public\.a"b; c and is on no list', r"cl'erk"),
    ("a superuser too many", r"^1 role is a superuser, or may become one, and `allow` does not list it\.", r"root\$x"),
]


def literal(text):
    """A text of TOML."""
    return json.dumps(text, ensure_ascii=False)


class World:
    def __init__(self, program):
        self.program = program
        self.data = Throwaway(IN_DSN)
        self.work = self.data.work
        self.copy = None
        for name in ("state", "back ups", "week's", "drills", "standby"):
            (self.work / name).mkdir()

    def plant(self):
        data = self.data
        data.own_everything()
        data.start_server("fsync = off\n")
        data.psql(f'CREATE DATABASE {quoted(HOME)}', "postgres")
        data.psql('CREATE DATABASE gone', "postgres")
        data.psql('CREATE DATABASE unkeyed; CREATE ROLE "root$x" SUPERUSER LOGIN; CREATE ROLE poor LOGIN', "postgres")
        for text in (SHOP, ORPHAN, DUPLICATE, TRIGGER, SEQUENCE, INDEX, WRITER):
            data.psql(text)
        data.psql("CREATE TABLE buyers (id integer PRIMARY KEY, friend integer REFERENCES buyers)", "gone")
        data.psql("CREATE TABLE buyers (id integer PRIMARY KEY); CREATE TABLE orders (buyer integer)", "unkeyed")
        grants = (ROOT / "deploy/grants.sql").read_text(encoding="utf-8")
        for database in (IN_DSN, "gone", "unkeyed"):
            data.psql(grants, database)
        data.psql("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO pgintegrity")
        self.write_config("config.toml", "pgintegrity")
        self.write_config("poor.toml", "poor")
        self.disorder_index()
        self.take_backups()
        self.stop_standby_following()

    def write_config(self, name, user):
        def dsn(folder):
            return literal(f"host={folder}/socket user={user} dbname={IN_DSN}")

        text = CONFIG
        for mark, value in (("@WORK@", str(self.work)), ("@DSN@", dsn(self.work)),
                            ("@COPY@", dsn(self.work / "standby")), ("@HOME@", literal(HOME)),
                            ("@TABLE@", literal("public." + TABLE))):
            text = text.replace(mark, value)
        (self.work / name).write_text(text, encoding="utf-8")

    def disorder_index(self):
        """Exchanges two line pointers of the first page with words."""
        path = self.data.server.data / self.data.psql("SELECT pg_relation_filepath('\"by ''word''\"')").strip()
        self.data.server.stop(mode="fast")
        with path.open("r+b") as file:
            file.seek(8192 + 24 + 3 * 4)
            first, second = file.read(4), file.read(4)
            file.seek(8192 + 24 + 3 * 4)
            file.write(second + first)
        self.data.server.start()

    def take_backups(self):
        data = self.data
        for path in ("back ups/old one.dump", "week's/the 1st.dump"):
            data.execute(["pg_dump", "-Fc", "-f", self.work / path, "-d", data.dsn("postgres")])
        self.make_older(self.work / "back ups/old one.dump")
        damaged = self.work / "week's/the 1st.dump"
        content = bytearray(damaged.read_bytes())
        middle = len(content) * 7 // 10
        content[middle:middle + 64] = bytes(64)
        damaged.write_bytes(content)
        data.execute([self.program, "drill", "--config", self.work / "config.toml", "--source", "weekly",
                      "--proof-only"], must=False)

    @staticmethod
    def make_older(path):
        """Takes a year from the time in the header of a dump."""
        content = bytearray(path.read_bytes())
        compression = 5 if content[6] < 15 else 1
        content[11 + compression + 5 * 5 + 1] -= 1
        path.write_bytes(content)

    def stop_standby_following(self):
        """A standby that no longer replays, and something that it should."""
        data = self.data
        self.copy = Server(self.work / "standby", "")
        data.execute(["pg_basebackup", "-R", "-D", self.copy.data, "-d", data.dsn("postgres", "postgres"),
                      "--checkpoint=fast", "--no-sync"])
        (self.copy.folder / "socket").mkdir()
        with (self.copy.data / "postgresql.conf").open("a") as conf:
            conf.write(f"unix_socket_directories = '{self.copy.folder}/socket'\n")
        hand_over(self.copy.folder)
        self.copy.data.chmod(0o700)
        self.copy.start()
        data.psql("CREATE TABLE seen (id integer)", "unkeyed")
        on_copy = ["psql", "-X", "-At", "-d", self.copy.dsn("postgres", "unkeyed"), "-c"]
        deadline = time.monotonic() + PATIENCE
        while "seen" not in data.execute([*on_copy, "SELECT relname FROM pg_class WHERE relname = 'seen'"]).stdout:
            if time.monotonic() > deadline:
                sys.exit("error: the standby does not follow")
            time.sleep(0.1)
        data.execute([*on_copy, "SELECT pg_wal_replay_pause()"])
        data.psql("CREATE TABLE later (id integer)", "unkeyed")
        time.sleep(2)

    def check(self, config, *more):
        ended = self.data.execute([self.program, "check", "--config", self.work / config, *more], must=False)
        return ended.stdout or ended.stderr

    def wrong(self):
        said = self.check("config.toml", "--format", "json")
        if not said.startswith("{"):
            sys.exit(said.rstrip())
        return [wrong for server in json.loads(said)["servers"] for wrong in server["wrong"]]

    def paste(self, command):
        """What somebody sees who pastes the command on the machine of the server."""
        environment = clean_environment(PGUSER="postgres", PSQLRC="/dev/null", PAGER="cat")
        environment["PATH"] = f"{self.work / 'bin'}:{environment['PATH']}"
        ended = subprocess.run(unprivileged(["bash", "-u", "-c", command]), env=environment, cwd=self.work,
                               timeout=PATIENCE, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               errors="replace", check=False)
        return ended.stdout + ended.stderr

    def install(self):
        (self.work / "bin").mkdir()
        link = self.work / "bin/pg_integrity_exporter"
        link.write_bytes(self.program.read_bytes())
        link.chmod(0o755)

    def end(self):
        if self.copy:
            self.copy.stop(must=False)
        self.data.clean_up()


BROKEN = re.compile(
    r"command not found|unbound variable|syntax error|unexpected EOF|does not exist|No such file|cannot access")


def failures_of(world, texts):
    found = world.wrong()
    for name, sentence, shows in DEFECTS:
        told = [one for one in found if re.search(sentence, one["text"])]
        if not told:
            yield "%s: no sentence has %s" % (name, sentence)
            continue
        seen = world.paste(told[0]["command"])
        texts.append("## %s\n\n%s (database %s, runbook %s)\n\n```sh\n%s\n```\n\n```text\n%s\n```\n" % (
            name, told[0]["text"], told[0]["database"], told[0]["runbook"], told[0]["command"], seen.rstrip()))
        if not re.search(shows, seen, re.M):
            yield "%s: the first command does not show %s, but:\n%s\n%s" % (name, shows, told[0]["command"], seen)
    for one in found:
        if not one["command"]:
            yield "no command for: " + one["text"]
        elif BROKEN.search(world.paste(one["command"])):
            yield "%s\n%s\n%s" % (one["text"], one["command"], world.paste(one["command"]))
    said = world.check("config.toml").splitlines()
    if not said or not said[-1].startswith("Next: begin with "):
        yield "the last line of `check` is " + repr(said[-1:])
    poor = world.check("poor.toml")
    texts.append("## a role without rights\n\n```text\n%s\n```\n" % poor.rstrip())


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    world = World(program)
    texts = []
    try:
        world.plant()
        world.install()
        failures = list(failures_of(world, texts))
    finally:
        world.end()
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text("\n".join(texts), encoding="utf-8")
    for failure in failures:
        print("first_commands: " + failure, file=sys.stderr)
    print("%d defects, %d texts, %d failures" % (len(DEFECTS), len(texts), len(failures)))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
