#!/usr/bin/env python3
"""Writes the twins of alerts/ and dashboards/ for Kubernetes beside this file: a PrometheusRule for the Prometheus
operator, and a ConfigMap for each dashboard, as the Grafana chart's sidecar finds them. The chart gets both as files,
and the program's version.

    deploy/kubernetes/generate.py PROGRAM
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "# Written by deploy/kubernetes/generate.py from %s. Do not edit.\n"


def groups():
    """The groups of all files, which are taken over as they are written."""
    text = ""
    for path in sorted((ROOT / "alerts").glob("*.rules.yml")):
        text += path.read_text(encoding="utf-8").split("\ngroups:\n", 1)[1] + "\n"
    return text.rstrip("\n") + "\n"


def prometheus_rule():
    """One object with all groups."""
    text = HEAD % "alerts/*.rules.yml"
    text += """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pg-integrity-exporter
  labels:
    app.kubernetes.io/name: pg-integrity-exporter
spec:
  groups:
"""
    return text + "".join("  " + line if line.strip() else line for line in groups().splitlines(keepends=True))


def boards():
    """(path, the dashboard in one line)"""
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        yield path, json.dumps(board, separators=(",", ":"), ensure_ascii=False)


def config_maps():
    documents = []
    for path, board in boards():
        documents.append("""apiVersion: v1
kind: ConfigMap
metadata:
  name: %s
  labels:
    app.kubernetes.io/name: pg-integrity-exporter
    grafana_dashboard: "1"
  annotations:
    grafana_folder: pg_integrity
data:
  %s: |
    %s
""" % (path.stem, path.name, board))
    return HEAD % "dashboards/*.json" + "---\n".join(documents)


def chart(program):
    """The chart's own version is the program's."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    return HEAD % "the version in CMakeLists.txt" + f"""apiVersion: v2
name: pg-integrity-exporter
description: Prometheus exporter for the integrity and recoverability of PostgreSQL databases
type: application
version: {version}
appVersion: "{version}"
kubeVersion: ">=1.25.0-0"
keywords: [postgresql, prometheus, integrity, backup]
"""


def main():
    directory = pathlib.Path(__file__).parent
    files = directory / "chart/files"
    (files / "dashboards").mkdir(parents=True, exist_ok=True)
    (directory / "chart/Chart.yaml").write_text(chart(sys.argv[1]), encoding="utf-8")
    (files / "rules.yaml").write_text(HEAD % "alerts/*.rules.yml" + "groups:\n" + groups(), encoding="utf-8")
    for path, board in boards():
        (files / "dashboards" / path.name).write_text(board + "\n", encoding="utf-8")
    (directory / "prometheus-rule.yaml").write_text(prometheus_rule(), encoding="utf-8")
    (directory / "dashboards.yaml").write_text(config_maps(), encoding="utf-8")


if __name__ == "__main__":
    main()
