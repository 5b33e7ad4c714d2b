#!/usr/bin/env python3
"""Holds that scale.py divides durations, all of them by one factor, and changes nothing else."""
import pathlib
import re
import sys
import unittest

import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scale  # noqa: E402  (beside this file)

FACTOR = 500
IN_EXPRESSION = re.compile(r"(?<![\w.])\d+(?:ms|[smhdw])(?!\w)")
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\w+|[^\s\w]', re.S)


def durations_of_rule(rule):
    """(the rule with a placeholder for each duration, the durations)"""
    found = []

    def take(text):
        found.append(scale.seconds_of(text))
        return "DURATION"

    plain = dict(rule)
    for key in ("for", "keep_firing_for"):
        if key in plain:
            plain[key] = take(plain[key])
    parts = re.split(r'("(?:[^"\\]|\\.)*")', plain["expr"])
    plain["expr"] = "".join(
        part if part.startswith('"') else IN_EXPRESSION.sub(lambda one: take(one[0]), part) for part in parts)
    return plain, found


def difference_of_rules(before, after, factor):
    """@return what differs beside durations, or how a duration is not divided by the factor; None if all is well"""
    before, after = yaml.safe_load(before), yaml.safe_load(after)
    if [{**group, "rules": 0} for group in before["groups"]] != [{**group, "rules": 0} for group in after["groups"]]:
        return "groups"
    for one, other in zip(before["groups"], after["groups"]):
        if len(one["rules"]) != len(other["rules"]):
            return "rules"
        for old, new in zip(one["rules"], other["rules"]):
            (old_plain, old_found), (new_plain, new_found) = durations_of_rule(old), durations_of_rule(new)
            if old_plain != new_plain:
                return old.get("alert") or old.get("record")
            if [round(seconds / factor, 6) for seconds in old_found] != [round(seconds, 6) for seconds in new_found]:
                return f"a duration of {old.get('alert') or old.get('record')}"
    return None


def difference_of_sources(path, before, after, factor):
    """@return the first token that differs and is no divided duration; None if there is none"""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    at = 0
    for token in old:
        # A divided number: "/ 500.0" follows it, with one "/" and three tokens of the number.
        while new[at] != token and new[at:at + 1] == ["/"] and new[at + 2:at + 3] == ["."]:
            by = float("".join(new[at + 1:at + 4]))
            if by != factor and not (by < factor and any(where == path for where, _ in scale.LEAST)):
                return f"divided by {by}"
            at += 4
        if new[at] != token:
            one, other = re.findall(r"\d+(?:ms|[smhdw])", token), re.findall(r"\d+(?:ms|[smhdw])", new[at])
            as_duration = len(one) == len(other) == 1 and round(
                scale.seconds_of(one[0]) / factor, 6) == round(scale.seconds_of(other[0]), 6)
            as_minute = token.replace("1 minute", f"{1 / factor} minute") == new[at]
            if not (as_duration or as_minute):
                return f"{token} became {new[at]}"
        at += 1
    return None if at == len(new) else "more at the end"


class Rules(unittest.TestCase):
    files = sorted((scale.ROOT / "alerts").glob("*.rules.yml"))

    def test_durations_alone_are_divided(self):
        self.assertEqual(len(self.files), 5)
        total = 0
        for path in self.files:
            scaled, count = scale.scaled_rules(path.read_text(), FACTOR)
            self.assertIsNone(difference_of_rules(path.read_text(), scaled, FACTOR), path.name)
            total += count
        self.assertGreater(total, 400)

    def test_other_changes_are_noticed(self):
        text = self.files[0].read_text()
        scaled = scale.scaled_rules(text, FACTOR)[0]
        for plant in (("severity: critical", "severity: info"), (" > 0", " > 1"), ("for: 240ms", "for: 241ms"),
                      ("[1800ms]", "[1801ms]")):
            self.assertIn(plant[0], scaled)
            self.assertIsNotNone(difference_of_rules(text, scaled.replace(*plant), FACTOR), plant)
        self.assertIsNotNone(difference_of_rules(text, text, FACTOR))


class Sources(unittest.TestCase):
    texts = dict(scale.sources())

    def test_durations_alone_are_divided(self):
        total = 0
        for path, text in self.texts.items():
            scaled, count = scale.scaled_source(path, text, FACTOR)
            self.assertIsNone(difference_of_sources(path, text, scaled, FACTOR), path)
            total += count
        self.assertGreater(total, 50)

    def test_no_duration_is_overlooked(self):
        """Each line that looks like a duration is divided, or scale.py says why it is not."""
        looks = re.compile(r"Seconds(?: \w+)?[{(][0-9.' *]*[1-9]|chrono::\w+ \w+\{\d"
                           r"|\.(?:interval|fallback) = \"\d+[smhdw]+\"")
        for path, text in self.texts.items():
            if path.startswith(scale.UNUSED):
                continue
            scaled = scale.scaled_source(path, text, FACTOR)[0].splitlines()
            lines = text.splitlines()
            for at, (line, divided) in enumerate(zip(lines, scaled)):
                if looks.search(line.split("//")[0]) and line == divided:
                    around = " ".join(lines[max(0, at - 2):at + 1])  # an option has its name two lines above
                    self.assertTrue(any(re.search(rf"\b{re.escape(name)}\b", around) for name in scale.KEPT.get(path, ())),
                                    f"{path}: {line.strip()}")

    def test_what_is_kept_is_there(self):
        for path, names in scale.KEPT.items():
            for name in names:
                self.assertIn(name, self.texts[path], path)
        for path, name in scale.LEAST:
            self.assertIn(name, self.texts[path], path)
        for path, pattern in scale.OTHERS:
            self.assertRegex(self.texts[path], pattern)

    def test_other_changes_are_noticed(self):
        path = "exporter/evidence/verdict.cpp"
        text = self.texts[path]
        scaled = scale.scaled_source(path, text, FACTOR)[0]
        for plant in (("300 / 500.0", "300 / 400.0"), ("300 / 500.0", "301 / 500.0"), ("health) * 3", "health) * 4")):
            self.assertIn(plant[0], scaled)
            self.assertIsNotNone(difference_of_sources(path, text, scaled.replace(*plant), FACTOR), plant)


if __name__ == "__main__":
    unittest.main()
