"""The exporter: one pass of `check`, or a process that serves and is reloaded, ended or killed."""
import json
import re
import signal
import time

from served import Served, labels_of
from start import COLLECTORS
from throwaway import clean_environment, execute, unprivileged

PATIENCE = 240  # seconds for one pass
LAST = "pg_integrity_collector_last_success_timestamp_seconds"


class PassFailed(Exception):
    """No complete pass came to its end."""


class Watcher:
    def __init__(self, program, folder, databases):
        self.program, self.folder, self.databases = program, folder, databases
        self.environment = clean_environment()
        self.served = None
        self.saved_at_start = None
        self.windows = []          # [beginning, end] of the passes since the start

    def check(self):
        """A process of its own that reads the recorded evidence, checks everything once, and records nothing."""
        ended = execute([self.program, "check", "--config", self.folder / "config.toml", "--format", "json"],
                        self.folder, self.environment, must=False)
        if not ended.stdout.startswith("{"):
            raise PassFailed(f"check ended with {ended.returncode}: {ended.stderr.strip()[-300:]}")
        return json.loads(ended.stdout)

    def start(self):
        self.saved_at_start = self.saved()
        self.windows = []
        self.served = Served(unprivileged, self.program, self.folder, self.environment)

    def is_serving(self):
        return self.served is not None

    def reload(self):
        self.served.process.send_signal(signal.SIGHUP)

    def passed(self, since):
        """Waits for a pass of every collector that began after a moment. @return the report then"""
        deadline = time.monotonic() + PATIENCE
        while True:
            if self.served.process.poll() is not None:
                raise PassFailed(f"serve ended with {self.served.process.returncode}")
            missing = self.unfinished(since)
            if not missing:
                self.windows.append((since, time.time()))
                return self.served.report()
            if time.monotonic() > deadline:
                raise PassFailed(f"no complete pass within {PATIENCE} s of {', '.join(missing)}")
            time.sleep(0.1)

    def unfinished(self, since):
        """Collectors without a complete pass since then."""
        waiting = {(database, collector) for database in self.databases for collector in COLLECTORS}
        for line in self.served.page().splitlines():
            if line.startswith(LAST):
                labels, value = re.match(r"\w+\{(.*)\} (\S+)", line).groups()
                if float(value) > since:
                    named = dict(labels_of(labels))
                    waiting.discard((named.get("database"), named["collector"]))
        return sorted(f"{database}/{collector}" for database, collector in waiting)

    def stop(self):
        """Ends it in good order. It records its evidence."""
        self.served.stop()
        code = self.served.process.returncode
        self.served = None
        if code != 0:
            raise PassFailed(f"serve ended with {code}")

    def kill(self):
        self.served.process.kill()
        self.served.process.wait()
        self.served.log.close()
        self.served = None

    def recorded_passes(self):
        """How many of the passes since its start it has recorded. None if it recorded in the middle of one."""
        saved = self.saved()
        if saved == self.saved_at_start:
            return 0
        if any(since <= saved <= end for since, end in self.windows):
            return None
        return sum(end < saved for _, end in self.windows)

    def saved(self):
        """The moment before which all that it found is on record. A slow machine writes it later."""
        path = self.folder / "state/evidence.json"
        return json.loads(path.read_text())["saved_at"] if path.exists() else 0


def objects_of(report, database):
    """Name -> object, of one database and the collectors that histories are about."""
    for server in report["servers"]:
        for part in server["databases"]:
            if part["database"] == database:
                return {one["object"]: one for collector in part["collectors"] for one in collector["objects"]}, part
    return {}, {"questions": {}, "collectors": []}


def state_of(part):
    return f"{part['state']}({part['reason']})" if part["state"] == "unproven" else part["state"]


def values_of(part):
    """Metric, without the prefix -> number."""
    return {one["series"]: one["value"] for one in part["values"] if "{" not in one["series"]}


def told_of(part):
    """The names that the inventory tells as gone or switched off."""
    return {line.split(" is ")[0] for line in part["evidence"] if " is gone since " in line
            or " is switched off since " in line}
