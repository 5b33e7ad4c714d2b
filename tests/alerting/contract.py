#!/usr/bin/env python3
"""Compares alerts/, their runbooks and tests, and dashboards/ with the catalogue of the exporter's metrics. It checks
only what no generator checks. tests/regenerate.sh --check runs before it, and checks that generated files are current.

    tests/alerting/contract.py PROGRAM
"""
import json
import pathlib
import re
import subprocess
import sys

import yaml

import dashboard_lint
import promql
import runbook_shape

ROOT = pathlib.Path(__file__).resolve().parents[2]
WATCHDOG = "PgIntegrityWatchdog"
# Labels that a rule makes itself.
MADE = {"objective", "family", "since"}

# Metrics that no alert and no panel shows.
UNUSED = {
    "pg_integrity_audited_statements": "the next pass compares with it",
    "pg_integrity_audited_table_identity": "the next pass compares with it",
    "pg_integrity_restore_drill_phase_bytes": "it is there while a drill runs, for who waits for it",
    "pg_integrity_restore_drill_phase_ratio": "it is there while a drill runs, for who waits for it",
    "pg_integrity_subscribed_sequence_behind_values": "it is right on a subscriber that only copies"}
# Alerts about missed scrapes or vanished series. Their tests need not fire through one.
ABOUT_ABSENCE = {
    WATCHDOG, "PgIntegrityExporterAbsent", "PgIntegrityExporterDown", "PgIntegrityDatabaseGone",
    "PgIntegrityCollectorGone", "PgIntegrityObjectsGone", "PgIntegritySeriesMissing", "PgIntegrityObjectiveUnknown",
    "PgIntegrityUnproven"}


class House:
    """The checked files, read once. Tests of the checks change a copy."""

    def __init__(self, catalogue):
        self.catalogue = promql.Catalogue(catalogue)
        alerts = ROOT / "alerts"
        self.groups = {}
        for path in sorted(alerts.glob("*.rules.yml")):
            self.groups[path.name] = yaml.safe_load(path.read_text())["groups"]
        self.runbooks = {path.stem: path.read_text() for path in (alerts / "runbooks").glob("*.md")}
        self.runbook_guide = self.runbooks.pop("README")
        self.templates = (alerts / "pg_integrity.tmpl").read_text()
        self.demo = (ROOT / "deploy/demo/database.sql").read_text()
        self.tests = []
        for path in sorted((alerts / "tests").glob("*_test.yml")):
            self.tests += yaml.safe_load(path.read_text())["tests"]
        self.alertmanager = yaml.safe_load((alerts / "alertmanager.yml").read_text())
        self.dashboards = {
            path.name: json.loads(path.read_text()) for path in sorted((ROOT / "dashboards").glob("*.json"))}

    def rules(self):
        """Those that alert."""
        return [(name, rule) for name, rule in self.all_rules() if "alert" in rule]

    def all_rules(self):
        return [(name, rule) for name, groups in self.groups.items() for group in groups for rule in group["rules"]]

    def records(self):
        return [(name, rule) for name, rule in self.all_rules() if "record" in rule]

    def panel_expressions(self):
        """Dashboard, panel and expression. Annotations and variables count as panels without a title."""
        for name, board in self.dashboards.items():
            for panel in dashboard_lint.panels_of(board):
                for target in panel["targets"]:
                    yield name, panel["title"], target["expr"]
            for annotation in board["annotations"]["list"]:
                if "expr" in annotation:
                    yield name, "", annotation["expr"]
            for variable in board["templating"]["list"]:
                inner = re.match(r"label_values\((.*), (\w+)\)$", variable.get("definition", ""))
                if inner:
                    yield name, "", "group by (%s) (%s)" % (inner[2], inner[1])


def check_rules(house):
    seen = set()
    for file, groups in house.groups.items():
        for group in groups:
            if len(group["rules"]) > 20:
                yield "%s: %d rules in a group" % (file, len(group["rules"]))
    for file, rule in house.rules():
        name = rule.get("alert", "")
        say = "%s: %s: " % (file, name)
        if not re.fullmatch(r"PgIntegrity([A-Z][a-z]+)+", name) or len(name) > 40:
            yield say + "not a name of an alert"
        if name in seen:
            yield say + "twice"
        seen.add(name)
        if rule["labels"]["severity"] not in ({"none"} if name == WATCHDOG else {"critical", "warning", "info"}):
            yield say + "no such severity"
        if rule.get("for") not in ({None} if name == WATCHDOG else {"2m", "5m"}):
            yield say + "`for` is 2m or 5m"
        for number in re.findall(r"[<>]=?\s*(?:bool\s*)?(-?[\d.]+)", promql.without_strings(rule["expr"])):
            if float(number) not in (0, 1):
                yield say + "a threshold: %s" % number
        for problem in house.catalogue.problems(rule["expr"]):
            yield say + problem
        yield from check_annotations(house, rule, say)


