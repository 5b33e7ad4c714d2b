#!/usr/bin/env python3
"""Runs the example of alerts/README.md that leaves alerts out and relabels them, under Prometheus and Alertmanager.

    tests/alerting/relabel_test.py
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/support"))
from served import free_port  # noqa: E402

PATIENCE = 180  # seconds
# Alerts that always fire here, with the labels of their rules.
FIRING = [
    {"alertname": "PgIntegrityFutureRows", "server": "shop", "severity": "warning", "component": "integrity"},
    {"alertname": "PgIntegrityQuerySlow", "server": "reports", "severity": "warning", "component": "service"},
    {"alertname": "PgIntegrityQuerySlow", "server": "shop", "severity": "warning", "component": "service"},
    {"alertname": "PgIntegrityReplicaLag", "server": "shop", "severity": "warning", "component": "service"},
    {"alertname": "PgIntegrityBackupOverdue", "server": "shop", "severity": "critical", "component": "recovery"},
]
ARRIVING = [
    {"alertname": "PgIntegrityQuerySlow", "server": "shop", "severity": "warning", "component": "service"},
    {"alertname": "PgIntegrityReplicaLag", "server": "shop", "severity": "critical", "component": "service"},
    {"alertname": "PgIntegrityBackupOverdue", "server": "shop", "severity": "critical", "component": "recovery",
     "team": "storage"},
]


def example():
    """The block of the README that changes alerts."""
    text = (ROOT / "alerts/README.md").read_text(encoding="utf-8")
    (block,) = [one for one in re.findall(r"```yaml\n(.*?)```", text, re.S) if "replacement:" in one]
    return yaml.safe_load(block)


def rules():
    return {"groups": [{"name": "firing", "rules": [
        {"alert": one["alertname"], "expr": "vector(1)", "labels": {key: one[key] for key in one if key != "alertname"}}
        for one in FIRING]}]}


class Relabelling(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def start(self, *command):
        child = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.terminate)

    @staticmethod
    def arrived(port):
        """The labels of the alerts that Alertmanager has. None while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10) as answer:
                return [one["labels"] for one in json.loads(answer.read())]
        except (urllib.error.URLError, OSError):
            return None

    def wait(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.2)

    def test_the_example(self):
        alertmanager = free_port()
        config = example()
        config["global"] = {"evaluation_interval": "1s", "external_labels": {"pg_integrity_runbooks": "https://x.example"}}
        config["rule_files"] = ["firing.yml"]
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]
        (self.folder / "firing.yml").write_text(yaml.safe_dump(rules()))
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        subprocess.run(["promtool", "check", "config", "prometheus.yml"], cwd=self.folder, check=True, capture_output=True)
        (self.folder / "alertmanager.yml").write_text("route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n")
        self.start("prometheus-alertmanager", "--config.file=alertmanager.yml", "--storage.path=kept",
                   "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{alertmanager}")
        # What Prometheus sends before it has found Alertmanager is lost. It sends it again after the resend delay.
        self.wait(lambda: self.arrived(alertmanager) is not None)
        self.start("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--rules.alert.resend-delay=1s",
                   f"--web.listen-address=127.0.0.1:{free_port()}")
        self.wait(lambda: self.arrived(alertmanager))
        # Prometheus sends the alerts of a group together.
        self.assertCountEqual(self.arrived(alertmanager), ARRIVING)


if __name__ == "__main__":
    unittest.main()
