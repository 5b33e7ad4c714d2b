#!/usr/bin/env python3
"""Renders what Alertmanager's receivers send, with amtool, for groups of alerts as the rules raise them.

    tests/alerting/messages_test.py
    tests/alerting/messages_test.py --show NUMBER   prints title and text of a group with so many alerts
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALERTS = ROOT / "alerts"
CONFIG = yaml.safe_load((ALERTS / "alertmanager.yml").read_text(encoding="utf-8"))
# Fields of receivers that people read first, and those that have the whole message.
TITLES = {("pager", "description"), ("tickets", "title"), ("tickets", "fallback")}
TEXTS = {("pager", "firing"), ("tickets", "text")}
# What the title was before there were templates. It is empty where alerts have several names.
BEFORE = "{{ .CommonLabels.alertname }} {{ .CommonLabels.server }}: {{ .CommonAnnotations.summary }}"


def templates_of(value, name=""):
    """Each templated field in a receiver, with the name of the field."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from templates_of(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from templates_of(inner, name)
    elif isinstance(value, str) and "{{" in value:
        yield name, value


def receivers():
    return {(receiver["name"], name): text for receiver in CONFIG["receivers"] for name, text in templates_of(receiver)}


def alerts_of_rules():
    """An alert of each rule, with the labels and annotations that its test expects."""
    found = {}
    for path in sorted((ALERTS / "tests").glob("*_test.yml")):
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for case in test.get("alert_rule_test", ()):
                for one in case["exp_alerts"]:
                    labels = {"alertname": case["alertname"], **one["exp_labels"]}
                    found.setdefault(case["alertname"], {
                        "status": "firing", "labels": labels, "annotations": one["exp_annotations"]})
    return found


def common(dictionaries):
    first = dictionaries[0]
    return {key: value for key, value in first.items() if all(one.get(key) == value for one in dictionaries)}


def group(alerts, resolved=()):
    """The data of a notification, as Alertmanager makes it, in its order."""
    everything = sorted([*alerts, *resolved], key=lambda one: (len(one["labels"]), sorted(one["labels"].items())))
    labels = common([one["labels"] for one in everything])
    return {
        "receiver": "pager", "status": "firing" if alerts else "resolved", "externalURL": "http://alertmanager.example",
        "groupLabels": {key: labels[key] for key in ("severity", "server") if key in labels}, "commonLabels": labels,
        "commonAnnotations": common([one["annotations"] for one in everything]), "alerts": everything}


def rendered(text, data):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        return subprocess.check_output(
            ["amtool", "template", "render", "--template.glob=%s" % (ALERTS / CONFIG["templates"][0]),
             "--template.text=" + text, "--template.data=" + file.name], text=True, stderr=subprocess.STDOUT)