def check_records(house):
    """Each recorded name has a level, a metric and operations, its expression is right, and a rule uses it."""
    used = set()
    for _, rule in house.all_rules():
        used |= promql.recorded(rule["expr"])
    known = {rule["record"] for _, rule in house.records()}
    for file, rule in house.records():
        say = "%s: %s: " % (file, rule["record"])
        level, metric, operations = (rule["record"].split(":") + ["", ""])[:3]
        if not (level and operations and house.catalogue.labels_of(metric)):
            yield say + "its name is level:metric:operations"
        if rule["record"] not in used:
            yield say + "no rule uses it"
        for problem in house.catalogue.problems(rule["expr"]):
            yield say + problem
    for name in sorted(used - known):
        yield "%s is used and not recorded" % name


def check_annotations(house, rule, say):
    notes = rule["annotations"]
    if not re.fullmatch(r"[A-Z][^{}]*\.", notes.get("summary", "")):
        yield say + "the summary is a fixed sentence"
    if "{{" not in notes.get("description", ""):
        yield say + "the description says nothing of its alert"
    # `database` is empty for metrics of a whole server, as in the exporter.
    known = MADE | promql.Catalogue.TARGET | {"database"}
    for metric in promql.metrics(rule["expr"]) | promql.families(rule["expr"]):
        known |= house.catalogue.labels_of(metric) or set()
    for text in notes.values():
        for label in re.findall(r"\$labels\.(\w+)", text):
            if label not in known:
                yield say + "an annotation has a label that the alert has not: %s" % label


def check_judged(house):
    """Every expectation has an alert, and every limit of it is in that alert's rule."""
    alerted = set()
    for _, rule in house.rules():
        alerted |= promql.metrics(rule["expr"])
    for name in sorted(house.catalogue.judged()):
        if name not in alerted:
            yield "%s should be something, and nothing alerts on it" % name
        for limit in house.catalogue.by_name[name]["should_be"].values():
            if isinstance(limit, str) and limit not in alerted:
                yield "%s is an objective, and no rule compares with it" % limit


def check_runbooks(house):
    names = {rule["alert"] for _, rule in house.rules()}
    for name in sorted(names - set(house.runbooks)):
        yield "%s has no runbook" % name
    for name in sorted(set(house.runbooks) - names):
        yield "runbook %s: there is no such alert" % name
    labels = {rule["alert"]: labels_of(house, rule) for _, rule in house.rules()}
    others = runbook_shape.other_variables(house.runbook_guide)
    demo = runbook_shape.names_of_demo(house.demo)
    used = set()
    for name, text in sorted(house.runbooks.items()):
        for problem in runbook_shape.problems(name, text, labels.get(name, set()), others, demo, names):
            yield "runbook %s: %s" % (name, problem)
        for query in re.findall(r"```promql\n(.*?)```", text, re.S):
            for line in query.splitlines():
                for problem in house.catalogue.problems(line.split("#")[0]):
                    yield "runbook %s: %s" % (name, problem)
        used |= runbook_shape.variables_of(text)
    for variable in sorted(others - used):
        yield "the guide of the runbooks explains %s, which none uses" % variable


def labels_of(house, rule):
    """The labels that alerts of the rule may have, without the target's job."""
    found = MADE | {"instance", "database"}
    for metric in promql.metrics(rule["expr"]) | promql.families(rule["expr"]):
        found |= house.catalogue.labels_of(metric) or set()
    return found - {"job"}


def check_message_variables(house):
    """Messages set each label that a runbook uses as a variable, and no label that a shell has already."""
    allowed = set(re.search(r"\$names := \"\^\(([a-z_|]+)\)\$\"", house.templates)[1].split("|"))
    for _, rule in house.rules():
        used = runbook_shape.variables_of(house.runbooks.get(rule["alert"], ""))
        for label in sorted(labels_of(house, rule)):
            if runbook_shape.variable_of(label) in used - {"INSTANCE"} and label not in allowed:
                yield "messages do not set the variable of %s, which the runbook of %s uses" % (label, rule["alert"])
    known = MADE | promql.Catalogue.TARGET
    for name in house.catalogue.by_name:
        known |= house.catalogue.labels_of(name)
    for label in sorted(allowed - known):
        yield "messages set a variable for %s, which no alert has" % label


def check_tests(house):
    """Each alert is tested silent, firing with exact labels and annotations, resolved, and through a missed scrape."""
    fires, silent_before, resolves, gap, vanished = set(), set(), set(), set(), set()
    for test in house.tests:
        values = " ".join(series["values"] for series in test["input_series"])
        fired = set()
        for case in sorted(test.get("alert_rule_test", ()), key=lambda case: int(case["eval_time"][:-1])):
            name = case["alertname"]
            if case["exp_alerts"]:
                fires.add(name)
                fired.add(name)
                if any("summary" not in one.get("exp_annotations", {}) for one in case["exp_alerts"]):
                    yield "a test of %s does not tell its annotations" % name
                if re.search(r"(^|\s)_", values):
                    gap.add(name)
                if "stale" in values:
                    vanished.add(name)
            else:
                (resolves if name in fired else silent_before).add(name)
    for _, rule in house.rules():
        name = rule["alert"]
        if name not in fires:
            yield "no test shows %s firing" % name
        if name == WATCHDOG:
            continue
        if name not in silent_before:
            yield "no test shows %s silent before it fires" % name
        if name not in resolves:
            yield "no test shows %s resolving" % name
        if name in ABOUT_ABSENCE:
            continue
        if name not in gap:
            yield "no test shows %s firing through a missed scrape" % name
        if name not in vanished:
            yield "no test shows %s when its series vanish" % name


