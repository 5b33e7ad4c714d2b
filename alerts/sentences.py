"""A sentence with placeholders, as a template of Prometheus and as the text that its tests expect."""
import re

from table import placeholders

SHOWN = {
    "duration": "{{ %s | humanizeDuration }}", "size": "{{ %s | humanize1024 }}B",
    "share": "{{ %s | humanizePercentage }}", "number": "{{ %s | humanize }}"}
NOT_SET = "(unset)"
SERVER = "{{ $labels.server }}"
WHERE = SERVER + "{{ with $labels.database }}/{{ . }}{{ end }}"
# All labels but those that each alert has; each has a space before it.
LABELS = (
    '{{ range $k, $v := $labels }}{{ if and (ne $k "__name__") (ne $k "job") (ne $k "instance") (ne $k "objective") }}'
    " {{ $k }}={{ $v }}{{ end }}{{ end }}")


def where(metric):
    """What stands before the sentence of a metric."""
    if metric.collector:
        return SERVER + ("/{{ $labels.database }}" if "database" in metric.labels else "") + ": "
    return (WHERE if "server" in metric.labels else "{{ $labels.instance }}") + ": "


def query_for(metric):
    """The series of the metric that has the labels of the alert."""
    labels = ["instance"] + metric.labels
    return 'printf "%s{%s}" %s | query' % (
        metric.name, ",".join("%s=%%q" % label for label in labels),
        " ".join("$labels.%s" % label for label in labels))


def limit_template(alert):
    """The one objective, or both, of which either may be unset."""
    value = SHOWN[alert.metric.unit] % ". | first | value"
    if len(alert.objectives) == 1:
        (limit,) = alert.objectives.values()
        return "{{ with %s }}%s{{ else }}%s{{ end }}" % (query_for(limit), value, NOT_SET)
    return (
        "{{ $least := %s }}{{ $most := %s }}{{ with $least }}at least %s{{ end }}"
        "{{ if and $least $most }} and {{ end }}{{ with $most }}at most %s{{ end }}"
        "{{ if not (or $least $most) }}%s{{ end }}"
        % (query_for(alert.objectives["below"]), query_for(alert.objectives["above"]), value, value, NOT_SET))


def template(text, alert):
    """A sentence for the annotation of an alert."""
    known = {"where": WHERE, "labels": LABELS}
    unit = alert.metric.unit if alert.metric else "number"
    for name in placeholders(text):
        if name == "value":
            known[name] = SHOWN[unit] % "$value"
        elif name == "limit":
            known[name] = limit_template(alert) if alert.objectives else "%g" % alert.metric.should_be["equals"]
        elif name not in known:
            if alert.expr is None and name not in alert.metric.labels:
                raise SystemExit("%s: its sentence has {%s}, which is no label of it" % (alert.name, name))
            known[name] = "{{ $labels.%s }}" % name
    return filled(chosen(text, r"{{ if eq $value 1.0 }}\1{{ else }}", r"\2{{ end }}"), known)


def description(alert):
    if alert.description:
        return template(alert.description, alert)
    says = template(alert.metric.says, alert)
    if alert.never:
        says = '{{ if eq (printf "%%v" $value) "+Inf" }}%s{{ else }}%s{{ end }}' % (template(alert.never, alert), says)
    return where(alert.metric) + says


def chosen(text, one, many):
    """The words for the value 1, or those for others: "{row|rows}". @param one, many replacements with \\1 and \\2"""
    return re.sub(r"(?<!\{)\{([^{}|]+)\|([^{}|]+)\}(?!\})", one + many, text)


def filled(text, known):
    return re.sub(r"(?<!\{)\{(\w+)\}(?!\})", lambda match: known[match[1]], text)


def scaled(value, step, prefixes):
    index = 0
    while abs(value) >= step and index + 1 < len(prefixes):
        value /= step
        index += 1
    return "%.4g%s" % (value, prefixes[index])


def shown(value, unit):
    """A number as Prometheus shows it; numbers between 0 and 1 have no prefix here and are in no test."""
    if unit == "share":
        return "%.4g%%" % (value * 100)
    if unit == "size":
        return scaled(value, 1024, ("", "Ki", "Mi", "Gi", "Ti")) + "B"
    if unit == "number":
        return scaled(value, 1000, ("", "k", "M", "G"))
    days, hours, minutes, seconds = value // 86400, value // 3600 % 24, value // 60 % 60, value % 60
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
    while parts[0][0] == 0 and len(parts) > 1:
        parts.pop(0)
    return " ".join("%d%s" % part for part in parts)
