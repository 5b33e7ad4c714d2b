"""The shipped rules, with divided durations, in a real Prometheus, and a record of every alert that fires."""
import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from served import free_port
from throwaway import unprivileged

# Prometheus' own defaults, in seconds: how often it scrapes and evaluates, how far it looks back for a value, and how
# often it reads its targets.
SCRAPE, LOOKBACK, REFRESH = 60, 300, 300
SILENT = ("none", "info")
CONFIGURATION = """
global: {{ scrape_interval: {scrape}, scrape_timeout: {scrape}, evaluation_interval: {scrape} }}
rule_files: [{rules}/*.rules.yml]
scrape_configs:
  - job_name: pg_integrity_exporter
    file_sd_configs: [{{ files: [{work}/targets.json], refresh_interval: {refresh} }}]
"""


def get(url, timeout=30):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


class Prometheus:
    def __init__(self, work, rules, factor, environment):
        self.work = work
        self.rules = rules
        self.factor = factor
        self.environment = environment
        self.port = free_port()
        self.log = (work / "prometheus.log").open("w")
        self.process = None

    def start(self):
        config = self.work / "prometheus.yml"
        config.write_text(CONFIGURATION.format(
            scrape=self.divided(SCRAPE), refresh=self.divided(REFRESH), rules=self.rules, work=self.work))
        config.chmod(0o644)
        self.process = subprocess.Popen(
            unprivileged(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.work}/prometheus",
                          f"--web.listen-address=127.0.0.1:{self.port}", f"--query.lookback-delta={self.divided(LOOKBACK)}",
                          "--log.level=warn"]),
            env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_until_ready()

    def divided(self, seconds):
        return f"{round(seconds * 1000 / self.factor)}ms"

    def wait_until_ready(self):
        for _ in range(300):
            try:
                get(f"http://127.0.0.1:{self.port}/-/ready")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"Prometheus does not start, see {self.work}/prometheus.log")

    def target(self, ports):
        """Discovery names these exporters from now on."""
        new = self.work / "targets.new"
        new.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}]))
        new.chmod(0o644)
        new.rename(self.work / "targets.json")

    def query(self, expression):
        answer = get(f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression}), 120)
        return [(one["metric"], float(one["value"][1])) for one in json.loads(answer)["data"]["result"]]

    def alerts(self):
        answer = json.loads(get(f"http://127.0.0.1:{self.port}/api/v1/alerts"))
        return [one for one in answer["data"]["alerts"]
                if one["state"] == "firing" and one["labels"]["severity"] not in SILENT]

    def evaluations(self):
        """(how many evaluations of groups were made, how many were missed)"""
        lines = get(f"http://127.0.0.1:{self.port}/metrics").splitlines()
        counters = [f"prometheus_rule_group_iterations_{name}total{{" for name in ("", "missed_")]
        return tuple(sum(float(line.split()[-1]) for line in lines if line.startswith(name)) for name in counters)

    def stop(self):
        self.log.close()
        if not self.process:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def key_of(labels):
    """What tells one alert from another, wherever the exporter runs."""
    other = ("instance", "job", "component", "severity")
    return tuple(sorted((name, value) for name, value in labels.items() if name not in other))


class Watch:
    """Asks Prometheus in the background what fires, and tells the first time of each alert."""

    def __init__(self, prometheus, on_new):
        self.prometheus = prometheus
        self.on_new = on_new
        self.first = {}  # key -> time
        self.texts = {}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending.wait(0.3):
            try:
                alerts = self.prometheus.alerts()
            except OSError:
                continue
            for alert in alerts:
                key = key_of(alert["labels"])
                if key not in self.first:
                    self.first[key] = time.time()
                    self.texts[key] = alert["annotations"].get("description", "")
                    self.on_new(alert)

    def complete(self, seconds):
        """Adds alerts that fired between two questions, from Prometheus' own record. @return every key"""
        for labels, _ in self.prometheus.query(
                f'count_over_time(ALERTS{{alertstate="firing",severity!~"{"|".join(SILENT)}"}}[{max(1, round(seconds))}s])'):
            named = {name: value for name, value in labels.items() if name not in ("__name__", "alertstate")}
            self.first.setdefault(key_of(named), time.time())
        return set(self.first)

    def stop(self):
        self.ending.set()
        self.thread.join(60)
