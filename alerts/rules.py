"""The rules of Prometheus that the table of alerts stands for."""
import re
import textwrap

import sentences

HEAD = """# %s
# Written by alerts/generate.py from alerts.yml. Do not edit.
# No threshold is in here: metrics are compared with the objectives that the exporter exports from its
# configuration. Values are held for 15 minutes after they vanish, so that nothing resolves because
# nobody answers; the exporter's absence has its own alerts by then. See README.md.
groups:
  - name: pg_integrity_%s
    rules:
"""
REPORT = '{{ or $externalLabels.pg_integrity_report (printf "http://%s" $labels.instance) }}/'
RUNBOOK = '{{ or $externalLabels.pg_integrity_runbooks "alerts/runbooks" }}/%s.md'
LAST_PASS = (
    '{{ with printf "pg_integrity_collector_last_success_timestamp_seconds{instance=%%q,server=%%q,database=%%q,'
    'collector=%%q}" $labels.instance $labels.server $labels.database %s | query }}'
    "last complete pass {{ . | first | value | humanizeTimestamp }}"
    "{{ else }}no complete pass since the exporter began{{ end }}")
# Labels whose values have characters that a link to the report page has by their numbers.
ESCAPED = {"path", "pattern"}
ESCAPE = ' | reReplaceAll "[.]" ".2e" | reReplaceAll "/" ".2f" | reReplaceAll "[*]" ".2a"'
# Labels of a target that change when the exporter moves to another address, pod or machine.
PLACE = "instance, pod, pod_ip, pod_name, pod_template_hash, node, node_name, host, hostname"
MOVED = "job_instance:pg_integrity_up:moved"
HELD = re.compile(r"\blast_over_time\((pg_integrity_\w+(?:\{[^{}]*\})?)\[15m\]\)")


def held(name):
    return "last_over_time(%s[15m])" % name


def unless_moved(name):
    """Ends a held value once the exporter that takes over has the value itself."""
    return "unless (%s and on (job, instance) %s and ignoring (%s) %s)" % (held(name), MOVED, PLACE, name)


def matching(metric, limit, many=""):
    """How a value finds its limit. A limit without the labels of an object holds for all objects."""
    if set(metric.labels) == set(limit.labels):
        return ""
    return "on (%s) %s" % (", ".join(["job", "instance", *limit.labels]), many and many + " () ")


def violations(alert):
    """Pairs of an expression for the values that are wrong, and of one for how far they are."""
    value = held(alert.metric.name)
    equals = alert.metric.should_be.get("equals")
    if equals == 0 and alert.signed:
        yield value + " != 0", "abs(%s)" % value
    elif equals == 0:
        yield value + " > 0", value
    elif equals == 1:
        yield value + " < 1", "1 - " + value
    elif equals is not None:
        raise SystemExit("%s: write an expression for the expectation %g" % (alert.name, equals))
    for side, limit in alert.limits.items():
        over, small, great = (">", limit.name, alert.metric.name) if side == "above" else (
            "<", alert.metric.name, limit.name)
        many = "group_left" if side == "above" else "group_right"
        yield ("%s %s %s%s" % (value, over, matching(alert.metric, limit, "group_left"), held(limit.name)),
               "%s - %s%s" % (held(great), matching(alert.metric, limit, many), held(small)))


def expression_of_expectation(alert):
    accepted = held(alert.metric.name + "_accepted")
    text = "\nor ".join(
        "%s\nunless %s <= %s\n%s" % (wrong, excess, accepted, unless_moved(alert.metric.name))
        for wrong, excess in violations(alert))
    if alert.never:
        (limit,) = alert.limits.values()
        text += "\nor %s * +Inf unless %s" % (limit.name, alert.metric.name)
        text += "\n  " + alert.but if alert.but else ""
    return text


