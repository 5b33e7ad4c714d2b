"""The parts of a PromQL expression, as far as the checks beside this file need them."""
import re

STRING = r'"(?:[^"\\]|\\.)*"'
MATCHER = re.compile(r"([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*(%s)" % STRING)
SELECTOR = re.compile(r"(?<!:)\b((?:pg_integrity|process)_\w+|ALERTS|up|scrape_\w+)\b\s*(\{(?:[^\"{}]|%s)*\})?" % STRING)
NAMED = re.compile(r'\{\s*__name__\s*=~\s*"(\w+)_\(([a-z_|]+)\)"')
GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
RECORDED = re.compile(r"\b[a-z_]+:[a-z_]+:[a-z_]+\b")
MADE = re.compile(r'"(\w+)", "[^"]*", "\w*", "[^"]*"\)|label_join\(.*?, "(\w+)"')  # labels that an expression makes
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def without_strings(expression):
    return re.sub(STRING, '""', expression)


def selectors(expression):
    """Pairs of a metric's name and its matched labels, one for each place that selects it."""
    found = []
    for match in SELECTOR.finditer(expression):
        before = expression[: match.start()]
        if before.count('"') % 2 or re.search(r"\{[^{}]*$", without_strings(before)):
            continue  # within a string or a selector, so no metric
        if re.search(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^()]*$", before):
            continue  # a label
        labels = {name: value[1:-1] for name, _, value in MATCHER.findall(match[2] or "")}
        found.append((match[1], labels))
    return found


def recorded(expression):
    """Names of recording rules in an expression."""
    return set(RECORDED.findall(without_strings(expression)))


def families(expression):
    """Names that a selector by __name__ lists."""
    return {
        "%s_%s" % (match[1], name) for match in NAMED.finditer(expression) for name in match[2].split("|")}


def metrics(expression):
    return {name for name, _ in selectors(expression)}


def grouping_labels(expression):
    """Those that a result must have. A list of labels to leave out may name some that only other targets have."""
    found = set()
    for operator, names in GROUPING.findall(without_strings(expression)):
        if operator not in ("ignoring", "without"):
            found |= {name.strip() for name in names.split(",") if name.strip()}
    return found


def result_labels(expression):
    """The labels of an aggregation's result. None if the expression is no aggregation by labels."""
    match = re.match(r"\s*(?:[\d. *]+)?(?:sum|max|min|count|histogram_quantile\([\d.]+, sum)\s+by\s*\(([^()]*)\)", expression)
    if not match:
        return None
    return {name.strip() for name in match[1].split(",")} - {"le"}


class Catalogue:
    """The metrics that the exporter says it has."""

    TARGET = {"job", "instance"}
    OTHERS = {
        "ALERTS": {"alertname", "alertstate", "severity", "component", "server", "database", "pg_integrity_runbooks"},
        "up": {"container"},
    }

    def __init__(self, document):
        self.by_name = {metric["name"]: metric for metric in document["metrics"]}
        self.labels = {name: set(metric["labels"]) for name, metric in self.by_name.items()}
        for name, metric in self.by_name.items():
            if metric["type"] == "histogram":
                for suffix, more in (("bucket", {"le"}), ("sum", set()), ("count", set())):
                    self.labels = {**self.labels, "%s_%s" % (name, suffix): set(metric["labels"]) | more}

    def judged(self):
        return {name for name, metric in self.by_name.items() if metric["should_be"]}

    def family(self, name):
        return HISTOGRAM.sub("", name) if name not in self.by_name else name

    def labels_of(self, name):
        """None if there is no such metric. A judged metric has a twin for accepted damage."""
        if name in self.OTHERS:
            return self.OTHERS[name] | self.TARGET
        if name.startswith("process_"):
            return self.TARGET
        if name.endswith("_accepted") and name[: -len("_accepted")] in self.judged():
            name = name[: -len("_accepted")]
        if name not in self.labels:
            return None
        return self.labels[name] | self.TARGET

    def problems(self, expression):
        """The names in an expression that do not exist."""
        known = set()
        for name, matched in selectors(expression):
            labels = self.labels_of(name)
            if labels is None:
                yield "there is no metric %s" % name
                continue
            known |= labels
            for label in matched:
                if label not in labels:
                    yield "%s has no label %s" % (name, label)
        for name in families(expression):
            if self.labels_of(name) is None:
                yield "there is no metric %s" % name
        if families(expression):
            known |= {"server", "database"} | self.TARGET
        known |= {name for match in MADE.finditer(expression) for name in match.groups() if name}
        for label in grouping_labels(expression):
            if label not in known | {"__name__"}:
                yield "nothing in it has the label %s" % label
