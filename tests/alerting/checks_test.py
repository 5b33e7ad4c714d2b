#!/usr/bin/env python3
"""Shows that the checks beside this file can fail. Plants once each defect that they are for.

    tests/alerting/checks_test.py PROGRAM
"""
import copy
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

import contract
import dashboard_lint
import promql

HOUSE = None
BOARDS = dashboard_lint.read_boards()
OVERVIEW = "pg-integrity-overview.json"


class Lint(unittest.TestCase):
    """Each method breaks a copy of the overview and names the message that it must cause."""

    def finds(self, expected, change):
        boards = copy.deepcopy(BOARDS)
        board = boards[OVERVIEW]
        change(board)
        problems = ["%s: %s" % found for found in dashboard_lint.lint(boards)]
        self.assertTrue(any(expected in problem for problem in problems), problems)

    def panel(self, change):
        return lambda board: change(dashboard_lint.panels_of(board)[0])

    def row(self, change):
        return lambda board: change(next(one for one in board["panels"] if one["type"] == "row" and one["panels"]))

    def a_table(self, change):
        return lambda board: change(next(one for one in board["panels"] if one["type"] == "table"))

    def test_nothing_is_wrong_as_it_is(self):
        self.assertEqual(list(dashboard_lint.lint(BOARDS)), [])
        self.assertEqual(dashboard_lint.type_check(BOARDS), "")

    def test_what_grafana_would_not_import_or_keep(self):
        self.finds("schemaVersion", lambda board: board.update(schemaVersion=16))
        self.finds("no stable uid", lambda board: board.update(uid="x"))
        self.finds("its id is of one Grafana", lambda board: board.update(id=7))
        self.finds("breaks provisioning", lambda board: board.update(__inputs=[]))
        self.finds("no links to its siblings", lambda board: board.update(links=[]))
        self.finds("alerts are not annotated", lambda board: board["annotations"].update(list=[]))
        self.finds("a link to no dashboard", self.panel(lambda one: one["links"][0].update(url="/d/pg-other")))

    def test_variables(self):
        self.finds("$server is not defined", lambda board: board["templating"]["list"].pop(2))
        self.finds("data source, multi", lambda board: board["templating"]["list"][1].update(multi=False))
        self.finds("variable more is not used", lambda board: board["templating"]["list"].append(
            {"type": "textbox", "name": "more", "label": "More"}))
        self.finds("the watchdog tells", lambda board: board["templating"]["list"][-1].update(definition=""))

    def test_layout(self):
        self.finds("lies on", self.panel(lambda one: one["gridPos"].update(w=7)))
        self.finds("there is a hole", self.panel(lambda one: one["gridPos"].update(w=4)))
        self.finds("not equally high", self.panel(lambda one: one["gridPos"].update(h=2)))
        self.finds("lies on", self.row(lambda one: one["panels"][0]["gridPos"].update(h=20)))
        self.finds("there is a hole", self.row(lambda one: one["panels"].pop(0)))
        self.finds("an open row hides no panels", self.row(lambda one: one.update(collapsed=False)))
        self.finds("of them shown", lambda board: board["panels"].extend(board["panels"][:9]))

    def test_panels(self):
        self.finds("no title or description", self.panel(lambda one: one.update(description="")))
        self.finds("never green", self.panel(lambda one: one["fieldConfig"]["defaults"].pop("noValue")))
        self.finds("unit", self.panel(lambda one: one["fieldConfig"]["defaults"].update(unit="parsecs")))
        self.finds("left to Grafana's defaults", self.panel(lambda one: one["fieldConfig"]["defaults"].pop("color")))
        self.finds("not the variable", self.panel(lambda one: one["datasource"].update(uid="mine")))
        self.finds("VIOLATED is #009E73", self.panel(
            lambda one: one["fieldConfig"]["defaults"]["mappings"][0]["options"]["2"].update(color="#009E73")))
        self.finds("not all can tell", self.panel(
            lambda one: one["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(color="#00FF00")))
        self.finds("chosen instance", self.panel(lambda one: one["targets"][0].update(expr="pg_integrity_up")))
        self.finds("without $__rate_interval", self.panel(lambda one: one["targets"][0].update(
            expr='rate(pg_integrity_collector_runs_total{instance=~"$instance"}[5m])')))
        self.finds("a counter without a rate", self.panel(lambda one: one["targets"][0].update(
            expr='pg_integrity_collector_runs_total{instance=~"$instance"}')))
        self.finds("legend has a label", self.panel(lambda one: one["targets"][0].update(
            expr='sum by (server) (pg_integrity_up{instance=~"$instance"})', legendFormat="{{database}}")))

    def test_tables(self):
        self.finds("of different labels", self.a_table(lambda one: one["targets"][0].update(
            expr='max by (instance, server) (pg_integrity_up{instance=~"$instance"})')))
        self.finds("an override of no field", self.a_table(
            lambda one: one["fieldConfig"]["overrides"][0]["matcher"].update(options="nothing")))
        self.finds("shown as numbers", self.a_table(lambda one: one["fieldConfig"]["defaults"].update(unit="locale")))
        self.finds("has the words for an empty panel", self.a_table(self.without("noValue")))
        self.finds("has no unit", self.a_table(self.without("unit")))
        self.finds("the colour of a state", self.a_table(self.without("mappings")))

    @staticmethod
    def without(key):
        """Takes a property from the overrides of a table."""
        def change(one):
            for override in one["fieldConfig"]["overrides"]:
                override["properties"] = [each for each in override["properties"] if each["id"] != key]
        return change

    def test_pictures(self):
        with tempfile.TemporaryDirectory() as work:
            folder = pathlib.Path(work) / "dashboards"
            shutil.copytree(contract.ROOT / "dashboards", folder)
            self.assertEqual(list(dashboard_lint.lint_pictures(folder)), [])
            with (folder / OVERVIEW).open("a") as file:
                file.write(" ")
            self.finds_picture("are stale", folder)
            (folder / "pictures/overview-dark.png").rename(folder / "pictures/other.png")
            self.finds_picture("overview-dark.png is missing", folder)
            (folder / "pictures/other.png").write_bytes(bytes(dashboard_lint.PICTURE))
            self.finds_picture("bytes", folder)

    def finds_picture(self, expected, folder):
        problems = ["%s: %s" % found for found in dashboard_lint.lint_pictures(folder)]
        self.assertTrue(any(expected in problem for problem in problems), problems)

    def test_types(self):
        boards = copy.deepcopy(BOARDS)
        dashboard_lint.panels_of(boards[OVERVIEW])[0]["targets"][0]["expr"] = "rate(up)"
        self.assertIn("expected type range vector", dashboard_lint.type_check(boards))


class Contract(unittest.TestCase):
    def finds(self, expected, check, change):
        house = copy.deepcopy(HOUSE)
        change(house)
        problems = list(check(house))
        self.assertTrue(any(expected in problem for problem in problems), problems)

    @staticmethod
    def first_rule(house):
        return house.rules()[0][1]

    def rule(self, **changes):
        return lambda house: self.first_rule(house).update(changes)

    def notes(self, **changes):
        return lambda house: self.first_rule(house)["annotations"].update(changes)

    def test_rules(self):
        check = contract.check_rules
        self.finds("not a name", check, self.rule(alert="PgIntegrity" + "Long" * 8))
        self.finds("twice", check, self.rule(alert=HOUSE.rules()[1][1]["alert"]))
        self.finds("no such severity", check, self.rule(labels={"severity": "bad", "component": "audit"}))
        self.finds("`for`", check, self.rule(**{"for": "10m"}))
        self.finds("a threshold", check, self.rule(expr="pg_integrity_unaudited_deletes > 7"))
        self.finds("no metric", check, self.rule(expr="pg_integrity_nonsense > 0"))
        self.finds("no label", check, self.rule(expr='pg_integrity_up{kind="a"} > 0'))
        self.finds("has the label", check, self.rule(expr="sum by (kind) (pg_integrity_up) > 0"))
        self.finds("fixed sentence", check, self.notes(summary="{{ $value }}"))
        self.finds("the alert has not", check, self.notes(description="{{ $labels.kind }}"))

        def grow(house):
            group = house.groups["audit.rules.yml"][0]
            group["rules"] *= 3

        self.finds("rules in a group", check, grow)

    def test_records(self):
        def record(**changes):
            return lambda house: house.records()[0][1].update(changes)

        check = contract.check_records
        self.finds("is used and not recorded", check, record(record="job:pg_integrity_up:other"))
        self.finds("no rule uses it", check, record(record="job:pg_integrity_up:other"))
        self.finds("level:metric:operations", check, record(record="seen"))
        self.finds("no metric", check, record(expr="time() + pg_integrity_nonsense"))

    def test_what_is_judged(self):
        self.finds("nothing alerts on it", contract.check_judged,
                   lambda house: house.groups["audit.rules.yml"][0]["rules"].pop(0))

    def test_runbooks(self):
        check = contract.check_runbooks
        self.finds("has no runbook", check, lambda house: house.runbooks.pop("PgIntegrityApiDown"))
        self.finds("no such alert", check, lambda house: house.runbooks.update(PgIntegrityOther="# PgIntegrityOther\n"))
        self.finds("it begins with", check, lambda house: house.runbooks.update(PgIntegrityApiDown="# PgIntegrityApiDown\n"))

        def replace(old, new):
            def change(house):
                text = house.runbooks["PgIntegrityFutureRows"]
                self.assertIn(old, text)
                house.runbooks["PgIntegrityFutureRows"] = text.replace(old, new, 1)
            return change

        self.finds("it begins with", check, replace("```sh\n", "```sh repairs\n"))
        self.finds("it begins with", check, replace("**Cost:** ", ""))
        self.finds("longer than", check, replace("**Cost:** ", "**Cost:** " + "Words. " * 40))
        self.finds("its headings", check, replace("## Over", "## Later"))
        self.finds("its causes", check, replace("1. ", "- "))
        self.finds("$BANANA is no label", check, replace('"$TABLE"', '"$TABLE" "$BANANA"'))
        self.finds("does not say what $PID is", check, replace("```sh\n", "```sh\nkill $PID\n"))
        self.finds("another kind", check, replace("```promql", "```sql"))
        self.finds("no alert", check, replace("## Over", "[x](PgIntegrityOther.md)\n\n## Over"))
        self.finds("only the demo", check, replace("$TABLE", "UserProfile"))
        self.finds("no metric", check, replace("pg_integrity_clock_offset_seconds", "pg_integrity_nonsense"))
        self.finds("which none uses", check, lambda house: setattr(
            house, "runbook_guide", house.runbook_guide + "| `BANANA` | a fruit |\n"))

    def test_message_variables(self):
        check = contract.check_message_variables
        self.finds("do not set the variable of table", check, lambda house: setattr(
            house, "templates", house.templates.replace("|table|", "|")))
        self.finds("a variable for home", check, lambda house: setattr(
            house, "templates", house.templates.replace("|table|", "|table|home|")))

    def test_tests(self):
        def without(key, value):
            def change(house):
                for test in house.tests:
                    for case in test.get("alert_rule_test", ()):
                        if case["alertname"] == "PgIntegrityApiDown" and bool(case["exp_alerts"]) == value:
                            case["alertname"] = key
            return change

        self.finds("PgIntegrityApiDown firing", contract.check_tests, without("PgIntegrityApiSlow", True))
        self.finds("PgIntegrityApiDown silent", contract.check_tests, without("PgIntegrityApiSlow", False))
        self.finds("PgIntegrityApiDown resolving", contract.check_tests, without("PgIntegrityApiSlow", False))

    def test_usage(self):
        self.finds("is used by no alert and no panel", contract.check_usage,
                   lambda house: house.dashboards.pop("pg-integrity-sync.json"))
        self.finds("there is no metric", contract.check_usage, lambda house: house.dashboards[OVERVIEW]["panels"][0]
                   ["targets"][0].update(expr="pg_integrity_nonsense"))

    def test_alertmanager(self):
        self.finds("which no alert has", contract.check_alertmanager, lambda house: house.alertmanager[
            "inhibit_rules"][0].update(equal=["planet"]))
        self.finds("matches no alertname", contract.check_alertmanager, lambda house: house.alertmanager[
            "inhibit_rules"][0].update(source_matchers=["alertname = PgIntegrityOther"]))

    def test_order(self):
        def swap(house):
            rules = house.groups["recovery.rules.yml"][0]["rules"]
            rules.insert(0, rules.pop(next(
                index for index, rule in enumerate(rules) if rule["alert"] == "PgIntegrityBackupOverdue")))

        self.finds("PgIntegrityBackupOverdue mutes PgIntegrityBackupFailures", contract.check_order, swap)
        self.finds("PgIntegrityExporterDown mutes PgIntegrityExporterAbsent and comes after it", contract.check_order,
                   lambda house: house.groups["exporter.rules.yml"][0]["rules"].reverse())
        self.finds("PgIntegrityReplicaDown mutes PgIntegrityObjectiveUnknown", contract.check_order,
                   lambda house: [rule.pop("keep_firing_for", None) for _, rule in house.rules()])

    def test_strings_are_no_metrics(self):
        self.assertEqual(promql.metrics('a{b="pg_integrity_up"} + pg_integrity_up{server="{"}'), {"pg_integrity_up"})


class Kubernetes(unittest.TestCase):
    """The twins say the same as the files."""

    def test_rules(self):
        groups = [group for name in sorted(HOUSE.groups) for group in HOUSE.groups[name]]
        twin = yaml.safe_load((contract.ROOT / "deploy/kubernetes/prometheus-rule.yaml").read_text())
        self.assertEqual(twin["kind"], "PrometheusRule")
        self.assertEqual(twin["spec"]["groups"], groups)

    def test_dashboards(self):
        twins = {}
        for document in yaml.safe_load_all((contract.ROOT / "deploy/kubernetes/dashboards.yaml").read_text()):
            self.assertEqual(document["kind"], "ConfigMap")
            twins.update({name: json.loads(text) for name, text in document["data"].items()})
        self.assertEqual(twins, BOARDS)

    def test_examples_run_drills_as_nobody(self):
        text = (contract.ROOT / "deploy/kubernetes/examples/drills.yaml").read_text()
        jobs = [document for document in yaml.safe_load_all(text) if document["kind"] == "CronJob"]
        self.assertEqual(len(jobs), 2)
        for job in jobs:
            self.assertEqual(job["spec"]["concurrencyPolicy"], "Forbid")
            pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            self.assertTrue(pod["securityContext"]["runAsNonRoot"])
            self.assertFalse(pod["automountServiceAccountToken"])
            (container,) = pod["containers"]
            self.assertEqual(container["args"][0], "drill")
            self.assertTrue({mount["name"] for mount in container["volumeMounts"]}
                            <= {volume["name"] for volume in pod["volumes"]})


if __name__ == "__main__":
    HOUSE = contract.House(json.loads(subprocess.check_output([sys.argv.pop(1), "catalogue", "--format", "json"])))
    unittest.main()