def objectives_without_values(table):
    arms = []
    for alert, limit in table.objectives():
        but = "\n    " + alert.but if alert.but else ""
        arms.append('label_replace(\n  %s unless %s%s%s,\n  "objective", "%s", "", "")' % (
            limit.name, matching(alert.metric, limit), alert.metric.name, but, limit.name))
    return "\nor ".join(arms)


def expression(alert, table):
    if alert.expr is None:
        return expression_of_expectation(alert)
    lines = []
    for line in alert.expr.strip().splitlines():
        lines.append(line)
        lines += [unless_moved(value) for value in HELD.findall(line)]
    return "\n".join(lines).replace("{missed}", table.missed_pattern()).replace(
        "{objectives}", objectives_without_values(table)).replace("{place}", PLACE)


def report_link(alert):
    """To the object's own line, if the alert is about one: server, database, collector and object."""
    if not (alert.metric and alert.metric.collector):
        return REPORT
    database = "{{ $labels.database }}" if "database" in alert.metric.labels else ""
    parts = ["{{ $labels.server }}", database, alert.metric.collector]
    names = ["{{ $labels.%s%s }}" % (label, ESCAPE if label in ESCAPED else "") for label in alert.metric.object]
    return REPORT + "#" + ".2F".join(parts + ([".2E".join(names)] if names else []))


def annotations(alert):
    notes = {"summary": alert.summary, "description": sentences.description(alert)}
    if alert.collector:
        notes["evidence"] = LAST_PASS % ('"%s"' % alert.collector)
    elif alert.metric and "collector" in alert.metric.labels:
        notes["evidence"] = LAST_PASS % "$labels.collector"
    if alert.reported:
        notes["report_url"] = report_link(alert)
    notes["runbook_url"] = RUNBOOK % alert.name
    return notes


def wrapped(text):
    """The text in lines, none of which ends within a template."""
    closed = re.sub(r"\{\{.*?\}\}", lambda match: match[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(closed, 90, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def quoted(text):
    return "'%s'" % text.replace("'", "''")


def record(entry):
    expr = entry["expr"].strip().replace("{place}", PLACE)
    lines = ["# " + line for line in textwrap.wrap(entry["says"], 90)]
    lines += ["- record: " + entry["record"], "  expr: |"] + ["    " + line for line in expr.splitlines()]
    return "".join("      %s\n" % line for line in lines)


def rule(alert, table):
    lines = ["- alert: " + alert.name, "  expr: |"]
    lines += ["    " + line for line in expression(alert, table).splitlines()]
    if alert.wait:
        lines.append("  for: " + alert.wait)
    if alert.keep:
        lines.append("  keep_firing_for: " + alert.keep)
    labels = ["severity: " + alert.severity, "component: " + alert.theme]
    labels += ["%s: %s" % (name, quoted(text)) for name, text in alert.labels.items()]
    lines.append("  labels: { %s }" % ", ".join(labels))
    lines.append("  annotations:")
    for key, text in annotations(alert).items():
        if key == "description":
            lines.append("    description: >-")
            lines += ["      " + line for line in wrapped(text)]
        else:
            lines.append("    %s: %s" % (key, quoted(text)))
    return "".join("      %s\n" % line for line in lines)


def rules_file(theme, table):
    about = "\n# ".join(table.about[theme].splitlines())
    return HEAD % (about, theme) + "\n".join(
        [record(entry) for entry in table.records[theme]] + [rule(alert, table) for alert in table.of(theme)])


def readme_table(table):
    text = "| alert | severity | for | says |\n|---|---|---|---|\n"
    for alert in table.alerts:
        text += "| [%s](runbooks/%s.md) | %s | %s | %s |\n" % (
            alert.name, alert.name, alert.severity, alert.wait or "–", alert.summary)
    return text


def runbook_head(alert):
    return "**Broken:** %s Severity: %s. Rule: [%s.rules.yml](../%s.rules.yml)." % (
        alert.summary, alert.severity, alert.theme, alert.theme)
