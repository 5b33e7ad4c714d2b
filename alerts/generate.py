#!/usr/bin/env python3
"""Writes the rules beside this file, the table in README.md, the generated part of tests/ and the first paragraph of
each runbook, and exporter/report/runbook_table.cpp. It reads alerts.yml and the exporter's catalogue of metrics.

    alerts/generate.py PROGRAM
"""
import json
import subprocess
import sys

import promtool_tests
import rules
import runbook_table
from table import HERE, Table, read

BEGIN, END = "<!-- begin: alerts/generate.py -->\n", "<!-- end -->\n"


def write_readme(table):
    path = HERE / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    path.write_text(before + BEGIN + rules.readme_table(table) + END + rest.split(END, 1)[1], encoding="utf-8")


def write_runbook_heads(table):
    """Skips a runbook that does not exist. The contract test reports it as missing."""
    for alert in table.alerts:
        path = HERE / "runbooks" / ("%s.md" % alert.name)
        if not path.exists():
            continue
        title, rest = path.read_text(encoding="utf-8").split("\n\n", 1)
        if not rest.startswith("**Cost:**"):
            rest = rest.split("\n\n", 1)[1]
        path.write_text("\n\n".join([title, rules.runbook_head(alert), rest]), encoding="utf-8")


def main():
    table = Table(json.loads(subprocess.check_output([sys.argv[1], "catalogue", "--format", "json"])), read())
    for theme in table.about:
        (HERE / ("%s.rules.yml" % theme)).write_text(rules.rules_file(theme, table), encoding="utf-8")
        (HERE / "tests" / ("%s_test.yml" % theme)).write_text(promtool_tests.file_of(theme, table), encoding="utf-8")
    write_readme(table)
    write_runbook_heads(table)
    (HERE.parent / "exporter" / "report" / "runbook_table.cpp").write_text(
        runbook_table.source(table, HERE / "runbooks"), encoding="utf-8")


if __name__ == "__main__":
    main()
