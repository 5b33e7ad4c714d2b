#!/usr/bin/env python3
"""Generated files cannot grow stale unseen, and mistakes in the table of alerts are refused.

    tests/alerting/generators_test.py PROGRAM
"""
import copy
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "alerts"))

import promtool_tests  # noqa: E402
import rules  # noqa: E402
import table as tables  # noqa: E402

# What deploy/ has from alerts/, dashboards/ and the program.
COPIES = ("deploy/kubernetes/prometheus-rule.yaml", "deploy/kubernetes/dashboards.yaml", "deploy/kubernetes/chart/Chart.yaml",
          "deploy/kubernetes/chart/files/rules.yaml", "deploy/kubernetes/chart/files/dashboards/pg-integrity-audit.json",
          "deploy/package/pg_integrity_exporter.1", "deploy/package/completion.bash", "deploy/package/completion.zsh")
PROGRAM = ""
CATALOGUE = {}


class Stale(unittest.TestCase):
    """One copy of the repository for each test."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        for part in ("alerts", "collectors", "dashboards", "deploy", "exporter/report"):
            shutil.copytree(ROOT / part, self.root / part, ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / "tests").mkdir()
        for file in ("tests/regenerate.sh",):
            shutil.copy(ROOT / file, self.root / file)

    def regenerate(self, *arguments):
        return subprocess.run(
            [str(self.root / "tests/regenerate.sh"), *arguments, PROGRAM], text=True, capture_output=True, check=False)

    def append(self, file, text):
        path = self.root / file
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def replace(self, file, old, new):
        path = self.root / file
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new), encoding="utf-8")

    def all_is_current(self):
        said = self.regenerate("--check")
        self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
        self.assertIn("all that is generated is current", said.stdout)

    def plant_in_each_kind(self):
        self.replace("collectors/REFERENCE.md", "| `pg_integrity_up` | gauge |", "| `pg_integrity_up` | counter |")
        self.replace("alerts/README.md", "| critical | 2m | Rows refer", "| critical | 7m | Rows refer")
        self.replace("alerts/runbooks/PgIntegrityApiDown.md", "Severity: warning", "Severity: critical")
        self.append("dashboards/pg-integrity-audit.json", " ")
        for file in ("alerts/audit.rules.yml", "alerts/tests/exporter_test.yml",
                     *COPIES):
            self.append(file, "# by hand\n")
        self.append("deploy/grants.sql", "-- by hand\n")
        self.append("exporter/report/runbook_table.cpp", "// by hand\n")

    def test_a_change_by_hand_is_seen_in_each_kind_and_is_undone(self):
        self.plant_in_each_kind()
        said = self.regenerate("--check")
        self.assertEqual(said.returncode, 1)
        self.assertIn("run tests/regenerate.sh", said.stderr)
        for file in ("collectors/REFERENCE.md", "alerts/README.md", "alerts/runbooks/PgIntegrityApiDown.md", "alerts/audit.rules.yml",
                     "alerts/tests/exporter_test.yml", "dashboards/pg-integrity-audit.json", "deploy/grants.sql",
                     "exporter/report/runbook_table.cpp", *COPIES):
            self.assertIn("--- %s\t" % file, said.stdout)
        self.assertEqual(self.regenerate().returncode, 0)
        self.all_is_current()

    def test_a_file_that_nothing_writes_any_more_is_seen(self):
        shutil.copy(self.root / "alerts/audit.rules.yml", self.root / "alerts/former.rules.yml")
        self.assertIn("Only in alerts: former.rules.yml", self.regenerate("--check").stdout)
        self.assertEqual(self.regenerate().returncode, 0)
        self.assertFalse((self.root / "alerts/former.rules.yml").exists())

    def test_a_source_that_is_changed_alone_is_seen(self):
        self.replace("alerts/alerts.yml", "summary: \"An index is corrupt.\"", "summary: \"An index is broken.\"")
        said = self.regenerate("--check")
        for file in ("alerts/README.md", "alerts/integrity.rules.yml", "alerts/tests/integrity_test.yml",
                     "alerts/runbooks/PgIntegrityIndexCorrupt.md", "deploy/kubernetes/prometheus-rule.yaml"):
            self.assertIn("--- %s\t" % file, said.stdout)

    def test_nothing_is_written_where_a_source_is_wrong(self):
        self.replace("alerts/alerts.yml", "severity: critical, metric: pg_integrity_index_corrupt",
                     "severity: critical, metric: pg_integrity_index")
        before = (self.root / "alerts/integrity.rules.yml").read_text(encoding="utf-8")
        said = self.regenerate()
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("there is no metric pg_integrity_index", said.stderr)
        self.assertEqual((self.root / "alerts/integrity.rules.yml").read_text(encoding="utf-8"), before)


class Mistakes(unittest.TestCase):
    def refuses(self, expected, name, change, metric=()):
        """Expects that the generators refuse a table with a changed entry or metric."""
        document, catalogue = copy.deepcopy(tables.read()), copy.deepcopy(CATALOGUE)
        entry = next(
            one for theme in document["themes"].values() for one in theme["alerts"] if one["alert"] == name)
        entry.update(change)
        for one in catalogue["metrics"]:
            if metric and one["name"] == entry["metric"]:
                one.update(metric)
        with self.assertRaises(SystemExit) as refused:
            table = tables.Table(catalogue, document)
            for theme in table.about:
                rules.rules_file(theme, table)
                promtool_tests.file_of(theme, table)
        self.assertIn(expected, str(refused.exception))

    def test_are_refused(self):
        index = "PgIntegrityIndexCorrupt"
        self.refuses("no key `severty`", index, {"severty": "critical"})
        self.refuses("no metric pg_integrity_x", index, {"metric": "pg_integrity_x"})
        self.refuses("no metric with an expectation", index, {"metric": "pg_integrity_objects"})
        self.refuses("has no value for the label planet", index, {}, {"labels": ["server", "database", "planet"],
                                                                      "says": "It is wrong."})
        self.refuses("has {planet}", index, {}, {"says": "{planet} is wrong."})
        self.refuses("has {database}", "PgIntegrityBackupFailures", {}, {"says": "{database} is wrong."})
        self.refuses("write an expression for the expectation 7", index, {}, {"should_be": {"equals": 7}})


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    CATALOGUE = json.loads(subprocess.check_output([PROGRAM, "catalogue", "--format", "json"]))
    unittest.main()
