#!/usr/bin/env python3
"""A month of ordinary work under the shipped rules, and then one defect in each database. README.md says how.

    tests/month/month.py PROGRAM RULES [--factor F] [--days D] [--seed S] [--schemas NAME,…]

PROGRAM and RULES have durations divided by F, as scale.py writes them. The last line is the result.
"""
import argparse
import collections
import concurrent.futures
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import plan  # noqa: E402  (beside this file)
import schema_file  # noqa: E402
from exporter import Exporter  # noqa: E402
from servers import OWNER, Failed, Servers  # noqa: E402
from throwaway import clean_environment, hand_over  # noqa: E402
from watch import Prometheus, Watch, key_of  # noqa: E402

LOSS = "PgIntegrityObjectsLost"
LOGS = pathlib.Path("build/logs/month")
DEFECT_HOURS = 72   # until a planted defect must have raised its alert; the slowest passes take hours of the month
SETTLING_HOURS = 3  # in which what was planted last is noticed, and no other alert may follow


def say(text):
    print(text, flush=True)


class Month:
    def __init__(self, arguments, work):
        self.days = arguments.days
        self.factor = arguments.factor
        self.seed = arguments.seed
        self.day_seconds = 86400 / self.factor
        self.schemas = {schema.name: schema for schema in schema_file.read_all()
                        if not arguments.schemas or schema.name in arguments.schemas}
        self.events = plan.plan({name: len(schema.losses) for name, schema in self.schemas.items()}, self.days, self.seed)
        self.done = collections.Counter()
        self.skipped = 0
        self.latest = 0.0
        self.away = []
        self.planted = []  # (schema, time)
        self.failures = []
        self.began = None
        self.lock = threading.Lock()
        environment = clean_environment()
        self.servers = Servers(work, environment)
        self.prometheus = Prometheus(work, arguments.rules, self.factor, environment)
        self.exporter = Exporter(arguments.program, work, self.servers, self.prometheus, sorted(self.schemas), self.factor)
        self.watch = None
        self.workers = {name: concurrent.futures.ThreadPoolExecutor(1) for name in self.schemas}
        self.queued = collections.defaultdict(list)

    # Time.

    def day(self, moment=None):
        return ((moment or time.time()) - self.began) / self.day_seconds

    def told(self, moment=None):
        day = self.day(moment)
        minutes = int(day * 1440)
        return f"day {minutes // 1440:2} {minutes // 60 % 24:02}:{minutes % 60:02}"

    def wait_until(self, day):
        time.sleep(max(0.0, self.began + day * self.day_seconds - time.time()))

    # Before and after.

    def prepare(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        self.servers.start()
        for schema in self.schemas.values():
            self.servers.load(schema)
        self.exporter.grant()
        self.servers.add_standby()
        self.exporter.start()
        self.prometheus.start()
        self.exporter.wait_until_scraped()
        while any(alert["labels"]["alertname"] == "PgIntegrityExporterAbsent" for alert in self.prometheus.alerts()):
            time.sleep(0.05)  # it fired before the first scrape
        self.began = time.time()
        self.watch = Watch(self.prometheus, self.noticed)

    def noticed(self, alert):
        labels = {name: value for name, value in alert["labels"].items()
                  if name not in ("alertname", "job", "instance", "component", "severity")}
        say(f"  {self.told()}  {alert['labels']['alertname']} {labels} {alert['annotations'].get('description', '')}")
        try:
            (LOGS / f"{self.told().replace(' ', '_')}_{alert['labels']['alertname']}.json").write_text(self.exporter.report())
        except OSError:
            pass

    def stop(self):
        for worker in self.workers.values():
            worker.shutdown(cancel_futures=True)
        if self.watch:
            self.watch.stop()
        self.exporter.stop()
        self.prometheus.stop()
        for path in (*self.servers.work.glob("exporter*/exporter.log"), self.servers.work / "prometheus.log"):
            if path.exists():
                (LOGS / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
        self.servers.stop()

    # The month's work.

    def work_of(self, event):
        schema = self.schemas[event.schema]
        variables = {"n": event.number, "day": int(event.day)}
        if event.kind == "lock":
            seconds = 600 / self.factor  # ten of the month
            script = f"BEGIN; LOCK TABLE {schema.locked}; SELECT pg_sleep({seconds}); COMMIT;"
            self.servers.psql(schema.name, script, OWNER)
        elif event.kind == "loss":
            self.servers.psql(schema.name, schema.losses[event.number], OWNER)
            self.planted.append((schema.name, time.time()))
            say(f"  {self.told()}  {schema.name}: {schema.losses[event.number].strip()}")
        else:
            self.servers.psql(schema.name, getattr(schema, event.kind), OWNER, **variables)

    def run_work(self, event):
        late = self.day() - event.day
        if event.kind == "hourly" and late > plan.HOUR:
            self.skipped += 1
            return
        with self.lock:
            self.latest = max(self.latest, late)
        try:
            self.work_of(event)
            with self.lock:
                self.done[event.schema, event.kind] += 1
        except Failed as failure:
            self.failures.append(f"{event.kind} work of {event.schema} at {self.told()}: {failure}")
            say(f"  {self.failures[-1]}")

    def operate(self, event):
        for futures in self.queued.values():
            concurrent.futures.wait(futures)
        self.queued.clear()
        say(f"  {self.told()}  {event.kind}")
        if event.kind == "restart server":
            self.away.append(self.servers.restart())
        elif event.kind == "fail over":
            self.away.append(self.servers.fail_over())
            self.servers.add_standby()
        elif event.kind == "restart exporter":
            self.exporter.restart()
        elif event.kind == "move exporter":
            self.exporter.move()
        elif event.kind == "lose volume":
            self.exporter.lose_volume()
        self.done["", event.kind] += 1

    def live(self):
        for event in self.events:
            self.wait_until(event.day)
            if event.schema:
                self.queued[event.schema].append(self.workers[event.schema].submit(self.run_work, event))
            else:
                self.operate(event)
        self.wait_until(self.days + SETTLING_HOURS * plan.HOUR)
        for futures in self.queued.values():
            concurrent.futures.wait(futures)

    def plant_defects(self):
        """@return the alerts of each database that came after its defect"""
        before = set(self.watch.first)
        for schema in self.schemas.values():
            self.servers.psql(schema.name, schema.defect)
        say(f"  {self.told()}  planted a defect in each database")
        until = self.day() + DEFECT_HOURS * plan.HOUR
        wanted = {(schema.name, schema.alert) for schema in self.schemas.values()}
        while self.day() < until and wanted - {self.named(key) for key in set(self.watch.first) - before}:
            time.sleep(0.2)
        self.wait_until(self.day() + SETTLING_HOURS * plan.HOUR)
        came = self.watch.complete(time.time() - self.began) - before
        found = collections.defaultdict(list)
        for key in came:
            found[self.named(key)[0]].append(self.named(key)[1])
        return found

    @staticmethod
    def named(key):
        labels = dict(key)
        return labels.get("server", ""), labels["alertname"]

    # The judgement.

    def judge_month(self):
        """Every alert of the month has to be the one warning of a planted drop."""
        keys = self.watch.complete(time.time() - self.began)
        warned = collections.Counter()
        for key in keys:
            server, alert = self.named(key)
            if alert == LOSS:
                warned[server] += 1
            else:
                when = self.told(self.watch.first[key])
                self.failures.append(f"{when}: {alert} {dict(key)} {self.watch.texts.get(key, '')}")
        planted = collections.Counter(name for name, _ in self.planted)
        for name in self.schemas:
            if warned[name] != planted[name]:
                self.failures.append(f"{name}: {planted[name]} drops and {warned[name]} warnings")
        return warned

    def judge_speed(self):
        """How near the machine was to its limits."""
        made, missed = self.prometheus.evaluations()
        so_far = f"{round(time.time() - self.began)}s"
        watchdog = self.prometheus.query(f'count_over_time(ALERTS{{alertname="PgIntegrityWatchdog"}}[{so_far}])')[0][1]
        slowest = self.prometheus.query("max(max_over_time(pg_integrity_collector_duration_seconds[1d]))")[0][1]
        away = ", ".join(f"{seconds * self.factor / 60:.1f}" for seconds in self.away)
        say(f"  in minutes of the month: the server was away for {away}; the slowest pass took "
            f"{slowest * self.factor / 60:.0f}; work was at most {self.latest * 1440:.0f} late")
        say(f"  Prometheus made {made:.0f} evaluations of groups and missed {missed:.0f}; the watchdog fired in "
            f"{watchdog:.0f}; {self.skipped} hours of work were left out")
        if missed > made / 10:
            self.failures.append("Prometheus missed more than a tenth of its evaluations: the machine is too slow")

    def run(self):
        self.prepare()
        self.live()
        warned = self.judge_month()
        self.judge_speed()
        found = self.plant_defects()
        if found.get(""):
            self.failures.append(f"alerts about no server after the defects: {sorted(found[''])}")
        exact = 0
        for name, schema in self.schemas.items():
            right = found[name] == [schema.alert]
            exact += right
            work = ", ".join(f"{kind} {self.done[name, kind]}" for kind in ("hourly", "nightly", "weekly", "lock"))
            instead = "" if right else f" instead of {schema.alert}"
            say(f"  {name:<11} {work}; drops {self.done[name, 'loss']}, warnings {warned[name]}; "
                f"defect: {' '.join(sorted(found[name])) or 'nothing'}{instead}")
        defects = f"{exact} of {len(self.schemas)} defects found by exactly their alert"
        total = f"{len(self.schemas)} schemas, {self.days:g} days at factor {self.factor}"
        if self.failures or exact < len(self.schemas):
            for failure in self.failures:
                say(f"  FAILED: {failure}")
            say(f"month: FAILED: {total}: {len(self.failures)} failures; {defects}")
            return 1
        say(f"month: {total}: no alert above info but {len(self.planted)} planted losses; {defects}")
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("rules", type=pathlib.Path)
    parser.add_argument("--factor", type=int, default=100)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--schemas", type=lambda text: text.split(","), default=[])
    arguments = parser.parse_args()
    if arguments.days < plan.LEAST_DAYS:
        parser.error("a drop is noticed if the exporter has learned for a day, so --days is at least 1.0834")
    unknown = set(arguments.schemas) - {schema.name for schema in schema_file.read_all()}
    if unknown:
        parser.error(f"no such schema: {' '.join(sorted(unknown))}; see tests/month/schemas")
    say(f"month: seed {arguments.seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped
    work = pathlib.Path(tempfile.mkdtemp(prefix="pg_integrity_month.", dir="/dev/shm"))
    # The account of the servers may not be able to read the checkout.
    arguments.program = pathlib.Path(shutil.copy2(arguments.program, work / "pg_integrity_exporter"))
    arguments.rules = pathlib.Path(shutil.copytree(arguments.rules, work / "rules"))
    hand_over(work)
    month = Month(arguments, work)
    try:
        return month.run()
    finally:
        month.stop()


if __name__ == "__main__":
    sys.exit(main())
