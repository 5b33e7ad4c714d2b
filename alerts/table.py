"""The table of alerts.yml, and what the exporter's catalogue says of the metrics in it."""
import pathlib
import re

import yaml

HERE = pathlib.Path(__file__).resolve().parent
KEYS = {
    "alert", "severity", "metric", "summary", "for", "keep", "side", "signed", "never", "but", "may_lack_value",
    "missed", "unmissed", "values", "expr", "description", "collector", "report",
    "labels"}
SIDES = {"above": "at_most", "below": "at_least"}
UNITS = {"_seconds": "duration", "_bytes": "size", "_ratio": "share"}


class Metric:
    def __init__(self, entry, identities):
        self.name = entry["name"]
        self.labels = entry["labels"]
        self.should_be = entry["should_be"]
        self.says = entry["says"]
        self.origin = entry["origin"]
        self.unit = next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "number")
        self.collector = self.origin if self.origin in identities else None
        # The labels that name an object on the report page.
        self.object = [label for label in identities.get(self.origin, ()) if label in self.labels]


class Alert:
    def __init__(self, theme, entry, metrics):
        self.name = entry["alert"]
        for key in set(entry) - KEYS:
            raise SystemExit("alerts.yml: %s: there is no key `%s`" % (self.name, key))
        self.theme = theme
        self.severity = entry["severity"]
        self.summary = entry["summary"]
        self.wait = entry.get("for", "2m")
        self.keep = entry.get("keep")
        self.signed = entry.get("signed", False)
        self.never = entry.get("never")
        self.but = " ".join(entry.get("but", "").split())
        self.may_lack_value = entry.get("may_lack_value", False)
        self.missed = entry.get("missed", [])
        self.unmissed = entry.get("unmissed", [])
        self.values = entry.get("values")
        self.expr = entry.get("expr")
        self.labels = entry.get("labels", {})
        self.reported = entry.get("report", True)
        if entry.get("metric", "") not in {"", *metrics}:
            raise SystemExit("alerts.yml: %s: there is no metric %s" % (self.name, entry["metric"]))
        self.metric = metrics.get(entry.get("metric"))
        self.collector = entry.get("collector", self.metric and self.metric.collector)
        self.description = entry.get("description")
        if self.expr is None and not (self.metric and self.metric.collector and self.metric.should_be):
            raise SystemExit("alerts.yml: %s: has no metric with an expectation and no expression" % self.name)
        # The objectives of its metric, and those among them that it compares with.
        should_be = self.metric.should_be if self.metric else {}
        self.objectives = {side: metrics[should_be[key]] for side, key in SIDES.items() if key in should_be}
        self.limits = {
            side: limit for side, limit in self.objectives.items() if entry.get("side", side) == side}

    def all_missed(self):
        """Metrics that must not vanish unnoticed."""
        own = [self.metric.name] if self.metric and self.metric.should_be else []
        limits = [limit.name for limit in self.limits.values()]
        return {name for name in own + limits + self.missed if name not in self.unmissed}


def read():
    return yaml.safe_load((HERE / "alerts.yml").read_text(encoding="utf-8"))


class Table:
    def __init__(self, catalogue, document):
        identities = {one["name"]: one["identity"] for one in catalogue["collectors"]}
        self.metrics = {one["name"]: Metric(one, identities) for one in catalogue["metrics"]}
        self.samples = document["samples"]
        self.about = {theme: part["about"] for theme, part in document["themes"].items()}
        self.records = {theme: part.get("records", []) for theme, part in document["themes"].items()}
        self.alerts = [
            Alert(theme, entry, self.metrics) for theme, part in document["themes"].items() for entry in part["alerts"]]

    def of(self, theme):
        return [alert for alert in self.alerts if alert.theme == theme]

    def named(self, name):
        return next(alert for alert in self.alerts if alert.name == name)

    def missed(self):
        """What PgIntegritySeriesMissing misses, sorted."""
        return sorted({name for alert in self.alerts for name in alert.all_missed()})

    def missed_pattern(self):
        prefix = "pg_integrity_"
        return "%s(%s)" % (prefix, "|".join(name[len(prefix):] for name in self.missed()))

    def objectives(self):
        """Alert and objective of each pair for PgIntegrityObjectiveUnknown, in the catalogue's order."""
        place = {name: index for index, name in enumerate(self.metrics)}
        pairs = [
            (alert, limit) for alert in self.alerts if not alert.never and not alert.may_lack_value
            for limit in alert.limits.values()]
        return sorted(pairs, key=lambda pair: (place[pair[0].metric.name], pair[1].name))


def placeholders(text):
    """Names in single braces; those in double braces are Prometheus's own, and those with a bar a choice of words."""
    return re.findall(r"(?<!\{)\{(\w+)\}(?!\})", text)
