#!/usr/bin/env python3
"""Renders what the pager and the tickets say in the demo's worst night: the alerts that the rules raise on the report's
day, with the sentences that promtool fills in. The text is beside this file, so that a change of it is seen.

    tests/alerting/worst_night_test.py
    tests/alerting/worst_night_test.py --write   writes worst_night.txt anew
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

import messages_test

TEXT = pathlib.Path(__file__).with_name("worst_night.txt")
REPLAY = messages_test.ALERTS / "tests" / "mission_replay_test.yml"
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def pairs(text):
    return {name: value.encode().decode("unicode_escape") for name, value in PAIR.findall(text)}


def alerts_of_the_day():
    """The firing alerts. promtool tells what it has got instead of none."""
    document = yaml.safe_load(REPLAY.read_text(encoding="utf-8"))
    day = document["tests"][0]
    samples = [one for case in day.pop("promql_expr_test") for one in case["exp_samples"]]
    names = sorted({pairs(one["labels"])["alertname"] for one in samples})
    day["alert_rule_test"] = [{"alertname": name, "eval_time": "30m", "exp_alerts": []} for name in names]
    document["tests"] = [day]
    document["rule_files"] = [str((REPLAY.parent / path).resolve()) for path in document["rule_files"]]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump(document, file)
        file.flush()
        told = subprocess.run(["promtool", "test", "rules", file.name], capture_output=True, text=True, check=False)
    found = re.findall(r"^\s*Labels:\{(.*)\}\n\s*Annotations:\{(.*)\}", told.stdout + told.stderr, re.M)
    alerts = [{"status": "firing", "labels": pairs(labels), "annotations": pairs(notes)} for labels, notes in found]
    if len(alerts) != len(samples):
        raise AssertionError("%d alerts, not %d:\n%s" % (len(alerts), len(samples), told.stdout + told.stderr))
    return alerts


def night():
    """The groups that Alertmanager makes of them, by severity: title and text."""
    templates = messages_test.receivers()
    text = ""
    for severity, receiver, title, body in (
            ("critical", "pager", "description", "firing"), ("warning", "tickets", "title", "text")):
        alerts = [one for one in alerts_of_the_day() if one["labels"]["severity"] == severity]
        data = messages_test.group(alerts)
        text += "=== %s ===\n%s\n\n%s\n\n" % (
            receiver, messages_test.rendered(templates[receiver, title], data).strip(),
            messages_test.rendered(templates[receiver, body], data).strip())
    return text


class WorstNight(unittest.TestCase):
    def test_says_what_is_wrong(self):
        pager, tickets = night().split("=== tickets ===")
        self.assertRegex(pager, r"=== pager ===\n13 critical alerts on tovplay: [A-Z].*\.\n")
        for sentence in ("The newest auto backup of backup-log is 7d 13h", "Not every truncate of public.User is audited"):
            self.assertIn(sentence, pager)
        self.assertIn("The count of the endpoint total differs by 3 rows from the database.", tickets)
        self.assertEqual(pager.count("  export "), 13)

    def test_is_the_text_that_was_read(self):
        self.assertEqual(night(), TEXT.read_text(encoding="utf-8"), "HINT: read it, then run it with --write")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        TEXT.write_text(night(), encoding="utf-8")
    else:
        unittest.main()
