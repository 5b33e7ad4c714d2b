"""Tests for promtool of every alert that follows from an expectation, and of the alerts on what has vanished.

Each goes through the same hour: the value is at its limit, is wrong from minute 10, is missing from one scrape at 20,
has vanished from 22 to 26, is right again from 30 and vanishes for good at 40. The same damage of the server "known" is
accepted until minute 48, when only half of it still is.
"""
import sentences

HEAD = """# %s
# Written by alerts/generate.py from alerts.yml. Do not edit. Tests of another kind are in the files beside it.
# %s
rule_files: [%s]
evaluation_interval: 1m

tests:
"""
EACH = """Each alert: silent at its objective and before `for` is over, firing right after it, still firing while a
# scrape is missed and while its series are gone, resolved once disproved; and what fires when they vanish."""
FAMILIES = "Whatever alerts rest on vanishes at minute 10 and is back at 17."
TARGET = {"job": "pg_integrity_exporter", "instance": "db1:10187"}
AT_THE_LIMIT_AND_BEYOND = {
    ("duration", "above"): (3600, 3660), ("duration", "below"): (3600, 3540), ("share", "above"): (0.1, 0.5),
    ("share", "below"): (0.5, 0.4), ("size", "above"): (2 ** 30, 3 * 2 ** 29), ("size", "below"): (2 ** 30, 2 ** 29),
    ("number", "above"): (10, 11), ("number", "below"): (2, 1)}
COURSE = "{good}+0x9 {bad}+0x9 _ {bad} stale stale stale stale stale {bad}+0x2 {good}+0x9 stale"
LONG = "%s+0x60"
UNTIL_48 = "%s+0x47 %s+0x12"
LAST_PASS = "last complete pass 1970-01-01 00:00:00 +0000 UTC"
NO_PASS = "no complete pass since the exporter began"
GAP = "%s+0x9 stale _ _ _ _ _ _ %s+0x9"


def number(value):
    return "%d" % value if value == int(value) else repr(round(value, 9))


def scalar(text):
    return "'%s'" % text.replace("'", "''")


class Test:
    def __init__(self, comment):
        self.comment = comment
        self.series = []
        self.cases = []
        self.add("up", {}, "1+0x200")
        self.add("pg_integrity_build_info", {"version": "1", "revision": "a"}, "1+0x200")

    def add(self, name, labels, values):
        text = ", ".join('%s="%s"' % pair for pair in {**TARGET, **labels}.items())
        self.series.append("      - series: '%s{%s}'\n        values: '%s'\n" % (name, text, values))

    def expect(self, minute, name, *alerts):
        """Each alert is a pair of its labels and annotations."""
        self.cases.append((minute, name, list(alerts)))

    def text(self):
        out = "  # %s\n  - interval: 1m\n    input_series:\n%s    alert_rule_test:\n" % (
            self.comment, "".join(self.series))
        known = []
        for minute, name, alerts in self.cases:
            out += "      - eval_time: %dm\n        alertname: %s\n        exp_alerts:" % (minute, name)
            if not alerts:
                out += " []\n"
            elif alerts in known:
                out += " *%s\n" % self.anchor(known.index(alerts))
            else:
                known.append(alerts)
                out += " &%s\n" % self.anchor(len(known) - 1) + "".join(self.alert(*alert) for alert in alerts)
        return out

    def anchor(self, index):
        return "".join(c if c.isalnum() else "-" for c in "%s-%d" % (self.comment, index))

    @staticmethod
    def alert(labels, notes):
        def lines(pairs):
            return "".join("              %s: %s\n" % (key, scalar(text)) for key, text in sorted(pairs.items()))
        return "          - exp_labels:\n%s            exp_annotations:\n%s" % (lines(labels), lines(notes))


def fired(alert, labels, value, limit="", never=False, evidence=LAST_PASS):
    """Labels and annotations of an alert, worked out from the sentence and not by way of its template."""
    said = {"where": "/".join(labels[key] for key in ("server", "database") if key in labels), "limit": limit}
    said["value"] = "+Inf" if never else sentences.shown(value, alert.metric.unit if alert.metric else "number")
    said["labels"] = "".join(" %s=%s" % pair for pair in sorted(labels.items()) if pair[0] != "objective")
    text = alert.description or "{where}: " + (alert.never if never else alert.metric.says)
    text = sentences.chosen(text, *((r"\1", "") if value == 1 and not never else ("", r"\2")))
    notes = {"summary": alert.summary, "description": sentences.filled(text, {**TARGET, **labels, **said})}
    if alert.collector:
        notes["evidence"] = evidence
    notes["report_url"] = "http://db1:10187/" + fragment(alert, labels)
    notes["runbook_url"] = "alerts/runbooks/%s.md" % alert.name
    return {**TARGET, **labels, "severity": alert.severity, "component": alert.theme}, notes


def fragment(alert, labels):
    if not alert.metric:
        return ""
    parts = [labels["server"], labels.get("database", ""), alert.metric.collector]
    if alert.metric.object:
        parts.append(".2E".join(
            labels[label].replace(".", ".2e").replace("/", ".2f").replace("*", ".2a") for label in alert.metric.object))
    return "#" + ".2F".join(parts)


