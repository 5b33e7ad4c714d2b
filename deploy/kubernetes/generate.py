#!/usr/bin/env python3
"""Writes the twins of alerts/ and dashboards/ for Kubernetes beside this file: a PrometheusRule for the Prometheus
operator, and a ConfigMap for each dashboard, as the Grafana chart's sidecar finds them.

    deploy/kubernetes/generate.py
"""
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEAD = "# Written by deploy/kubernetes/generate.py from %s. Do not edit.\n"


def prometheus_rule():
    """One object with the groups of all files, which are taken over as they are written."""
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
    for path in sorted((ROOT / "alerts").glob("*.rules.yml")):
        groups = path.read_text(encoding="utf-8").split("\ngroups:\n", 1)[1]
        text += "".join("  " + line if line.strip() else line for line in groups.splitlines(keepends=True))
        text += "\n"
    return text.rstrip("\n") + "\n"


def config_maps():
    documents = []
    for path in sorted((ROOT / "dashboards").glob("*.json")):
        board = json.dumps(json.loads(path.read_text(encoding="utf-8")), separators=(",", ":"), ensure_ascii=False)
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


def main():
    directory = pathlib.Path(__file__).parent
    (directory / "prometheus-rule.yaml").write_text(prometheus_rule(), encoding="utf-8")
    (directory / "dashboards.yaml").write_text(config_maps(), encoding="utf-8")


if __name__ == "__main__":
    main()