class Messages(unittest.TestCase):
    def setUp(self):
        self.alerts = alerts_of_rules()
        self.templates = receivers()

    def night(self, number, severity="critical"):
        """So many alerts of one server, of at least three names if there are as many."""
        kinds = [one for one in self.alerts.values()
                 if one["labels"]["severity"] == severity and "server" in one["labels"]]
        alerts = []
        for index in range(number):
            one = kinds[index % min(len(kinds), max(3, number // 3))]
            labels = {**one["labels"], "server": "shop", "instance": "db%d:10187" % (index // 3)}
            alerts.append({**one, "labels": labels})
        return alerts

    def test_every_field_that_people_read_is_tried(self):
        self.assertEqual({name for name, text in self.templates.items() if "pg_integrity." in text}, TITLES | TEXTS)

    def test_a_title_has_number_server_and_first_sentence(self):
        for name in sorted(TITLES):
            for number in (1, 3, 30):
                with self.subTest(receiver=name, number=number):
                    data = group(self.night(number))
                    if number > 1:
                        self.assertGreaterEqual(len({one["labels"]["alertname"] for one in data["alerts"]}), 3)
                    title = rendered(self.templates[name], data)
                    self.assertRegex(title, r"^%d critical alerts? on shop: [A-Z0-9].*\.$" % number)
                    self.assertNotIn("\n", title)
                    sentences = [one["annotations"]["description"].split(": ", 1)[-1] for one in data["alerts"]]
                    self.assertTrue(any(one.startswith(title.split(": ", 1)[1]) for one in sentences), title)

    def test_the_title_of_before_would_not_do(self):
        self.assertRegex(rendered(BEFORE, group(self.night(3))), r"^ shop: $")

    def test_a_text_has_every_alert_with_what_to_open_and_paste(self):
        for name in sorted(TEXTS):
            for number in (1, 3, 20):
                with self.subTest(receiver=name, number=number):
                    text = rendered(self.templates[name], group(self.night(number)))
                    self.assertTrue(text.startswith("%d critical alert" % number), text)
                    self.assertEqual(len(re.findall(r"^- PgIntegrity\w+: ", text, re.M)), number)
                    self.assertEqual(len(re.findall(r"^  Runbook: \S+\.md$", text, re.M)), number)
                    self.assertEqual(len(re.findall(r"^  export .*SERVER='shop'", text, re.M)), number)

    def test_a_long_text_says_how_many_it_leaves_out(self):
        text = rendered(self.templates["tickets", "text"], group(self.night(30)))
        self.assertRegex(text, r"^30 critical alerts on shop, of which these are the first 20\. All are at http://")
        self.assertEqual(len(re.findall(r"^- PgIntegrity", text, re.M)), 20)

    def test_what_is_down_is_the_first_sentence(self):
        alerts = self.night(5)
        down = self.alerts["PgIntegrityDatabaseDown"]
        alerts.append({**down, "labels": {**down["labels"], "server": "shop", "zone": "a", "more": "labels", "most": "b"}})
        title = rendered(self.templates["pager", "description"], group(alerts))
        self.assertIn(down["annotations"]["description"].split(": ", 1)[1], title)

    def test_each_kind_of_alert_alone_has_a_title(self):
        kinds = {}
        for alert in self.alerts.values():
            labels = alert["labels"]
            odd = labels["alertname"] if "server" not in labels else ""
            kinds[labels["component"], labels["severity"], "database" in labels, odd] = alert
        self.assertGreater(len(kinds), 10)
        for kind, alert in sorted(kinds.items()):
            with self.subTest(kind=kind):
                title = rendered(self.templates["pager", "description"], group([alert]))
                where = alert["labels"].get("server") or alert["labels"].get("instance") or "several servers"
                self.assertRegex(title, r"^1 \w+ alert on %s: \S.*\.$" % re.escape(where))

    def test_resolved(self):
        over = [{**one, "status": "resolved"} for one in self.night(3)]
        self.assertRegex(rendered(self.templates["tickets", "title"], group([], over)), r"^Over: 3 critical alerts on shop: ")
        text = rendered(self.templates["tickets", "text"], group(self.night(1), over[1:]))
        self.assertRegex(text, r"(?s)^1 critical alert on shop:\n- .*\n2 over:\n- ")

    def test_alerts_of_other_rules(self):
        other = {"status": "firing", "labels": {"alertname": "DiskFull"}, "annotations": {}}
        title = rendered(self.templates["tickets", "title"], group([other]))
        self.assertEqual(title, "1 alert on several servers: DiskFull")
        self.assertNotIn("export", rendered(self.templates["tickets", "text"], group([other])))

    def test_a_name_cannot_leave_its_quotes(self):
        (alert,) = self.night(1)
        name = "a'; touch /tmp/x; '$(id)`id`\\"
        alert = {**alert, "labels": {**alert["labels"], "table": name, "path": "/srv", "home": "/x"}}
        text = rendered(self.templates["pager", "firing"], group([alert]))
        line = re.search(r"^  (export .*)$", text, re.M)[1]
        said = subprocess.check_output(
            ["bash", "-c", line + '\nprintf "%s|%s|%s" "$TABLE" "$DIRECTORY" "$HOME"'], text=True, env={"HOME": "/root"})
        self.assertEqual(said, name + "|/srv|/root")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--show":
        test = Messages()
        test.setUp()
        night = group(test.night(int(sys.argv[2])))
        for field in (("pager", "description"), ("pager", "firing")):
            print(rendered(test.templates[field], night))
    else:
        unittest.main()