def check_usage(house):
    """Every name and label exists. Every metric is used, or listed with a reason."""
    used = set()
    for _, rule in house.rules():
        used |= promql.metrics(rule["expr"]) | promql.families(rule["expr"])
    for name, title, expression in house.panel_expressions():
        used |= promql.metrics(expression)
        for problem in house.catalogue.problems(expression):
            yield "%s: %s: %s" % (name, title, problem)
    used = {house.catalogue.family(name) for name in used}
    for name in sorted(set(house.catalogue.by_name) - used - set(UNUSED)):
        yield "%s is used by no alert and no panel" % name
    for name in sorted(set(UNUSED) & used):
        yield "%s is said to be unused" % name
    for name in sorted(set(UNUSED) - set(house.catalogue.by_name)):
        yield "there is no metric %s to be unused" % name


def parts_of(matcher):
    """Label, operator and value of a matcher of Alertmanager."""
    return re.match(r'(\w+)\s*(=~|!~|!=|=)\s*"?(.*?)"?$', matcher).groups()


def check_alertmanager(house):
    """Inhibitions name alerts, components and labels that exist, and no alert mutes itself."""
    names = {rule["alert"] for _, rule in house.rules()}
    components = {rule["labels"]["component"] for _, rule in house.rules()}
    labels = {"alertname", "severity", "component"} | MADE | promql.Catalogue.TARGET
    for metric in house.catalogue.by_name:
        labels |= house.catalogue.labels_of(metric)
    for rule in house.alertmanager["inhibit_rules"]:
        matchers = rule["source_matchers"] + rule["target_matchers"]
        for matcher in matchers:
            label, operator, value = parts_of(matcher)
            if label not in labels:
                yield "an inhibition matches by %s, which no alert has" % label
            among = {"alertname": names, "component": components}.get(label)
            if among is None:
                continue
            words = [value] if operator in ("=", "!=") else re.sub(r"^\^|\$$", "", value).split("|")
            pattern = re.compile(value if "~" in operator else re.escape(value))
            if not any(pattern.fullmatch(one) for one in among):
                yield "an inhibition matches no %s: %s" % (label, matcher)
            if "(" not in value:
                for word in words:
                    if word not in among:
                        yield "an inhibition names no %s: %s" % (label, word)
        for label in rule.get("equal", ()):
            if label not in labels:
                yield "an inhibition compares %s, which no alert has" % label


def alerts_named(matchers, names):
    """The alerts that the matchers name. None if the matchers use other labels."""
    for matcher in matchers:
        label, operator, value = parts_of(matcher)
        if label == "alertname" and operator in ("=", "=~"):
            return [name for name in names if re.fullmatch(value, name)]
    return []


def check_order(house):
    """An alert that mutes another must start before it and end after it, or the other is sent for a moment.

    Prometheus evaluates and sends the rules of a group one after the other. So the muting rule has one of two places:

    - It fires longer (`keep_firing_for`), and stands before the other rule or in another group.
    - It stands after the other rule in the same group. Alertmanager delays the first alert of a group of alerts, but
      does not delay a resolved one.
    """
    place = {}
    for groups in house.groups.values():
        for group in groups:
            for index, rule in enumerate(group["rules"]):
                if "alert" not in rule:
                    continue
                place[rule["alert"]] = (group["name"], index, "keep_firing_for" in rule)
    for rule in house.alertmanager["inhibit_rules"]:
        for source in alerts_named(rule["source_matchers"], place):
            for target in alerts_named(rule["target_matchers"], place):
                group, index, longer = place[source]
                other_group, other_index, _ = place[target]
                if source == target:
                    continue
                if longer and group == other_group and index > other_index:
                    yield "%s mutes %s and comes after it" % (source, target)
                if not longer and (group != other_group or index < other_index):
                    yield "%s mutes %s and may end before it" % (source, target)


CHECKS = (
    check_rules, check_records, check_judged, check_runbooks, check_message_variables, check_tests, check_usage,
    check_alertmanager, check_order)


def main():
    house = House(json.loads(subprocess.check_output([sys.argv[1], "catalogue", "--format", "json"])))
    problems = [problem for check in CHECKS for problem in check(house)]
    for problem in problems:
        print("alerting contract: " + problem, file=sys.stderr)
    print("%d alerts, %d runbooks, %d dashboards, %d metrics, %d problems" % (
        len(house.rules()), len(house.runbooks), len(house.dashboards), len(house.catalogue.by_name), len(problems)))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