class Course:
    """One alert, once through the hour."""

    def __init__(self, table, alert, good, bad, limits):
        self.table, self.alert, self.good, self.bad, self.limits = table, alert, good, bad, limits
        metric = alert.metric
        self.labels = {name: self.sample(name) for name in metric.labels}
        self.known = {**self.labels, "server": "known"}
        self.wait = int(alert.wait[:-1])
        bounds = {side: sentences.shown(limit, metric.unit) for side, limit in limits.items()}
        self.limit = bounds.get("above") or bounds.get("below")
        if len(alert.objectives) == 2:
            words = (("below", "at least "), ("above", "at most "))
            self.limit = " and ".join(word + bounds[side] for side, word in words if side in bounds)

    def sample(self, label):
        if label in ("server", "database"):
            return "tovplay"
        if label not in self.table.samples:
            raise SystemExit("alerts.yml: `samples` has no value for the label %s" % label)
        return self.table.samples[label]

    def test(self):
        alert, name = self.alert, self.alert.name
        test = Test(name if len(courses(self.table, alert)) == 1 else "%s: %s" % (name, number(self.bad)))
        self.add_series(test)
        firing = fired(alert, self.labels, self.bad, self.limit)
        goes_along = any(limit.name in alert.unmissed for limit in alert.limits.values())
        unlimited = fired(alert, self.labels, self.bad, sentences.NOT_SET) if goes_along else firing
        test.expect(9, name)
        test.expect(10 + self.wait - 1, name)
        test.expect(10 + self.wait, name, firing)
        test.expect(20, name, firing)
        test.expect(26, name, unlimited)
        if alert.keep:
            test.expect(31, name, firing)
        test.expect(33 if alert.keep else 30, name)
        never = [fired(alert, self.labels, 0, self.limit, never=True)] if alert.never else []
        test.expect(40 + self.wait, name, *never)
        self.expect_missing(test)
        test.expect(48 + self.wait, name, fired(alert, self.known, self.bad, self.limit, evidence=NO_PASS), *never)
        return test.text()

    def add_series(self, test):
        alert, metric = self.alert, self.alert.metric
        scope = {name: self.labels[name] for name in ("server", "database") if name in self.labels}
        known = self.known
        course = COURSE.format(good=number(self.good), bad=number(self.bad))
        test.add("pg_integrity_up", {"server": "tovplay", "database": "tovplay"}, "1+0x200")
        test.add("pg_integrity_collector_last_success_timestamp_seconds",
                 {**scope, "collector": alert.collector}, "0+0x60")
        for name in [metric.name] + [one for one in alert.missed if one not in alert.unmissed]:
            test.add(name, self.labels, course)
        test.add(metric.name, known, LONG % number(self.bad))
        for side, limit in self.limits.items():
            objective = alert.limits[side]
            value = number(limit)
            gone = objective.name in alert.unmissed
            for labels in (self.labels, known):
                own = {name: labels[name] for name in objective.labels}
                along = gone and labels is self.labels
                test.add(objective.name, own, COURSE.format(good=value, bad=value) if along else LONG % value)
        excess = abs(self.bad - self.good)
        test.add(metric.name + "_accepted", known, UNTIL_48 % (number(excess), number(excess / 2)))

    def expect_missing(self, test):
        missing = self.table.named("PgIntegritySeriesMissing")
        scope = {name: self.labels[name] for name in ("server", "database") if name in self.labels}
        ended = [self.alert.metric.name] + self.alert.missed
        test.expect(45, missing.name, *(
            fired(missing, {**scope, "family": name}, 1) for name in sorted(ended) if name in self.table.missed()))


def courses(table, alert):
    """A test for each way in which the value may be wrong."""
    equals = alert.metric.should_be.get("equals")
    if equals is not None:
        good, bad = alert.values or (equals, 1 - equals)
        return [Course(table, alert, good, one, {}) for one in ([bad, -bad] if alert.signed else [bad])]
    steps = {side: AT_THE_LIMIT_AND_BEYOND[alert.metric.unit, side] for side in alert.limits}
    if alert.values:
        steps = {side: alert.values for side in steps}
    limits = {side: good for side, (good, _) in steps.items()}
    return [Course(table, alert, good, bad, limits) for good, bad in steps.values()]


def missing_families(table):
    """All that PgIntegritySeriesMissing misses, at once; each has an alert of its own."""
    alert = table.named("PgIntegritySeriesMissing")
    test = Test(alert.name)
    test.add("pg_integrity_up", {"server": "tovplay", "database": "tovplay"}, "1+0x200")
    expected = []
    for name in table.missed():
        labels = {label: "tovplay" for label in ("server", "database") if label in table.metrics[name].labels}
        test.add(name, labels, GAP % ("0", "0"))
        expected.append(fired(alert, {**labels, "family": name}, 1))
    return families_test(test, alert, expected)


def lone_objectives(table):
    """All that PgIntegrityObjectiveUnknown knows, at once."""
    alert = table.named("PgIntegrityObjectiveUnknown")
    test = Test(alert.name)
    expected = []
    values = {one.metric.name: one.metric for one, _ in table.objectives()}
    for metric in values.values():
        test.add(metric.name, anything(metric), GAP % ("1", "1"))
    for _, limit in table.objectives():
        test.add(limit.name, anything(limit), LONG % "1")
        expected.append(fired(alert, {**anything(limit), "objective": limit.name}, 1))
    return families_test(test, alert, expected)


def anything(metric):
    return {label: "tovplay" if label in ("server", "database") else "a" for label in metric.labels}


def families_test(test, alert, expected):
    test.expect(9, alert.name)
    test.expect(14, alert.name)
    test.expect(15, alert.name, *expected)
    test.expect(18, alert.name)
    return test.text()


def file_of(theme, table):
    about = "\n# ".join(table.about[theme].splitlines())
    if theme == "exporter":
        tests = [missing_families(table), lone_objectives(table)]
        return HEAD % (about, FAMILIES, "../exporter.rules.yml") + "\n".join(tests)
    tests = [course.test() for alert in table.of(theme) if alert.expr is None for course in courses(table, alert)]
    return HEAD % (about, EACH, "../%s.rules.yml, ../exporter.rules.yml" % theme) + "\n".join(tests)
